// mosaic_evaluate on the stores of the golden set, against the scores of the original implementations.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "end_to_end/hindcast_runs.hpp"
#include "eval/golden_table.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::Job;

struct Case {
  std::string name;
  std::string needs;      ///< further files of the golden set, with commas
  std::string arguments;  ///< FOLDER stands for the folder of the golden set
  std::string table;
  std::string suite, extra;
  std::vector<std::string> metrics;  ///< must all be compared, over the whole globe
};

const std::string regions =
    "--set score.regions=global,tropics,extra-tropics,northern-hemisphere,southern-hemisphere,europe,"
    "north-america,north-atlantic,north-pacific,east-asia,ausnz,arctic,antarctic,global_land,tropics_land,"
    "extra-tropics_land ";
const std::string ensemble = "--forecast FOLDER/ensemble.zarr --truth FOLDER/truth.zarr " + regions;
const std::string deterministic = "--forecast FOLDER/deterministic.zarr --truth FOLDER/truth.zarr " + regions;
const std::string baseline_times =
    "--set forecast.lead_times=0h,24h,72h,120h --start 2020-02-21T00 --end 2020-03-02T12 --set "
    "times.step=36h ";
const std::string baseline_channels =
    "--set score.channels=geopotential_500,geopotential_700,geopotential_850,temperature_500,temperature_700,"
    "temperature_850,2m_temperature,mean_sea_level_pressure ";
const std::string sst = "--set score.channels=sea_surface_temperature ";

const std::vector<std::string> ensemble_scores = {"crps",
                                                  "crps_skill",
                                                  "crps_spread",
                                                  "debiased_ensemble_mean_mse",
                                                  "energy_score",
                                                  "energy_score_skill",
                                                  "energy_score_spread",
                                                  "ensemble_mean_mse",
                                                  "ensemble_mean_rmse",
                                                  "ensemble_mean_rmse_sqrt_before_time_avg",
                                                  "ensemble_stddev",
                                                  "ensemble_stddev_sqrt_before_time_avg",
                                                  "ensemble_variance",
                                                  "spread_skill_fortin",
                                                  "spread_skill_raw",
                                                  "spread_skill_unbiased"};

/// Runs it; fails the test if the program does.
void evaluate(int ranks, const std::string& arguments, const fs::path& out) {
  const Job job = test::shell(test::launcher(ranks) + test::program("mosaic_evaluate") + " " + arguments +
                              " --out " + out.string());
  EXPECT_EQ(job.code, 0) << arguments << "\n" << job.output;
}

/// The numbers of thresholds.nc at a quantile in the layout of metrics.nc.
NetcdfDocument at_quantile(const NetcdfDocument& thresholds, std::size_t quantile) {
  NetcdfDocument slice = thresholds;
  const std::size_t quantiles = thresholds.dimension("quantile");
  for (NetcdfVariable& variable : slice.variables) {
    if (variable.dimensions.size() > 1 && variable.dimensions.back() == "quantile") {
      auto& values = std::get<std::vector<double>>(variable.values);
      for (std::size_t k = 0; k * quantiles < values.size(); ++k) {
        values[k] = values[k * quantiles + quantile];
      }
      values.resize(values.size() / quantiles);
      variable.dimensions.pop_back();
    }
  }
  return slice;
}

/// FOLDER becomes the folder of the golden set.
std::string in_folder(std::string arguments, const fs::path& table) {
  for (std::size_t at = 0; (at = arguments.find("FOLDER")) != std::string::npos;) {
    arguments.replace(at, 6, table.parent_path().parent_path().string());
  }
  return arguments;
}

class EvaluateGolden : public testing::TestWithParam<Case> {};

TEST_P(EvaluateGolden, has_the_published_scores_on_any_number_of_ranks) {
  const Case& which = GetParam();
  const std::string folder = "eval/" + which.name.substr(0, which.name.find('_'));
  GOLDEN_OR_SKIP(table, folder + "/expected/" + which.table);
  std::istringstream needed(which.needs);
  for (std::string file; std::getline(needed, file, ',');) {
    GOLDEN_OR_SKIP(store, folder + "/" + file);
  }
  const std::vector<eval::Row> rows = eval::read_rows(table, which.suite, which.extra);
  if (rows.empty()) {
    GTEST_SKIP() << "golden data absent: suite " << which.suite << " of " << table.string();
  }
  const std::string arguments = in_folder(which.arguments, table);
  const fs::path out = test::scratch_dir("evaluate_" + which.name);
  std::map<std::string, NetcdfDocument> documents;
  evaluate(0, arguments, out / "alone");
  if (HasFailure()) {
    return;
  }
  documents[""] = read_netcdf((out / "alone" / "metrics.nc").string());
  const eval::Comparison result = eval::compare(rows, documents);
  EXPECT_EQ(result.wrong, 0U) << "of " << result.rows << "; first: " << result.first_wrong;
  for (const std::string& metric : which.metrics) {
    EXPECT_TRUE(result.keys.contains(metric + " global")) << metric;
  }
  for (const int ranks : {2, 4}) {
    const fs::path there = out / std::to_string(ranks);
    evaluate(ranks, arguments, there);
    test::expect_same_results(out / "alone", there);
  }
}

class EvaluateThresholds : public testing::TestWithParam<std::string> {};

