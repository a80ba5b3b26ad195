#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "fuzz/campaign.hpp"
#include "fuzz/contained.hpp"
#include "stores/forecast_samples.hpp"
#include "stores/netcdf_document.hpp"
#include "stores/netcdf_probe.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

const std::vector<std::string> channels = {"2m_temperature", "geopotential_500", "geopotential_850"};

std::vector<float> numbers(std::size_t count, float first) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = first + static_cast<float>(i) / 4;
  }
  return values;
}

/// A small NetCDF-4 file: packed and plain fields over time, level, latitude and longitude.
std::string sample_file() {
  NetcdfDocument file;
  file.dimensions = {{"time", 2}, {"level", 2}, {"latitude", 3}, {"longitude", 4}};
  file.variables = {
      {"time", {"time"}, std::vector<std::int64_t>{0, 6}, {{"units", std::string("hours since 2020-01-01")}}},
      {"level", {"level"}, std::vector<std::int32_t>{500, 850}, {{"units", std::string("hPa")}}},
      {"latitude", {"latitude"}, std::vector<double>{30, 0, -30}, {}},
      {"longitude", {"longitude"}, std::vector<double>{0, 90, 180, 270}, {}},
      {"2m_temperature", {"time", "latitude", "longitude"}, numbers(24, 280), {}},
      {"geopotential",
       {"time", "level", "latitude", "longitude"},
       numbers(48, 5000),
       {{"scale_factor", 2.0}, {"add_offset", 1.0}}}};
  const std::string path = (scratch_dir("netcdf_sample") / "sample.nc").string();
  write_netcdf(path, file);
  return read_text(path);
}

/// Reads the file in a forked child (cheaper than a program for each of thousands). Where the library crashes
/// or hangs, the answer is that of the trial, which must refuse the file.
Contents read_contained(const std::string& path, const std::function<Contents()>& read_all, Trials& trials,
                        const std::function<void(const ProbeLimits&)>& probe) {
  if (const auto contents = read_in_child(read_all, trials)) {
    return *contents;
  }
  if (const char* folder = std::getenv("MOSAIC_KEEP_HOSTILE")) {
    std::filesystem::copy_file(path, fmt::format("{}/crash{}.nc", folder, trials.crashes + trials.hangs));
  }
  ProbeLimits limits;
  limits.cpu_seconds = 3;
  limits.program = std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_data";
  probe(limits);
  throw std::runtime_error("crashes, but not in the trial");
}

Mutation mutate_netcdf(Mutator& mutator, const Files& sample) {
  const auto& [name, good] = *sample.begin();
  switch (mutator.below(6)) {
    case 0:
      return {{{name, mutator.cut(good)}}, Allowed::nothing, "cut off"};
    case 1:
      return {{{name, mutator.inflated(good)}}, Allowed::reading, "lengths"};
    case 2:
    case 3:
      return {{{name, mutator.flipped(good, 0, good.size())}}, Allowed::reading, "bits"};
    default:
      return {{{name, mutator.changed(good)}}, Allowed::reading, "bytes"};
  }
}

struct TriedFormat {
  std::string name;
  std::string sample;
  std::function<Contents(const std::string& path)> read;
  std::function<void(const std::string& path, const ProbeLimits& limits)> probe;
};

void run(const TriedFormat& format) {
  if (std::getenv("MOSAIC_BIN") == nullptr) {
    GTEST_SKIP() << "MOSAIC_BIN is not set: no program to try files in";
  }
  Trials trials;
  const Tally tally = run_campaign({.name = format.name,
                                    .opened = "sample.nc",
                                    .sample = {{"sample.nc", format.sample}},
                                    .read =
                                        [&](const std::string& path) {
                                          return read_contained(
                                              path, [&] { return format.read(path); }, trials,
                                              [&](const ProbeLimits& limits) { format.probe(path, limits); });
                                        },
                                    .mutate = mutate_netcdf,
                                    .seconds = 30});
  fmt::print("{}: the library crashed on {} and hung on {} of {} files; a trial must refuse each\n",
             format.name, trials.crashes, trials.hangs, tally.files);
  EXPECT_GT(tally.refused, tally.files / 5);
}

TEST(HostileNetcdf, DamagedFilesAreReadOrRefused) {
  run({"netcdf", sample_file(), [](const std::string& path) { return read_netcdf_file(path, channels); },
       [](const std::string& path, const ProbeLimits& limits) { probe_netcdf(path, {}, limits); }});
}

TEST(HostileNetcdf, DamagedForecastsAreReadOrRefused) {
  const std::string path = (scratch_dir("netcdf_forecast") / "sample.nc").string();
  write_netcdf_sample(path, forecast_sample::file(forecast_sample::weatherbench()));
  run({"netcdf_forecasts", read_text(path), read_forecasts,
       [](const std::string& file, const ProbeLimits& limits) { probe_forecasts(file, {}, limits); }});
}

TEST(HostileNetcdf, DamagedClimatologiesAreReadOrRefused) {
  const std::string path = (scratch_dir("netcdf_climatology") / "sample.nc").string();
  write_netcdf_sample(path, climatology_sample::file(climatology_sample::weatherbench()));
  run({"netcdf_climatology", read_text(path), read_climatology,
       [](const std::string& file, const ProbeLimits& limits) { probe_climatology(file, {}, limits); }});
}

}  // namespace
}  // namespace mosaic::test
