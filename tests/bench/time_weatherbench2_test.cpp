// time_weatherbench2.py without WeatherBench 2: its arrays, what it asks of the package, how it refuses.
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "eval/bench_times.hpp"
#include "eval/regions.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "support/golden.hpp"
#include "support/python.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;
using kernels::Statistic;

std::string script() {
  return std::string(std::getenv("MOSAIC_SOURCE")) + "/tests/bench/time_weatherbench2.py";
}

/// Runs the script where the package `weatherbench2` is what lies in `packages`.
test::Job run_with(const fs::path& packages, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {"/usr/bin/env", "PYTHONPATH=" + packages.string(), test::python(), "-B", script()});
  return test::run_job(arguments);
}

/// The package's classes as far as the script uses them, by the definitions, with NumPy.
constexpr const char* definitions = R"(
import numpy as np
class Metric:
    def __init__(self, ensemble_dim):
        assert ensemble_dim == "realization"
    def compute_chunk(self, forecast, truth, region=None, skipna=False):
        assert forecast["field"].dtype == np.float32 and truth["field"].dtype == np.float32
        x = forecast["field"].transpose("realization", ...).values.astype(float)
        y = truth["field"].values.astype(float)
        latitude = forecast.latitude.values
        bounds = np.deg2rad(np.concatenate([[-90], (latitude[1:] + latitude[:-1]) / 2, [90]]))
        rows = np.diff(np.sin(bounds)) * region.rows(latitude)
        weights = np.outer(rows, np.ones(forecast.sizes["longitude"]))
        return {"field": (self.at_points(x, y) * weights).sum() / weights.sum()}
class CRPSSpread(Metric):
    def at_points(self, x, y):
        return abs(x[:, None] - x[None]).sum((0, 1)) / (len(x) * (len(x) - 1))
class CRPS(CRPSSpread):
    def at_points(self, x, y):
        return abs(x - y).mean(0) - 0.5 * super().at_points(x, y)
class EnsembleMeanMSE(Metric):
    def at_points(self, x, y):
        return (x.mean(0) - y) ** 2
class EnsembleVariance(Metric):
    def at_points(self, x, y):
        return x.var(0, ddof=1)
)";
constexpr const char* boxes = R"(
class SliceRegion:
    def __init__(self, lat_slice=slice(-90, 90)):
        self.slice = lat_slice
    def rows(self, latitude):
        return (latitude >= self.slice.start) & (latitude <= self.slice.stop)
class ExtraTropicalRegion:
    def rows(self, latitude):
        return abs(latitude) >= 20
)";

fs::path package(const std::string& name, const std::string& start) {
  const fs::path folder = test::scratch_dir(name);
  fs::create_directories(folder / "weatherbench2");
  write_text((folder / "weatherbench2/__init__.py").string(), start);
  write_text((folder / "weatherbench2/metrics.py").string(), definitions);
  write_text((folder / "weatherbench2/regions.py").string(), boxes);
  return folder;
}

TEST(TimeWeatherbench2, FieldsAreThoseOfTheBench) {
  PYTHON_OR_SKIP("numpy");
  const test::Job job = test::run_python(
      "import sys, pathlib; sys.dont_write_bytecode = True\n"
      "sys.path.insert(0, str(pathlib.Path(sys.argv[1]).parent)); import time_weatherbench2 as script\n"
      "print(*script.random_field(2000, 7).view('<u4'))",
      {script()});
  ASSERT_EQ(job.code, 0) << job.output;
  std::istringstream numbers(job.output);
  std::vector<std::uint32_t> fields;
  for (std::uint32_t bits = 0; numbers >> bits;) {
    fields.push_back(bits);
  }
  std::vector<std::uint32_t> expected;
  for (const float value : eval::random_field(2000, 7)) {
    expected.push_back(std::bit_cast<std::uint32_t>(value));
  }
  EXPECT_EQ(fields, expected);
}

