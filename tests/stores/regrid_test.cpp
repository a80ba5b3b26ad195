#include "stores/regrid.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/files.hpp"
#include "grid/conservative_regridding.hpp"
#include "stores/netcdf_document.hpp"
#include "stores/zarr_test_store.hpp"
#include "support/errors.hpp"
#include "support/job.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

TEST(ParseGrid, LongitudesByLatitudes) {
  EXPECT_EQ(parse_grid("240x121"), LatLonGrid::with_poles(240, 121));
  EXPECT_EQ(parse_grid("64x32"), LatLonGrid::without_poles(64, 32));
  for (const char* text :
       {"", "240", "240x", "x121", "240x1", "0x32", "240x121 ", "-4x3", "1e3x3", "4x3x2"}) {
    std::string message;
    EXPECT_EQ(code_of([&] { parse_grid(text); }, &message), ExitCode::bad_configuration) << text;
    EXPECT_NE(message.find("240x121"), std::string::npos);
  }
}

TEST(Regrid, EveryVariableLevelTimeAndStatic) {
  const SampleStore sample = write_sample("regrid");
  const LatLonGrid target = LatLonGrid::with_poles(3, 3);
  const std::string output = sample.path + ".regridded";
  const Regridded result = regrid_store(sample.path, output, target, {});
  EXPECT_EQ(result.times, 3U);
  EXPECT_EQ(result.channels.size(), 5U);
  EXPECT_EQ(result.statics, std::vector<std::string>{"land_sea_mask"});
  EXPECT_TRUE(result.left_out.empty());

  ZarrFields written(output, {});
  EXPECT_EQ(written.grid(), target);
  EXPECT_EQ(written.times(), sample.times);
  const ConservativeRegridding regridding(*sample.grid, target);
  for (const Time time : sample.times) {
    EXPECT_EQ(written.read(time, sample.channels).values,
              regridding.apply(sample_state(sample, time).values, 1));
  }
  EXPECT_EQ(written.read_static("land_sea_mask"), regridding.apply(sample_static(sample), 1));
  EXPECT_NE(read_text(output + "/land_sea_mask/.zattrs").find("land_area_fraction"), std::string::npos);
}

TEST(Regrid, NetcdfAndWhatIsLeftOut) {
  const auto folder = scratch_dir("regrid_netcdf");
  NetcdfDocument file;
  file.dimensions = {{"time", 2}, {"latitude", 2}, {"longitude", 4}};
  file.variables = {
      {"time", {"time"}, std::vector<std::int64_t>{0, 6}, {{"units", std::string("hours since 2020-01-01")}}},
      {"latitude", {"latitude"}, std::vector<double>{45, -45}, {{"units", std::string("degrees_north")}}},
      {"longitude",
       {"longitude"},
       std::vector<double>{0, 90, 180, 270},
       {{"units", std::string("degrees_east")}}},
      {"t2m", {"time", "latitude", "longitude"}, std::vector<float>(16, 280.0F), {}},
      {"lsm", {"latitude", "longitude"}, std::vector<float>(8, 0.5F), {}},
      {"orography", {"latitude", "longitude"}, std::vector<float>(8, 7.0F), {}}};
  const std::string input = (folder / "a.nc").string();
  write_netcdf(input, file);
  const std::string output = (folder / "a.zarr").string();
  const Regridded result = regrid_store(input, output, LatLonGrid::without_poles(8, 4), {});
  ASSERT_EQ(result.left_out.size(), 1U);
  EXPECT_NE(result.left_out[0].find("orography"), std::string::npos);
  ZarrFields written(output, {});
  const auto channels = std::make_shared<const ChannelSet>(ChannelSet{{"2m_temperature", std::nullopt}});
  EXPECT_EQ(written.read(parse_time("2020-01-01T06"), channels).values, std::vector<float>(32, 280.0F));
  EXPECT_EQ(written.read_static("land_sea_mask"), std::vector<float>(32, 0.5F));
}

TEST(Regrid, RefusesWhatItCannotDo) {
  const SampleStore sample = write_sample("regrid_refused");
  const LatLonGrid target = LatLonGrid::with_poles(3, 3);
  EXPECT_EQ(code_of([&] { regrid_store(sample.path, sample.path, target, {}); }), ExitCode::cannot_create);
  EXPECT_EQ(code_of([&] { regrid_store(sample.path + "x", sample.path + "y", target, {}); }),
            ExitCode::missing_input);
  EXPECT_FALSE(fs::exists(sample.path + "y"));
  FieldStoreOptions with_member;
  with_member.member = 3;
  EXPECT_EQ(code_of([&] { regrid_store(sample.path, sample.path + "y", target, with_member); }),
            ExitCode::missing_input);
}

TEST(Regrid, TheProgramSaysWhatItDid) {
  const SampleStore sample = write_sample("regrid_program");
  const std::string program = std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_data";
  const auto run = [&](const std::string& output, const std::string& grid) {
    return run_job({program, "regrid", sample.path, output, "--grid", grid});
  };
  const Job good = run(sample.path + ".6x3", "6x3");
  EXPECT_EQ(good.code, 0) << good.output;
  EXPECT_NE(good.output.find("3 times of 5 channels, 1 fields without time"), std::string::npos)
      << good.output;
  EXPECT_EQ(run(sample.path + ".6x3", "6x3").code, static_cast<int>(ExitCode::cannot_create));
  EXPECT_EQ(run(sample.path + ".other", "6 by 3").code, static_cast<int>(ExitCode::bad_configuration));
}

}  // namespace
}  // namespace mosaic::test