TEST_P(EvaluateThresholds, are_the_published_ones_on_any_number_of_ranks) {
  GOLDEN_OR_SKIP(table, "eval/small/expected/scores_wb2.csv");
  for (const char* file : {"truth.zarr", "ensemble.zarr", "climatology.zarr"}) {
    GOLDEN_OR_SKIP(store, std::string("eval/small/") + file);
  }
  const fs::path out = test::scratch_dir("evaluate_thresholds_" + GetParam());
  const std::string arguments =
      in_folder(ensemble + "--climatology FOLDER/climatology.zarr --set score.percentiles=90,10,50 ", table) +
      "--set score.channels=2m_temperature --set score.percentile_values=" + GetParam();
  evaluate(0, arguments, out / "alone");
  if (HasFailure()) {
    return;
  }
  const NetcdfDocument metrics = read_netcdf((out / "alone" / "metrics.nc").string());
  const NetcdfDocument thresholds = read_netcdf((out / "alone" / "thresholds.nc").string());
  const auto& quantiles = std::get<std::vector<double>>(thresholds.variable("quantile").values);
  std::set<std::string> keys;
  const auto expect_same = [&](const std::string& extra, const NetcdfDocument& document) {
    const std::vector<eval::Row> rows = eval::read_rows(table, "threshold", extra);
    ASSERT_FALSE(rows.empty()) << extra;
    const eval::Comparison result = eval::compare(rows, {{"", document}});
    EXPECT_EQ(result.wrong, 0U) << "of " << result.rows << "; first: " << result.first_wrong;
    EXPECT_GT(result.rows, 0U) << extra;
    keys.insert(result.keys.begin(), result.keys.end());
  };
  for (std::size_t q = 0; q < quantiles.size(); ++q) {
    expect_same(fmt::format("{}_quantile quantile={}", GetParam(), quantiles[q]), at_quantile(thresholds, q));
  }
  expect_same(GetParam() + "_quantile", metrics);
  for (const char* metric : {"brier_score", "debiased_brier_score", "ignorance", "rps"}) {
    EXPECT_TRUE(keys.contains(std::string(metric) + " global")) << metric;
  }
  for (const int ranks : {2, 4}) {
    const fs::path there = out / std::to_string(ranks);
    evaluate(ranks, arguments, there);
    test::expect_same_results(out / "alone", there);
  }
}

INSTANTIATE_TEST_SUITE_P(kinds, EvaluateThresholds, testing::Values("stored", "gaussian"),
                         [](const auto& info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(
    suites, EvaluateGolden,
    testing::Values(Case{"small_deterministic",
                         "truth.zarr,deterministic.zarr",
                         deterministic,
                         "scores_wb2.csv",
                         "deterministic",
                         "",
                         {"mse", "mae", "bias", "rmse", "rmse_sqrt_before_time_avg"}},
                    Case{"small_ensemble", "truth.zarr,ensemble.zarr", ensemble, "scores_wb2.csv",
                         "probabilistic", "", ensemble_scores},
                    Case{"medium_ensemble", "truth.zarr,ensemble.zarr", ensemble, "scores_wb2.csv",
                         "probabilistic", "", ensemble_scores},
                    Case{"small_acc",
                         "truth.zarr,deterministic.zarr,climatology.zarr",
                         deterministic + "--climatology FOLDER/climatology.zarr ",
                         "scores_wb2.csv",
                         "acc",
                         "",
                         {"acc"}},
                    Case{"small_persistence",
                         "truth.zarr,climatology.zarr",
                         "--set forecast.kind=persistence --truth FOLDER/truth.zarr --climatology "
                         "FOLDER/climatology.zarr " +
                             baseline_channels + regions + baseline_times,
                         "scores_wb2.csv",
                         "persistence_baseline",
                         "",
                         {"mse", "acc"}},
                    Case{"small_climatology",
                         "truth.zarr,climatology.zarr",
                         "--set forecast.kind=climatology --truth FOLDER/truth.zarr --climatology "
                         "FOLDER/climatology.zarr " +
                             baseline_channels + regions + baseline_times,
                         "scores_wb2.csv",
                         "climatology_baseline",
                         "",
                         {"mse", "mae", "bias"}},
                    Case{"small_years",
                         "truth.zarr,years.zarr",
                         "--set forecast.kind=probabilistic-climatology --forecast FOLDER/years.zarr --truth "
                         "FOLDER/truth.zarr --set forecast.years=2016,2017,2018,2019 --set "
                         "score.channels=2m_temperature " +
                             regions + baseline_times,
                         "scores_wb2.csv",
                         "probabilistic_climatology",
                         "members 2016..2019, skipna=False",
                         {"crps", "ensemble_variance"}},
                    Case{"small_nan",
                         "truth.zarr,deterministic.zarr",
                         deterministic + sst,
                         "scores_wb2.csv",
                         "nan_deterministic",
                         "skipna=False",
                         {"mse"}},
                    Case{"small_skipna",
                         "truth.zarr,deterministic.zarr",
                         deterministic + sst + "--set score.skipna=true ",
                         "scores_wb2.csv",
                         "nan_deterministic",
                         "skipna=True",
                         {"mse", "mae", "bias"}},
                    Case{"small_skipna_ensemble",
                         "truth.zarr,ensemble.zarr",
                         ensemble + sst + "--set score.skipna=true ",
                         "scores_wb2.csv",
                         "nan_probabilistic_corrected",
                         "skipna=True",
                         {"crps", "crps_skill", "crps_spread", "debiased_ensemble_mean_mse"}},
                    Case{"small_pooled_ensemble",
                         "truth.zarr,ensemble.zarr",
                         ensemble + sst + "--set score.skipna=true --set score.time_mean=pooled ",
                         "scores_wb2.csv",
                         "nan_probabilistic_corrected_pooled",
                         "skipna=True",
                         {"crps"}}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mosaic
