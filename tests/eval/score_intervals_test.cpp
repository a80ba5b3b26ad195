#include "eval/score_intervals.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <string>

#include "base/error.hpp"
#include "eval/quantile.hpp"
#include "eval/results.hpp"
#include "eval/time_mean.hpp"

namespace mosaic::eval {
namespace {

using kernels::Statistic;

constexpr int member_count = 4;

class ScoreIntervals : public testing::Test {
 protected:
  ScoreIntervals() {
    options_.channels = {{"u_component_of_wind", 850},
                         {"v_component_of_wind", 850},
                         {"geopotential", 500},
                         {"total_precipitation_24hr", std::nullopt}};
    options_.thresholds.channels = {options_.channels[2], options_.channels[3]};
    options_.thresholds.quantiles = {0.1, 0.5, 0.9};
    options_.seeps.channels = {options_.channels[3]};
    options_.regions = regions_by_name({"global", "tropics"});
    options_.leads = {Duration::hours(24), Duration::hours(48)};
    options_.spectra_by_degree = false;
    options_.climatology = true;
  }

  /// Sums with positive pseudo-random statistics; weights between 1/2 and 1.
  InitTimeSums sums_at(int day, unsigned seed) const {
    InitTimeSums sums = empty_sums(options_, LatLonGrid::with_poles(12, 7), member_count);
    sums.initial_time = Time{} + Duration::days(day);
    std::mt19937 engine(seed * 1000 + static_cast<unsigned>(day));
    std::uniform_real_distribution<double> uniform(0.5, 1.0);
    for (kernels::Statistics& statistics : sums.means) {
      for (double& value : statistics) {
        value = uniform(engine);
      }
    }
    for (kernels::ThresholdScores& scores : sums.thresholds.means) {
      for (double& value : scores) {
        value = uniform(engine);
      }
    }
    for (SeepsMeans& means : sums.seeps.means) {
      for (double& value : means) {
        value = uniform(engine);
      }
    }
    sums.scored.assign(options_.leads.size(), 1);
    return sums;
  }

  std::vector<InitTimeSums> run(int days, unsigned seed) const {
    std::vector<InitTimeSums> sums;
    for (int day = 0; day < days; ++day) {
      sums.push_back(sums_at(day, seed));
    }
    return sums;
  }

