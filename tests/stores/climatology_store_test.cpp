#include "stores/climatology_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "base/error.hpp"
#include "forecast_samples.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;
namespace sample = climatology_sample;

void expect_sample(ClimatologyStore& store, bool with_hours = true) {
  EXPECT_EQ(store.grid(), forecast_sample::grid);
  EXPECT_EQ(store.days_of_year(), sample::days);
  EXPECT_EQ(store.hours(), with_hours ? sample::hours : std::vector<int>{});
  EXPECT_EQ(store.quantiles(), sample::quantiles);
  const ChannelSet channels = {{"temperature", 500}, {"2m_temperature", {}}};
  for (std::size_t d = 0; d < sample::days.size(); ++d) {
    for (std::size_t h = 0; h < sample::hours.size(); ++h) {
      const int day = sample::days[d];
      const int hour = sample::hours[h];
      const std::size_t stored = with_hours ? h : 0;
      std::vector<float> expected = sample::expected("temperature", 1, d, stored);
      const auto surface = sample::expected("2m_temperature", 0, d, stored);
      expected.insert(expected.end(), surface.begin(), surface.end());
      ASSERT_EQ(store.read(day, hour, channels, ClimatologyPart::mean), expected);
      ASSERT_EQ(store.read(day, hour, {channels[1]}, ClimatologyPart::deviation),
                sample::expected("2m_temperature_std", 0, d, stored));
      ASSERT_EQ(store.read_quantile(day, hour, channels[1], 0.9),
                sample::expected("2m_temperature_quantile", 0, d, stored, 1));
    }
  }
}

TEST(ClimatologyStore, AnyOrderOfDimensionsGivesTheSame) {
  const fs::path folder = scratch_dir("climatology_orders");
  std::mt19937 random(6);
  for (int trial = 0; trial < 40; ++trial) {
    SCOPED_TRACE(trial);
    Spelling spelling = sample::weatherbench();
    std::shuffle(spelling.order.begin(), spelling.order.end(), random);
    spelling.north_first = trial % 2 == 1;
    spelling.from_minus_180 = trial / 2 % 2 == 1;
    const bool with_hours = trial % 5 != 0;
    if (!with_hours) {
      std::erase(spelling.order, AxisRole::hour);
    }
    std::map<std::string, std::size_t> chunks;
    for (const auto& [role, name] : spelling.names) {
      chunks[name] = 1 + random() % 4;
    }
    ClimatologyOptions options;
    options.threads = 1 + trial % 3;
    const std::string path = (folder / (trial % 3 == 0 ? "sample.nc" : "sample.zarr")).string();
    trial % 3 == 0 ? write_netcdf_sample(path, sample::file(spelling))
                   : write_zarr_sample(path, sample::file(spelling), chunks);
    ClimatologyStore store(path, options);
    expect_sample(store, with_hours);
  }
}

TEST(ClimatologyStore, NamesOfCoordinatesAndVariables) {
  const fs::path folder = scratch_dir("climatology_names");
  for (const AxisRole role : {AxisRole::day_of_year, AxisRole::hour, AxisRole::level, AxisRole::latitude}) {
    for (const std::string& name : axis_names(role)) {
      Spelling spelling = sample::weatherbench();
      spelling.names[role] = name;
      write_zarr_sample((folder / "sample.zarr").string(), sample::file(spelling));
      ClimatologyStore store((folder / "sample.zarr").string(), {});
      expect_sample(store);
    }
  }
  SampleFile file = sample::file(sample::weatherbench());
  file.array("temperature").name = "temperature_mean";
  file.array("2m_temperature").name = "t2m";
  file.array("2m_temperature_std").name = "spread_of_t2m";
  file.array("2m_temperature_quantile").name = "t2m_quantile";
  write_netcdf_sample((folder / "sample.nc").string(), file);
  ClimatologyOptions options;
  options.rename = {{"spread_of_t2m", "2m_temperature_std"}};
  ClimatologyStore store((folder / "sample.nc").string(), options);
  EXPECT_TRUE(store.has({"temperature", 850}, ClimatologyPart::mean));
  EXPECT_EQ(store.channels(ClimatologyPart::mean),
            (ChannelSet{{"2m_temperature", {}}, {"temperature", 850}, {"temperature", 500}}));
  EXPECT_EQ(store.channels(ClimatologyPart::quantile), (ChannelSet{{"2m_temperature", {}}}));
  EXPECT_EQ(store.read(59, 12, {{"2m_temperature", {}}}, ClimatologyPart::deviation),
            sample::expected("2m_temperature_std", 0, 1, 1));
}

