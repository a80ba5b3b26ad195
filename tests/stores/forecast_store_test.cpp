#include "stores/forecast_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>
#include <set>

#include "base/error.hpp"
#include "forecast_samples.hpp"
#include "support/golden.hpp"
#include "support/python.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;
namespace sample = forecast_sample;

void expect_sample(ForecastStore& store, bool with_members = true) {
  EXPECT_EQ(store.grid(), sample::grid);
  EXPECT_EQ(store.initial_times(), sample::times);
  EXPECT_EQ(store.leads(), sample::leads);
  EXPECT_EQ(store.member_numbers(), with_members ? sample::members : std::vector<std::int64_t>{0});
  const auto chosen = with_members ? std::vector<std::size_t>{0, 1, 2} : std::vector<std::size_t>{0};
  for (std::size_t t = 0; t < sample::times.size(); ++t) {
    for (std::size_t l = 0; l < sample::leads.size(); ++l) {
      EXPECT_TRUE(store.has_time(sample::times[t], sample::leads[l]));
      ASSERT_EQ(store.read(sample::times[t], sample::leads[l], sample::channels),
                sample::expected(t, l, sample::channels, chosen));
    }
  }
}

TEST(ForecastStore, AnyOrderOfDimensionsGivesTheSame) {
  const fs::path folder = scratch_dir("forecast_orders");
  std::mt19937 random(5);
  for (int trial = 0; trial < 60; ++trial) {
    Spelling spelling = sample::weatherbench();
    std::shuffle(spelling.order.begin(), spelling.order.end(), random);
    spelling.north_first = trial % 2 == 1;
    spelling.from_minus_180 = trial / 2 % 2 == 1;
    std::map<std::string, std::size_t> chunks;
    for (const auto& [role, name] : spelling.names) {
      chunks[name] = 1 + random() % 4;  // 4 is more than some have
    }
    const SampleFile file = sample::file(spelling);
    SCOPED_TRACE(trial);
    ForecastStoreOptions options;
    options.threads = 1 + trial % 3;
    if (trial % 3 == 0) {
      write_netcdf_sample((folder / "sample.nc").string(), file);
      expect_sample(*open_forecast_store((folder / "sample.nc").string(), options));
    } else {
      write_zarr_sample((folder / "sample.zarr").string(), file, chunks);
      expect_sample(*open_forecast_store((folder / "sample.zarr").string(), options));
    }
  }
}

TEST(ForecastStore, EveryNameOfACoordinateIsKnown) {
  const fs::path folder = scratch_dir("forecast_names");
  for (const AxisRole role : {AxisRole::time, AxisRole::lead, AxisRole::member, AxisRole::level,
                              AxisRole::latitude, AxisRole::longitude}) {
    for (const std::string& name : axis_names(role)) {
      SCOPED_TRACE(name);
      Spelling spelling = sample::weatherbench();
      spelling.names[role] = name;
      write_zarr_sample((folder / "sample.zarr").string(), sample::file(spelling));
      expect_sample(*open_forecast_store((folder / "sample.zarr").string(), {}));
      write_netcdf_sample((folder / "sample.nc").string(), sample::file(spelling));
      expect_sample(*open_forecast_store((folder / "sample.nc").string(), {}));
    }
  }
}

TEST(ForecastStore, OtherNamesAreRenamed) {
  const fs::path folder = scratch_dir("forecast_rename");
  Spelling spelling = sample::weatherbench();
  spelling.names[AxisRole::time] = "start";
  spelling.names[AxisRole::level] = "pressure";
  SampleFile file = sample::file(spelling);
  file.array("2m_temperature").name = "t2m";  // CF names need no renaming
  file.array("geopotential").name = "Z";
  ForecastStoreOptions options;
  options.rename = {{"start", "time"}, {"pressure", "level"}, {"Z", "geopotential"}};
  for (const char* name : {"sample.nc", "sample.zarr"}) {
    const std::string path = (folder / name).string();
    path.ends_with(".nc") ? write_netcdf_sample(path, file) : write_zarr_sample(path, file);
    expect_sample(*open_forecast_store(path, options));
  }
}

TEST(ForecastStore, LeadTimesInEveryUnit) {
  const std::string path = (scratch_dir("forecast_units") / "sample.zarr").string();
  const std::vector<std::pair<std::string, double>> units = {
      {"hours", 1.0},      {"h", 1.0},
      {"days", 1.0 / 24},  {"minutes", 60.0},
      {"seconds", 3600.0}, {"milliseconds", 3.6e6},
      {"ns", 3.6e12},      {"nanoseconds", 3.6e12},
      {"", 3.6e12}};  // without units: raw timedelta64[ns]
  for (const auto& [unit, per_hour] : units) {
    SCOPED_TRACE(unit);
    Spelling spelling = sample::weatherbench();
    spelling.lead_units = unit;
    spelling.leads_per_hour = per_hour;
    write_zarr_sample(path, sample::file(spelling));
    expect_sample(*open_forecast_store(path, {}));
  }
}