  ScoreOptions options_;
};

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

// Every score of every place, wind vectors among them, in every way to average.
TEST_F(ScoreIntervals, EstimatesHaveTheBitsOfTheMeans) {
  std::vector<InitTimeSums> sums = run(7, 1);
  sums[2].scored[1] = 0;
  at(sums[4].means[0], Statistic::squared_error) = std::nan("");
  sums[3].thresholds.means[4][static_cast<std::size_t>(kernels::ThresholdScore::ranked_probability)] =
      std::nan("");
  sums[5].seeps.means[1][0] = std::nan("");
  for (const TimeMeanKind kind : {TimeMeanKind::initial_times, TimeMeanKind::pooled}) {
    for (const auto missing : {kernels::MissingValues::propagate, kernels::MissingValues::skip}) {
      options_.time_mean = kind;
      options_.missing = missing;
      const TimeMean mean = time_mean(sums, options_);
      const RunScores scores(sums, options_);
      ASSERT_EQ(scores.channels(), mean.mean.channels);
      ASSERT_EQ(scores.channels().size(), 5U);
      for (const auto& score : all_scores()) {
        for (std::size_t lead = 0; lead < 2; ++lead) {
          for (std::size_t channel = 0; channel < 5; ++channel) {
            const Interval interval = scores.interval(*score, {lead, channel, 1}, {.samples = 2});
            EXPECT_TRUE(same(interval.estimate, score->value(mean.at(lead, channel, 1), member_count)))
                << score->name() << " " << lead << " " << channel;
            EXPECT_EQ(interval.initial_times, lead == 0 ? 7U : 6U);
          }
        }
      }
    }
  }
}

TEST_F(ScoreIntervals, ARunDiffersFromItselfByNothing) {
  const RunScores scores(run(9, 2), options_);
  for (const auto& score : all_scores()) {
    const ScorePlace rain{0, 3, 0};  // has all scores
    const Interval zero = paired_difference(*score, scores, rain, scores, rain, {});
    EXPECT_EQ(zero.estimate, 0.0) << score->name();
    EXPECT_EQ(zero.lower, 0.0) << score->name();
    EXPECT_EQ(zero.upper, 0.0) << score->name();
    EXPECT_FALSE(zero.excludes(0.0));
  }
}

// The samples one by one: means over the drawn initial times, then the number, then its quantiles.
TEST_F(ScoreIntervals, ScoresAtQuantilesAndOfPrecipitationAreThoseOfResampling) {
  const std::vector<InitTimeSums> sums = run(11, 6);
  const RunScores scores(sums, options_);
  const BootstrapOptions options{.samples = 150, .confidence = 0.8, .seed = 9, .block_length = 3};
  const auto rps_of = [](const InitTimeSums& one) {  // of the second channel that has it, lead 1, region 1
    double sum = 0.0;
    for (std::size_t q = 0; q < 3; ++q) {
      const std::size_t begin = one.thresholds.mean_offset(1, 1, 1, 2);
      sum += kernels::at(one.thresholds.means[begin + q], kernels::ThresholdScore::ranked_probability);
    }
    return sum;
  };
  const auto seeps_of = [](std::size_t which) {
    return [which](const InitTimeSums& one) { return one.seeps.means[one.seeps.offset(1, 0, 2) + 1][which]; };
  };
  const auto check = [&](const std::string& name, const auto& value_of) {
    const auto mean_over = [&](const std::vector<std::size_t>& times) {
      double sum = 0.0;
      for (const std::size_t t : times) {
        sum += value_of(sums[t]);
      }
      return sum / static_cast<double>(times.size());
    };
    std::vector<double> numbers;
    for (std::uint32_t sample = 0; sample < 150; ++sample) {
      numbers.push_back(mean_over(resampled_times(11, 3, 9, sample)));
    }
    std::sort(numbers.begin(), numbers.end());
    const Interval interval = scores.interval(score_by_name(name), {1, 3, 1}, options);
    // Sums of 33 numbers below 1 in another order: 33 eps.
    EXPECT_NEAR(interval.estimate, mean_over({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}), 1e-14) << name;
    EXPECT_NEAR(interval.lower, quantile(numbers, 0.1), 1e-14) << name;
    EXPECT_NEAR(interval.upper, quantile(numbers, 0.9), 1e-14) << name;
    EXPECT_LT(interval.lower, interval.upper) << name;
  };
  check("rps", rps_of);
  check("seeps", seeps_of(0));
  check("ensemble_mean_seeps", seeps_of(1));
}

TEST_F(ScoreIntervals, WhatTheSumsDoNotHaveIsNotANumber) {
  const RunScores scores(run(9, 7), options_);
  const Score &rps = score_by_name("rps"), &seeps = score_by_name("seeps");
  EXPECT_TRUE(std::isnan(scores.interval(rps, {0, 0, 0}, {}).estimate)) << "a channel without thresholds";
  EXPECT_TRUE(std::isnan(scores.interval(seeps, {0, 2, 0}, {}).estimate)) << "no precipitation";
  EXPECT_TRUE(std::isnan(scores.interval(rps, {0, 4, 0}, {}).estimate)) << "a wind vector";
  options_.thresholds.quantiles = {0.1, 0.5, 0.8};
  const RunScores other(run(9, 7), options_);
  EXPECT_TRUE(std::isnan(paired_difference(rps, scores, {0, 2, 0}, other, {0, 2, 0}, {}).estimate));
  EXPECT_FALSE(std::isnan(paired_difference(seeps, scores, {0, 3, 0}, other, {0, 3, 0}, {}).estimate));
  options_.thresholds = {};
  const RunScores none(run(9, 7), options_);
  EXPECT_TRUE(std::isnan(none.interval(rps, {0, 2, 0}, {}).estimate));
}

// Days 0 ... 8 and 3 ... 11, day 5 without truth in one: days 3, 4, 6, 7, 8 are common.
TEST_F(ScoreIntervals, DifferencesAreOverCommonInitialTimes) {
  std::vector<InitTimeSums> a = run(9, 3), b = run(12, 4);
  b.erase(b.begin(), b.begin() + 3);
  a[5].scored[0] = 0;
  double sum_a = 0.0, sum_b = 0.0;
  for (const int day : {3, 4, 6, 7, 8}) {
    sum_a += at(a[static_cast<std::size_t>(day)].mean(0, 2, 0), Statistic::squared_error);
    sum_b += at(b[static_cast<std::size_t>(day - 3)].mean(0, 2, 0), Statistic::squared_error);
  }
  const RunScores scores_a(a, options_), scores_b(b, options_);
  const Score& rmse = score_by_name("rmse");
  const Interval interval = paired_difference(rmse, scores_a, {0, 2, 0}, scores_b, {0, 2, 0}, {});
  EXPECT_EQ(interval.initial_times, 5U);
  EXPECT_DOUBLE_EQ(interval.estimate, std::sqrt(sum_a / 5.0) - std::sqrt(sum_b / 5.0));
  const Interval reverse = paired_difference(rmse, scores_b, {0, 2, 0}, scores_a, {0, 2, 0}, {});
  EXPECT_EQ(reverse.estimate, -interval.estimate);
  EXPECT_DOUBLE_EQ(reverse.lower, -interval.upper);
  const RunScores early(run(2, 3), options_);
  EXPECT_TRUE(std::isnan(paired_difference(rmse, early, {0, 2, 0}, scores_b, {0, 2, 0}, {}).estimate));
}

// A shift that is the same at all initial times: the paired interval is a point, although that of each run is
// wide. Unpaired resampling would not find it: the twin draws other samples for the second run.
TEST_F(ScoreIntervals, PairingFindsASmallShift) {
  std::vector<InitTimeSums> a = run(20, 5), b = a;
  for (InitTimeSums& sums : b) {
    for (kernels::Statistics& statistics : sums.means) {
      at(statistics, Statistic::error) += 0.01;
    }
  }
  const RunScores scores_a(a, options_), scores_b(b, options_);
  const Score& bias = score_by_name("bias");
  const Interval paired = paired_difference(bias, scores_b, {0, 0, 0}, scores_a, {0, 0, 0}, {});
  EXPECT_NEAR(paired.lower, 0.01, 1e-14);
  EXPECT_NEAR(paired.upper, 0.01, 1e-14);
  EXPECT_TRUE(paired.excludes(0.0));
  const Interval alone = scores_a.interval(bias, {0, 0, 0}, {});
  const Interval other = scores_b.interval(bias, {0, 0, 0}, {.seed = 1});
  EXPECT_GT(alone.upper, other.lower);
}

}  // namespace
}  // namespace mosaic::eval