/// Members, truth, grid, metrics and regions in one: the definitions give our statistics of the same fields.
TEST(TimeWeatherbench2, ScoresTheSameEnsembleOverTheSameRegions) {
  PYTHON_OR_SKIP("numpy, xarray");
  const fs::path folder = package("wb2_scores", "");
  const test::Job job = run_with(folder, {"--longitudes", "12", "--latitudes", "25", "--members", "5",
                                          "--fields", "2", "--repeats", "1", "--json"});
  ASSERT_EQ(job.code, 0) << job.output;
  const auto json = nlohmann::json::parse(job.output);
  EXPECT_NEAR(json.at("microseconds_per_member").get<double>(), 1e6 * json.at("seconds").get<double>() / 10,
              1e-6 * json.at("microseconds_per_member").get<double>());

  const LatLonGrid grid = LatLonGrid::with_poles(12, 25);
  const std::vector<float> truth = eval::random_field(grid.points(), 1);
  std::vector<std::vector<float>> fields;
  std::vector<const float*> members;
  for (unsigned seed = 3; seed < 8; ++seed) {
    fields.push_back(eval::random_field(grid.points(), seed));
    members.push_back(fields.back().data());
  }
  std::vector<kernels::AreaMask> areas;
  for (std::size_t r = 0; r < 4; ++r) {
    areas.push_back(eval::area_mask(eval::known_regions()[r], grid, nullptr));
  }
  std::vector<kernels::Statistics> means(areas.size());
  kernels::ensemble_statistics({.members = members,
                                .truth = truth.data(),
                                .latitudes = grid.latitude.size(),
                                .longitudes = grid.longitude.size(),
                                .areas = areas,
                                .means = means},
                               kernels::EnsembleStatisticsBackend::reference);
  for (std::size_t r = 0; r < areas.size(); ++r) {
    const std::string region = eval::known_regions()[r].name;
    const auto score = [&](const char* metric) {
      return json.at("scores_of_first_field").at(metric).at(region).get<double>();
    };
    // Both add up fewer than 1e4 numbers of order 10 in double.
    constexpr double rounding = 1e-10;
    const double spread = at(means[r], Statistic::spread);
    EXPECT_NEAR(score("CRPSSpread"), spread, rounding) << region;
    EXPECT_NEAR(score("CRPS"), at(means[r], Statistic::absolute_error) - 0.5 * spread, rounding) << region;
    EXPECT_NEAR(score("EnsembleMeanMSE"), at(means[r], Statistic::ensemble_mean_squared_error), rounding)
        << region;
    EXPECT_NEAR(score("EnsembleVariance"), at(means[r], Statistic::variance), rounding) << region;
  }
}

TEST(TimeWeatherbench2, TheTableHasTheBenchsRows) {
  PYTHON_OR_SKIP("numpy, xarray");
  const fs::path folder = package("wb2_table", "");
  const test::Job job = run_with(folder, {"--longitudes", "8", "--latitudes", "5", "--members", "3",
                                          "--fields", "2", "--regions", "1", "--repeats", "1"});
  ASSERT_EQ(job.code, 0) << job.output;
  for (const char* words :
       {"2 fields of 3 members on 8 x 5, 1 regions", "| all fields ", "| per member and field ",
        "| per member and field, EnsembleVariance alone ", "load average"}) {
    EXPECT_EQ(test::count_of(job.output, words), 1U) << words << "\n" << job.output;
  }
}

TEST(TimeWeatherbench2, WithoutThePackageItSaysHowToGetIt) {
  PYTHON_OR_SKIP("numpy");
  const fs::path folder = package("wb2_absent", "raise ImportError('not here')");
  const test::Job job = run_with(folder, {"--fields", "1"});
  EXPECT_EQ(job.code, 66) << job.output;
  EXPECT_EQ(test::count_of(job.output, "pip install git+https://"), 1U) << job.output;
  EXPECT_EQ(test::count_of(job.output, "Traceback"), 0U) << job.output;
}

TEST(TimeWeatherbench2, BadFlagsEndWith64) {
  PYTHON_OR_SKIP("numpy");
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--members", "0"}, {"--latitudes", "3"}, {"--regions", "5"}, {"--fields", "two"}, {"surplus"}}) {
    const test::Job job = run_with("/nonexistent", arguments);
    EXPECT_EQ(job.code, 64) << arguments.front() << "\n" << job.output;
  }
}

}  // namespace
}  // namespace mosaic