TEST(ClimatologyStore, QuantilesWithinOneHundredth) {
  const std::string path = (scratch_dir("climatology_quantiles") / "sample.zarr").string();
  write_zarr_sample(path, sample::file(sample::weatherbench()));
  ClimatologyStore store(path, {});
  const Channel channel{"2m_temperature", {}};
  EXPECT_EQ(store.read_quantile(1, 0, channel, 0.11),
            sample::expected("2m_temperature_quantile", 0, 0, 0, 0));
  std::string message;
  EXPECT_EQ(code_of([&] { store.read_quantile(1, 0, channel, 0.5); }, &message), ExitCode::missing_input);
  EXPECT_NE(message.find("quantile 0.5 (there are 0.1, 0.9)"), std::string::npos) << message;
}

TEST(ClimatologyStore, EverythingMissingIsNamedAtOnce) {
  const fs::path folder = scratch_dir("climatology_missing");
  const std::string path = (folder / "sample.zarr").string();
  write_zarr_sample(path, sample::file(sample::weatherbench()));
  ClimatologyStore store(path, {});
  std::string message;
  const ChannelSet channels = {{"temperature", 700}, {"geopotential", 500}, {"2m_temperature", {}}};
  EXPECT_EQ(code_of([&] { store.read(2, 6, channels, ClimatologyPart::mean); }, &message),
            ExitCode::missing_input);
  for (const std::string& word :
       {path, std::string("day 2"), std::string("hour 6 (there are 0, 12)"),
        std::string("temperature_700 (no such level)"), std::string("geopotential_500")}) {
    EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
  }
  EXPECT_EQ(code_of(
                [&] {
                  store.read(1, 0, {{"temperature", 500}}, ClimatologyPart::deviation);
                },
                &message),
            ExitCode::missing_input);
  EXPECT_NE(message.find("temperature_std_500 (no such variable)"), std::string::npos) << message;
  EXPECT_FALSE(store.has({"temperature", 500}, ClimatologyPart::quantile));
}

TEST(ClimatologyStore, FilesThatAreNoClimatology) {
  const fs::path folder = scratch_dir("climatology_damage");
  const auto refused = [&](void (*change)(SampleFile&), ExitCode code, const std::string& word) {
    for (const char* name : {"sample.zarr", "sample.nc"}) {
      SampleFile file = sample::file(sample::weatherbench());
      change(file);
      const std::string path = (folder / name).string();
      path.ends_with(".nc") ? write_netcdf_sample(path, file) : write_zarr_sample(path, file);
      std::string message;
      EXPECT_EQ(code_of([&] { ClimatologyStore(path, {}); }, &message), code);
      EXPECT_NE(message.find(word), std::string::npos) << message;
      EXPECT_NE(message.find(path), std::string::npos) << message;
    }
  };
  refused([](SampleFile& f) { f.erase("dayofyear"); }, ExitCode::missing_input, "dayofyear");
  refused([](SampleFile& f) { f.array("dayofyear").values[0] = 0; }, ExitCode::corrupt_input, "1 ... 366");
  refused([](SampleFile& f) { f.array("dayofyear").values[0] = 60; }, ExitCode::corrupt_input,
          "60 occurs twice");
  refused([](SampleFile& f) { f.array("hour").values[0] = 24; }, ExitCode::corrupt_input, "hour 24");
  refused([](SampleFile& f) { f.array("quantile").values[0] = 10; }, ExitCode::corrupt_input, "quantile 10");
  refused([](SampleFile& f) { f.erase("longitude"); }, ExitCode::missing_input, "longitude");
  ClimatologyOptions options;
  options.rename = {{"absent", "temperature"}};
  write_zarr_sample((folder / "sample.zarr").string(), sample::file(sample::weatherbench()));
  EXPECT_EQ(code_of([&] { ClimatologyStore((folder / "sample.zarr").string(), options); }),
            ExitCode::missing_input);
}

}  // namespace
}  // namespace mosaic::test
