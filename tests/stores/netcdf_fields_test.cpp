#include "stores/netcdf_fields.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "stores/netcdf_document.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

using test::code_of;

namespace fs = std::filesystem;

constexpr std::int32_t packed_fill = -32767;

/// A number that names its variable, day, level and place; whole, so that packing is exact.
double value_at(int variable, int day, int level, double latitude, double longitude) {
  return 4000 * variable + 2000 * day + level + 10 * latitude + longitude / 10;
}

NetcdfAttributes units(const std::string& text) { return {{"units", text}}; }

/// North to south, longitudes from -180, t as (time, pressure_level in Pa, lon, lat) packed into integers.
NetcdfDocument awkward_file(int first_day) {
  NetcdfDocument file;
  const std::vector<double> latitudes = {30, 0, -30};
  const std::vector<double> longitudes = {-180, -90, 0, 90};
  file.dimensions = {{"valid_time", 2}, {"pressure_level", 2}, {"lon", 4}, {"lat", 3}};
  file.variables = {{"valid_time",
                     {"valid_time"},
                     std::vector<std::int64_t>{first_day, first_day + 1},
                     units("days since 2020-01-01")},
                    {"pressure_level", {"pressure_level"}, std::vector<double>{85000, 50000}, units("Pa")},
                    {"lon", {"lon"}, longitudes, units("degrees_east")},
                    {"lat", {"lat"}, latitudes, units("degrees_north")}};
  std::vector<std::int32_t> t;
  std::vector<float> t2m;
  for (int day = first_day; day < first_day + 2; ++day) {
    for (const int level : {850, 500}) {
      for (const double longitude : longitudes) {
        for (const double latitude : latitudes) {
          const double east = longitude < 0 ? longitude + 360 : longitude;
          const bool missing = level == 500 && latitude == 0 && longitude == 90;
          t.push_back(missing
                          ? packed_fill
                          : static_cast<std::int32_t>(2 * (value_at(0, day, level, latitude, east) - 100)));
        }
      }
    }
    for (const double latitude : latitudes) {
      for (const double longitude : longitudes) {
        const double east = longitude < 0 ? longitude + 360 : longitude;
        t2m.push_back(static_cast<float>(value_at(1, day, 0, latitude, east)));
      }
    }
  }
  file.variables.push_back(
      {"t",
       {"valid_time", "pressure_level", "lon", "lat"},
       t,
       {{"scale_factor", 0.5}, {"add_offset", 100.0}, {"_FillValue", std::int64_t{packed_fill}}}});
  file.variables.push_back({"2m_temperature", {"valid_time", "lat", "lon"}, t2m, {}});
  file.variables.push_back({"orography", {"lat", "lon"}, std::vector<float>(12, 7.0F), {}});
  return file;
}

std::shared_ptr<const ChannelSet> channel_set(std::initializer_list<const char*> names) {
  ChannelSet channels;
  for (const char* name : names) {
    channels.push_back(parse_channel(name));
  }
  return std::make_shared<const ChannelSet>(channels);
}

TEST(NetcdfFields, EveryAxisIsNormalisedByCoordinate) {
  const auto folder = test::scratch_dir("netcdf_fields");
  write_netcdf((folder / "b.nc").string(), awkward_file(2));
  write_netcdf((folder / "a.nc").string(), awkward_file(0));
  const auto store = open_netcdf_fields((folder / "*.nc").string(), {});
  EXPECT_EQ(store->grid().latitude, (std::vector<double>{-30, 0, 30}));
  EXPECT_EQ(store->grid().longitude, (std::vector<double>{0, 90, 180, 270}));
  ASSERT_EQ(store->times().size(), 4U);
  EXPECT_EQ(to_string(store->times().back()), "2020-01-04T00");

  const auto channels = channel_set({"temperature_500", "2m_temperature", "temperature_850"});
  for (int day = 0; day < 4; ++day) {
    const State state = store->read(store->times()[static_cast<std::size_t>(day)], channels);
    for (std::size_t j = 0; j < 3; ++j) {
      for (std::size_t i = 0; i < 4; ++i) {
        const double latitude = store->grid().latitude[j];
        const double longitude = store->grid().longitude[i];
        const float t500 = state.field(0)[j * 4 + i];
        if (latitude == 0 && longitude == 90) {
          EXPECT_TRUE(std::isnan(t500)) << "the fill value became " << t500;
        } else {
          EXPECT_EQ(t500, value_at(0, day, 500, latitude, longitude));
        }
        EXPECT_EQ(state.field(1)[j * 4 + i], value_at(1, day, 0, latitude, longitude));
        EXPECT_EQ(state.field(2)[j * 4 + i], value_at(0, day, 850, latitude, longitude));
      }
    }
  }
  EXPECT_EQ(store->read_static("orography"), std::vector<float>(12, 7.0F));
  EXPECT_TRUE(store->has(parse_channel("temperature_850")));
  EXPECT_FALSE(store->has(parse_channel("temperature_700")));
}

