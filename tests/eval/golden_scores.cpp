#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "eval/golden_table.hpp"
#include "eval/init_time_scorer.hpp"
#include "eval/place_of_scores.hpp"
#include "eval/results.hpp"
#include "support/golden.hpp"
#include "support/golden_store.hpp"

namespace mosaic::eval {
namespace {

using test::GoldenStore;

/// Everything that both stores hold, all leads, all regions.
ScoreOptions options_for(const GoldenStore& forecast, const GoldenStore& truths) {
  ScoreOptions options;
  for (const Channel& channel : forecast.channels) {
    if (std::find(truths.channels.begin(), truths.channels.end(), channel) != truths.channels.end()) {
      options.channels.push_back(channel);
    }
  }
  options.regions = known_regions();
  options.on_device = scores_on_device;
  options.leads = forecast.leads;
  return options;
}

/// Scores all initial times of a forecast store.
std::vector<InitTimeSums> score_store(const GoldenStore& forecast, const GoldenStore& truths,
                                      const ScoreOptions& options) {
  const auto channels = std::make_shared<ChannelSet>(options.channels);
  const std::size_t points = forecast.grid->points();
  InitTimeScorer scorer(options, forecast.grid, channels, static_cast<int>(forecast.members));
  std::vector<std::vector<float>> states(forecast.members, std::vector<float>(channels->size() * points));
  std::vector<InitTimeSums> all;
  for (std::size_t t = 0; t < forecast.times.size(); ++t) {
    scorer.begin(forecast.times[t]);
    for (std::size_t lead = 0; lead < options.leads.size(); ++lead) {
      State truth{forecast.times[t] + options.leads[lead], forecast.grid, channels, states[0]};
      for (std::size_t c = 0; c < channels->size(); ++c) {
        const Channel& channel = (*channels)[c];
        std::ranges::copy(truths.read(channel, truths.time_index(truth.time)), truth.field(c).begin());
        const std::vector<float> fields = forecast.read(channel, t, lead);
        for (std::size_t m = 0; m < forecast.members; ++m) {
          std::copy_n(fields.data() + m * points, points, states[m].data() + c * points);
        }
      }
      std::vector<const float*> pointers;
      for (const auto& state : states) {
        pointers.push_back(state.data());
      }
      scorer.add(lead, pointers, truth);
    }
    all.push_back(scorer.finish());
  }
  return all;
}

/// Means over all initial times, and those of each alone.
std::map<std::string, NetcdfDocument> documents_of(const std::vector<InitTimeSums>& sums,
                                                   const ScoreOptions& options) {
  std::map<std::string, NetcdfDocument> documents = {
      {"", metrics_document(time_mean(sums, options), options)}};
  for (const InitTimeSums& one : sums) {
    documents[to_string(one.initial_time)] = metrics_document(time_mean({one}, options), options);
  }
  return documents;
}

/// Stores and table of one folder of the golden set, scored once for all tests.
struct Scored {
  ScoreOptions options;
  std::vector<InitTimeSums> sums;
};

const Scored& scored(const std::filesystem::path& forecast, const std::filesystem::path& truth) {
  static std::map<std::filesystem::path, Scored> known;
  if (!known.contains(forecast)) {
    const GoldenStore forecasts(forecast);
    const GoldenStore truths(truth);
    EXPECT_EQ(*forecasts.grid, *truths.grid);
    const ScoreOptions options = options_for(forecasts, truths);
    known[forecast] = {options, score_store(forecasts, truths, options)};
  }
  return known[forecast];
}

struct Case {
  std::string folder, store, suite, extra;
  std::vector<std::string> metrics;  ///< must all be compared
  std::vector<std::string> regions;  ///< in all of these
};

class GoldenScores : public testing::TestWithParam<Case> {};

TEST_P(GoldenScores, are_those_of_weatherbench) {
  const std::string folder = "eval/" + GetParam().folder;
  GOLDEN_OR_SKIP(table, folder + "/expected/scores_wb2.csv");
  GOLDEN_OR_SKIP(truth, folder + "/truth.zarr");
  GOLDEN_OR_SKIP(forecast, folder + "/" + GetParam().store);
  const std::vector<Row> rows = read_rows(table, GetParam().suite, GetParam().extra);
  if (rows.empty()) {
    GTEST_SKIP() << "golden data absent: suite " << GetParam().suite << " of " << table.string();
  }
  const auto& [options, sums] = scored(forecast, truth);
  const Comparison result = compare(rows, documents_of(sums, options));
  RecordProperty("values_compared", static_cast<int>(result.rows));
  EXPECT_EQ(result.wrong, 0U) << "of " << result.rows << "; first: " << result.first_wrong;
  for (const std::string& metric : GetParam().metrics) {
    for (const std::string& region : GetParam().regions) {
      EXPECT_TRUE(result.keys.contains(metric + " " + region)) << metric << " " << region;
    }
  }

  // Must fail: regions under each other's names are noticed.
  std::vector<InitTimeSums> shifted = sums;
  for (InitTimeSums& one : shifted) {
    std::rotate(one.regions.begin(), one.regions.begin() + 1, one.regions.end());
  }
  if (GetParam().extra.empty()) {
    EXPECT_GT(compare(rows, documents_of(shifted, options)).wrong, result.rows / 2);
  }
}

const std::vector<std::string> headline_regions = {"global", "tropics", "northern-hemisphere",
                                                   "southern-hemisphere"};
const std::vector<std::string> member_scores = {"crps",
                                                "crps_skill",
                                                "crps_spread",
                                                "ensemble_mean_mse",
                                                "debiased_ensemble_mean_mse",
                                                "ensemble_variance"};
const std::vector<std::string> ensemble_scores = {"crps",
                                                  "crps_skill",
                                                  "crps_spread",
                                                  "ensemble_mean_rmse",
                                                  "ensemble_variance",
                                                  "ensemble_stddev",
                                                  "spread_skill_raw",
                                                  "spread_skill_fortin",
                                                  "spread_skill_unbiased"};

INSTANTIATE_TEST_SUITE_P(
    suites, GoldenScores,
    testing::Values(
        Case{"small",
             "deterministic.zarr",
             "deterministic",
             "",
             {"mse", "mae", "bias", "rmse"},
             headline_regions},
        Case{"small",
             "deterministic.zarr",
             "deterministic_per_init",
             "",
             {"mse", "mae", "bias", "rmse_sqrt_before_time_avg"},
             {"global"}},
        Case{"small", "ensemble.zarr", "probabilistic", "", ensemble_scores, headline_regions},
        Case{"small", "ensemble.zarr", "probabilistic_per_init", "", member_scores, {"global"}},
        Case{"medium", "ensemble.zarr", "probabilistic", "", ensemble_scores, headline_regions},
        Case{"medium", "ensemble.zarr", "probabilistic_per_init", "", member_scores, {"global"}},
        Case{"small", "deterministic.zarr", "nan_deterministic", "skipna=False", {"mse"}, {"global"}},
        Case{"small", "ensemble.zarr", "nan_probabilistic_wb2", "skipna=False", {"crps"}, {"global"}}),
    [](const auto& info) { return info.param.folder + "_" + info.param.suite; });

}  // namespace
}  // namespace mosaic::eval