TEST(ForecastStore, DeterministicForecastsHaveOneMember) {
  const fs::path folder = scratch_dir("forecast_deterministic");
  Spelling spelling = sample::weatherbench();
  std::erase(spelling.order, AxisRole::member);
  write_zarr_sample((folder / "sample.zarr").string(), sample::file(spelling));
  expect_sample(*open_forecast_store((folder / "sample.zarr").string(), {}), false);
  write_netcdf_sample((folder / "sample.nc").string(), sample::file(spelling));
  expect_sample(*open_forecast_store((folder / "sample.nc").string(), {}), false);
}

TEST(ForecastStore, ChosenMembersInTheOrderAskedFor) {
  const fs::path folder = scratch_dir("forecast_members");
  for (const std::size_t chunk : {1U, 2U, 3U}) {
    write_zarr_sample((folder / "sample.zarr").string(), sample::file(sample::weatherbench()),
                      {{"number", chunk}});
    ForecastStoreOptions options;
    options.members = {5, 7};
    const auto store = open_forecast_store((folder / "sample.zarr").string(), options);
    EXPECT_EQ(store->members(), 2);
    EXPECT_EQ(store->read(sample::times[1], sample::leads[2], sample::channels),
              sample::expected(1, 2, sample::channels, {2, 0}));
  }
}

TEST(ForecastStore, MembersWithoutCoordinateCountFromZero) {
  const std::string path = (scratch_dir("forecast_unnumbered") / "sample.zarr").string();
  SampleFile file = sample::file(sample::weatherbench());
  file.erase("number");
  write_zarr_sample(path, file);
  const auto store = open_forecast_store(path, {});
  EXPECT_EQ(store->member_numbers(), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(store->read(sample::times[0], sample::leads[1], sample::channels),
            sample::expected(0, 1, sample::channels, {0, 1, 2}));
}

TEST(ForecastStore, TheIdentityFollowsEverythingThatChangesWhatIsRead) {
  const fs::path folder = scratch_dir("forecast_identity");
  const auto identity = [&](const SampleFile& file, const ForecastStoreOptions& options) {
    write_zarr_sample((folder / "sample.zarr").string(), file);
    return open_forecast_store((folder / "sample.zarr").string(), options)->identity();
  };
  const SampleFile file = sample::file(sample::weatherbench());
  std::set<std::string> identities = {identity(file, {})};
  EXPECT_EQ(identities.count(identity(file, {})), 1U);
  for (const char* name : {"time", "prediction_timedelta", "number", "level", "latitude"}) {
    SampleFile other = file;
    other.array(name).values.back() += 1;
    EXPECT_TRUE(identities.insert(identity(other, {})).second) << name;
  }
  ForecastStoreOptions options;
  options.members = {5, 7};
  EXPECT_TRUE(identities.insert(identity(file, options)).second);
  options = {};
  options.rename = {{"geopotential", "temperature"}};
  EXPECT_TRUE(identities.insert(identity(file, options)).second);
}

/// As xarray writes them by default: raw nanoseconds, compressed, float64 with NaN as fill.
TEST(ForecastStore, FilesOfXarrayAreRead) {
  PYTHON_OR_SKIP("xarray, zarr, netCDF4");
  const fs::path folder = scratch_dir("forecast_xarray");
  const Job job = run_python(R"(
import sys
import numpy, xarray
dims = ("realization", "init_time", "lead_time", "longitude", "level", "latitude")
values = numpy.arange(288, dtype="f8").reshape(2, 2, 3, 4, 2, 3)
data = xarray.Dataset(
    {"geopotential": (dims, values)},
    coords={"realization": [3, 1],
            "init_time": numpy.array(["2020-02-28T12", "2020-03-01"], "datetime64[ns]"),
            "lead_time": numpy.array([6, 24, 30], "timedelta64[h]").astype("timedelta64[ns]"),
            "level": [850, 500], "latitude": [60.0, 0.0, -60.0], "longitude": [-180.0, -90.0, 0.0, 90.0]})
data.to_netcdf(sys.argv[1] + "/sample.nc")
data.to_zarr(sys.argv[1] + "/sample.zarr", zarr_format=2)
)",
                             {folder.string()});
  ASSERT_EQ(job.code, 0) << job.output;
  for (const char* name : {"sample.nc", "sample.zarr"}) {
    const auto store = open_forecast_store((folder / name).string(), {});
    EXPECT_EQ(store->grid(), sample::grid);
    EXPECT_EQ(store->initial_times(), sample::times);
    EXPECT_EQ(store->leads(), sample::leads);
    EXPECT_EQ(store->member_numbers(), (std::vector<std::int64_t>{3, 1}));
    const auto values = store->read(sample::times[1], sample::leads[2], {{"geopotential", 500}});
    for (std::size_t m = 0; m < 2; ++m) {
      for (std::size_t j = 0; j < 3; ++j) {
        for (std::size_t i = 0; i < 4; ++i) {
          const std::size_t stored = ((((m * 2 + 1) * 3 + 2) * 4 + (i + 2) % 4) * 2 + 1) * 3 + (2 - j);
          EXPECT_EQ(values[(m * 3 + j) * 4 + i], static_cast<float>(stored));
        }
      }
    }
  }
}