TEST(NetcdfFields, EverythingMissingIsNamedAtOnce) {
  const auto folder = test::scratch_dir("netcdf_fields_missing");
  const std::string path = (folder / "a.nc").string();
  write_netcdf(path, awkward_file(0));
  const auto store = open_netcdf_fields(path, {});
  std::string message;
  const auto channels = channel_set({"temperature_700", "geopotential_500", "temperature_850"});
  EXPECT_EQ(code_of([&] { store->read(parse_time("2021-01-01"), channels); }, &message),
            ExitCode::missing_input);
  for (const char* part : {"2021-01-01T00", "temperature_700", "geopotential_500", "a.nc"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  EXPECT_EQ(message.find("temperature_850"), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { open_netcdf_fields((folder / "x*.nc").string() + "," + path, {}); }, &message),
            ExitCode::missing_input);
  EXPECT_NE(message.find("x*.nc"), std::string::npos) << message;
}

TEST(NetcdfFields, OverlappingTimesAndOtherGridsAreRefused) {
  const auto folder = test::scratch_dir("netcdf_fields_join");
  write_netcdf((folder / "a.nc").string(), awkward_file(0));
  write_netcdf((folder / "b.nc").string(), awkward_file(1));
  EXPECT_EQ(code_of([&] { open_netcdf_fields((folder / "*.nc").string(), {}); }), ExitCode::corrupt_input);
  NetcdfDocument other = awkward_file(5);
  other.variables[3].values = std::vector<double>{31, 0, -30};
  write_netcdf((folder / "b.nc").string(), other);
  EXPECT_EQ(code_of([&] { open_netcdf_fields((folder / "*.nc").string(), {}); }), ExitCode::corrupt_input);
}

TEST(NetcdfFields, MembersLeadsAndScalarCoordinates) {
  const auto folder = test::scratch_dir("netcdf_fields_members");
  const std::string path = (folder / "a.nc").string();
  NetcdfDocument file;
  file.dimensions = {{"number", 2}, {"step", 1}, {"latitude", 1}, {"longitude", 2}};
  file.variables = {{"number", {"number"}, std::vector<std::int32_t>{5, 3}, {}},
                    {"step", {"step"}, std::vector<std::int64_t>{6}, units("hours")},
                    {"time", {}, std::vector<std::int64_t>{24}, units("hours since 2020-01-01")},
                    {"isobaricInhPa", {}, std::vector<std::int32_t>{500}, units("hPa")},
                    {"latitude", {"latitude"}, std::vector<double>{0}, {}},
                    {"longitude", {"longitude"}, std::vector<double>{0, 180}, {}},
                    {"z", {"step", "number", "latitude", "longitude"}, std::vector<float>{1, 2, 3, 4}, {}}};
  write_netcdf(path, file);
  FieldStoreOptions options;
  EXPECT_EQ(code_of([&] { open_netcdf_fields(path, options); }), ExitCode::missing_input);
  options.member = 4;
  EXPECT_EQ(code_of([&] { open_netcdf_fields(path, options); }), ExitCode::missing_input);
  options.member = 3;
  const auto store = open_netcdf_fields(path, options);
  const State state = store->read(parse_time("2020-01-02T06"), channel_set({"geopotential_500"}));
  EXPECT_EQ(state.values, (std::vector<float>{3, 4}));
  options.member = 5;
  EXPECT_NE(open_netcdf_fields(path, options)->identity(), store->identity());
}

}  // namespace
}  // namespace mosaic
