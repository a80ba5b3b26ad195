#include "kernels/threshold_statistics/threshold_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "kernels/threshold_case.hpp"

namespace mosaic::kernels {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr ThresholdStatisticsBackend backends[] = {ThresholdStatisticsBackend::reference,
                                                   ThresholdStatisticsBackend::kokkos};

/// Equal, NaN and infinities included, up to `limit`.
bool same(double a, double b, double limit) {
  return std::isnan(a) ? std::isnan(b) : a == b || std::abs(a - b) <= limit;
}

/// Both backends, scores and counts; an empty text if they agree. Terms are at most ln 70 and 1 in size, and
/// a few roundings each.
std::string difference_of_backends(const ThresholdCase& which) {
  const double limit = 0x1p-53 * 5 * (static_cast<double>(which.truth.size()) + 16);
  std::vector<double> our_counts, true_counts;
  const auto ours = which.run(ThresholdStatisticsBackend::kokkos, 2, &our_counts);
  const auto truth = which.run(ThresholdStatisticsBackend::reference, 2, &true_counts);
  for (std::size_t k = 0; k < truth.size(); ++k) {
    for (std::size_t s = 0; s < threshold_score_count; ++s) {
      if (!same(truth[k][s], ours[k][s], limit)) {
        return fmt::format("{} members, {} x {}, mean {}, score {}: {} instead of {}", which.members.size(),
                           which.rows, which.columns, k, s, ours[k][s], truth[k][s]);
      }
    }
  }
  for (std::size_t k = 0; k < true_counts.size(); ++k) {
    if (!same(true_counts[k], our_counts[k], limit * static_cast<double>(which.truth.size()))) {
      return fmt::format("{} members, count {}: {} instead of {}", which.members.size(), k, our_counts[k],
                         true_counts[k]);
    }
  }
  return "";
}

TEST(ThresholdStatistics, KokkosFollowsReference) {
  for (const std::size_t members : {1U, 2U, 3U, 8U, 24U, 50U, 70U}) {
    for (const auto& [rows, columns] : {std::pair{1U, 1U}, {1U, 7U}, {5U, 1U}, {7U, 13U}, {9U, 240U}}) {
      ThresholdCase which(members, rows, columns, 1 + members % 3, static_cast<unsigned>(members));
      EXPECT_EQ(difference_of_backends(which), "");
      which.missing = MissingValues::skip;
      EXPECT_EQ(difference_of_backends(which), "");
    }
  }
}

TEST(ThresholdStatistics, BackendsMissTheSameValues) {
  for (const auto missing : {MissingValues::propagate, MissingValues::skip}) {
    ThresholdCase which(4, 7, 13, 3, 11);
    which.missing = missing;
    which.members[1][5] = which.members[2][5] = which.members[0][40] = nan;
    for (auto& member : which.members) {
      member[60] = nan;
    }
    which.truth[70] = nan;
    which.thresholds[80] = nan;
    EXPECT_EQ(difference_of_backends(which), "");
    const auto everywhere = which.run(ThresholdStatisticsBackend::reference)[0];
    EXPECT_EQ(std::isnan(everywhere[0]), missing == MissingValues::propagate);
  }
}

/// The scores of one point.
ThresholdScores at_point(const std::vector<float>& members, float y, double q,
                         ThresholdStatisticsBackend backend, MissingValues missing) {
  ThresholdCase which(members.size(), 1, 1, 1, 1);
  for (std::size_t m = 0; m < members.size(); ++m) {
    which.members[m] = {members[m]};
  }
  which.truth = {y};
  which.thresholds = {q};
  which.missing = missing;
  return which.run(backend)[0];
}

struct Point {
  std::vector<float> members;
  float y;
  double q;
  ThresholdScores scores;
};

TEST(ThresholdStatistics, ClosedForms) {
  const double half = std::log(2.0);
  const Point points[] = {
      {{1, 2, 3, 4}, 2, 2, {0.25, 0.16666666666666669, 0.6931471805599453, 0.0625}},
      {{1, 2, 3, 4}, 2.5, 2, {0.25, 0.16666666666666669, half, 0.0625}},
      {{1, 2, 3, 4}, 6, 5, {1, 1, infinity, 1}},
      {{1, 2, 3, 4}, 4, 5, {0, 0, 0, 0}},
      {{1, 2, 3, 4}, 4, 0, {0, 0, 0, 0}},
      {{1}, 2, 0, {0, nan, 0, 0}},
      {{1, nan}, 2, 0, {nan, nan, nan, nan}},
      {{1, 2}, nan, 0, {nan, nan, nan, nan}},
      {{1, 2}, 1, nan, {nan, nan, nan, nan}},
  };
  for (const auto backend : backends) {
    for (const Point& p : points) {
      const ThresholdScores scores = at_point(p.members, p.y, p.q, backend, MissingValues::propagate);
      EXPECT_EQ(at(scores, ThresholdScore::weight), 1);
      for (std::size_t s = 0; s + 1 < scores.size(); ++s) {
        EXPECT_TRUE(same(p.scores[s], scores[s], 1e-16)) << p.y << " " << p.q << " " << s << " " << scores[s];
      }
    }
  }
}

TEST(ThresholdStatistics, SkippedMembersCountForNothing) {
  for (const auto backend : backends) {
    const auto skipped = at_point({1, nan, 2, 3, 4}, 2.5, 2, backend, MissingValues::skip);
    EXPECT_EQ(skipped, at_point({1, 2, 3, 4}, 2.5, 2, backend, MissingValues::skip));
    const auto none = at_point({nan, nan}, 2.5, 2, backend, MissingValues::skip);
    EXPECT_TRUE(std::isnan(none[0]));  // no point is left
    EXPECT_EQ(at(none, ThresholdScore::weight), 0);
    EXPECT_EQ(at_point({1, nan}, 2.5, 2, backend, MissingValues::skip),
              (ThresholdScores{1, 1, infinity, 1, 1}));
  }
}

TEST(ThresholdStatistics, RankedProbabilityScoreIsASum) {
  for (const auto backend : backends) {
    for (const auto& [members, y] : {std::pair{std::vector<float>{.1F, .5F, .6F, .8F}, .5F},
                                     {std::vector<float>{.1F, .33F, .6F, .8F}, .33F}}) {
      double sum = 0;
      for (const float q : {.33F, .66F}) {
        const auto scores = at_point(members, y, q, backend, MissingValues::propagate);
        sum += scores[static_cast<std::size_t>(ThresholdScore::ranked_probability)];
      }
      EXPECT_EQ(sum, 0.125);
    }
  }
}

// A mean over the whole grid by its formula, with another loop order.
TEST(ThresholdStatistics, AreaMeansByBruteForce) {
  const ThresholdCase which(6, 7, 13, 2, 21);
  const std::size_t points = which.truth.size();
  for (std::size_t q = 0; q < 2; ++q) {
    double brier = 0, weights = 0;
    for (std::size_t i = points; i-- > 0;) {
      const double threshold = which.thresholds[q * points + i];
      double exceedance = 0;
      for (const auto& member : which.members) {
        exceedance += member[i] > threshold ? 1.0 / 6 : 0;
      }
      const double weight = which.areas[2].row_weight[i / 13] * static_cast<float>(i % 4) / 3;  // land
      brier += weight * std::pow(exceedance - (which.truth[i] > threshold ? 1 : 0), 2);
      weights += weight;
    }
    for (const auto backend : backends) {
      EXPECT_NEAR(which.run(backend)[2 * 2 + q][0], brier / weights, 1e-7);  // weights are float32 there
    }
  }
}

TEST(ThresholdStatistics, ReliabilityCountsWeighPointsAndEvents) {
  for (const auto backend : backends) {
    ThresholdCase which(2, 2, 3, 1, 7);
    which.members = {{1, 1, 1, 0, nan, 0}, {0, 1, 1, 0, 1, 1}};
    which.truth = {1, 1, 0, 0, 1, 0};
    which.thresholds.assign(6, 0.5);
    std::vector<double> counts;
    which.run(backend, 2, &counts);
    const double south = which.areas[0].row_weight[0], north = which.areas[0].row_weight[1];
    const std::vector<double> expected = {north, 0, south + north, south, 2 * south, south};
    ASSERT_EQ(counts.size(), expected.size());
    for (std::size_t k = 0; k < counts.size(); ++k) {
      EXPECT_NEAR(counts[k], expected[k], 1e-15) << k;
    }
  }
}

TEST(ThresholdStatistics, InconsistentSizesAreErrors) {
  const ThresholdCase good(2, 3, 4, 2, 5);
  ThresholdCase no_members = good, few_thresholds = good, few_rows = good;
  no_members.members.clear();
  few_thresholds.thresholds.pop_back();
  few_rows.areas[1].row_weight.pop_back();
  for (const auto backend : backends) {
    EXPECT_NO_THROW(good.run(backend));
    EXPECT_THROW(no_members.run(backend), Error);
    EXPECT_THROW(few_thresholds.run(backend), Error);
    EXPECT_THROW(few_rows.run(backend), Error);
  }
}

}  // namespace
}  // namespace mosaic::kernels