/// Members, initial times and leads spread over files, with holes.
TEST(ForecastStore, ManyFilesAreOneStore) {
  const fs::path folder = scratch_dir("forecast_files");
  const auto write = [&](const std::string& name, std::vector<double> hours, std::vector<double> leads) {
    Spelling spelling = sample::weatherbench();
    std::erase(spelling.order, AxisRole::member);
    SampleFile file = sample::file(spelling);
    file.array("time").values = std::move(hours);
    file.array("prediction_timedelta").values = std::move(leads);
    write_netcdf_sample((folder / name).string(), file);
  };
  write("b.nc", {24, 0}, {12, 6, 18});
  write("a.nc", {24, 48}, {36, 24, 30});
  const auto store = open_forecast_store((folder / "*.nc").string(), {});
  EXPECT_EQ(store->initial_times(),
            (std::vector{parse_time("2020-01-01"), parse_time("2020-01-02"), parse_time("2020-01-03")}));
  EXPECT_EQ(store->leads().size(), 6U);
  EXPECT_TRUE(store->has_time(parse_time("2020-01-02"), Duration::hours(6)));
  EXPECT_TRUE(store->has_time(parse_time("2020-01-02"), Duration::hours(24)));
  EXPECT_FALSE(store->has_time(parse_time("2020-01-01"), Duration::hours(24)));
  EXPECT_EQ(store->read(parse_time("2020-01-02"), Duration::hours(6), sample::channels),
            sample::expected(0, 1, sample::channels, {0}));
  EXPECT_EQ(store->read(parse_time("2020-01-03"), Duration::hours(36), sample::channels),
            sample::expected(1, 0, sample::channels, {0}));
  const auto list = open_forecast_store((folder / "b.nc").string() + "," + (folder / "a.nc").string(), {});
  EXPECT_EQ(list->initial_times(), store->initial_times());
}

TEST(ForecastStore, ScalarCoordinatesOfOneForecast) {
  const std::string path = (scratch_dir("forecast_scalars") / "one.nc").string();
  SampleFile file;
  file.dimensions = {{"step", 2}, {"latitude", 1}, {"longitude", 2}};
  file.arrays = {{"step", {"step"}, {6, 12}, false, {{"units", "hours"}}},
                 {"time", {}, {24}, false, {{"units", "hours since 2020-01-01"}}},
                 {"valid_time", {"step"}, {30, 36}, false, {{"units", "hours since 2020-01-01"}}},
                 {"number", {}, {3}, false, {}},
                 {"isobaricInhPa", {}, {500}, false, {{"units", "hPa"}}},
                 {"latitude", {"latitude"}, {0}, false, {}},
                 {"longitude", {"longitude"}, {0, 180}, false, {}},
                 {"z", {"step", "latitude", "longitude"}, {1, 2, 3, 4}, true, {}}};
  write_netcdf_sample(path, file);
  const auto store = open_forecast_store(path, {});
  EXPECT_EQ(store->initial_times(), std::vector{parse_time("2020-01-02")});
  EXPECT_EQ(store->member_numbers(), std::vector<std::int64_t>{3});
  EXPECT_EQ(store->read(parse_time("2020-01-02"), Duration::hours(12), {{"geopotential", 500}}),
            (std::vector<float>{3, 4}));
}

TEST(ForecastStore, PackedAndMissingValues) {
  const std::string path = (scratch_dir("forecast_packed") / "one.nc").string();
  SampleFile file;
  file.dimensions = {{"step", 1}, {"latitude", 1}, {"longitude", 3}};
  file.arrays = {{"step", {"step"}, {6}, false, {{"units", "hours"}}},
                 {"time", {}, {0}, false, {{"units", "hours since 2020-01-01"}}},
                 {"latitude", {"latitude"}, {0}, false, {}},
                 {"longitude", {"longitude"}, {0, 120, 240}, false, {}},
                 {"sst", {"step", "latitude", "longitude"}, {280, 9.969209968386869e36, 281}, true, {}}};
  write_netcdf_sample(path, file);
  const auto store = open_forecast_store(path, {});
  const auto values =
      store->read(parse_time("2020-01-01"), Duration::hours(6), {{"sea_surface_temperature", {}}});
  EXPECT_EQ(values[0], 280.0F);
  EXPECT_TRUE(std::isnan(values[1])) << "what the library answers where nothing was written";
}

}  // namespace
}  // namespace mosaic::test
