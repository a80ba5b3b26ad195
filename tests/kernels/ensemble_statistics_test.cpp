#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "kernels/ensemble_case.hpp"

namespace mosaic::kernels {
namespace {

constexpr EnsembleStatisticsBackend backends[] = {EnsembleStatisticsBackend::reference,
                                                  EnsembleStatisticsBackend::kokkos};

/// Every mean adds J I M terms, each at most `largest` in size, with a few roundings: J I M + 16 of them at
/// most. The rank form of the spread adds terms of both signs below 4 max |x|.
double limit_of(const EnsembleCase& which) {
  double size = 0;
  for (const auto& field : which.members) {
    for (std::size_t i = 0; i < field.size(); ++i) {
      size = std::max({size, std::abs(double(field[i])), std::abs(double(which.truth[i]))});
    }
  }
  const double terms = static_cast<double>(which.truth.size() * which.members.size()) + 16;
  return terms * 0x1p-53 * std::max(4 * size, 4 * size * size);
}

/// Both backends, numbers and ranks; an empty text if they agree.
std::string difference_of_backends(const EnsembleCase& which) {
  std::vector<double> our_ranks, true_ranks;
  const auto ours = which.run(EnsembleStatisticsBackend::kokkos, 2, &our_ranks);
  const auto truth = which.run(EnsembleStatisticsBackend::reference, 2, &true_ranks);
  for (std::size_t r = 0; r < truth.size(); ++r) {
    for (std::size_t s = 0; s < statistic_count; ++s) {
      const bool same = std::isnan(truth[r][s]) ? std::isnan(ours[r][s])
                                                : std::abs(ours[r][s] - truth[r][s]) <= limit_of(which);
      if (!same) {
        return fmt::format("{} members, {} x {}, area {}, statistic {}: {} instead of {}",
                           which.members.size(), which.rows, which.columns, r, s, ours[r][s], truth[r][s]);
      }
    }
  }
  for (std::size_t k = 0; k < true_ranks.size(); ++k) {
    // Ties add 1 / n for each point.
    if (std::abs(our_ranks[k] - true_ranks[k]) > 1e-12 * static_cast<double>(which.truth.size())) {
      return fmt::format("{} members, rank count {}: {} instead of {}", which.members.size(), k, our_ranks[k],
                         true_ranks[k]);
    }
  }
  return "";
}

TEST(EnsembleStatistics, KokkosFollowsReference) {
  for (const std::size_t members :
       {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 16U, 17U, 24U, 28U, 33U, 47U, 50U, 64U, 65U}) {
    for (const auto& [rows, columns] : {std::pair{1U, 1U}, {1U, 7U}, {5U, 1U}, {7U, 13U}, {9U, 240U}}) {
      EnsembleCase which(members, rows, columns, static_cast<unsigned>(members));
      EXPECT_EQ(difference_of_backends(which), "");
      which.missing = MissingValues::skip;
      EXPECT_EQ(difference_of_backends(which), "");
    }
  }
}

TEST(EnsembleStatistics, BackendsMissTheSameValues) {
  for (const auto missing : {MissingValues::propagate, MissingValues::skip}) {
    EnsembleCase which(4, 7, 13, 11);
    which.missing = missing;
    const float nan = std::numeric_limits<float>::quiet_NaN();
    which.members[1][5] = which.members[2][5] = which.members[0][40] = nan;
    for (auto& member : which.members) {
      member[60] = NAN;
    }
    which.truth[70] = nan;
    which.truth[13] = which.members[3][13];
    EXPECT_EQ(difference_of_backends(which), "");
  }
}

// The short formulas of finite points would make NaN of them.
TEST(EnsembleStatistics, BackendsAgreeWhatIsInfinite) {
  for (const std::size_t members : {2U, 3U, 6U}) {
    for (const float infinity : {INFINITY, -INFINITY}) {
      EnsembleCase which(members, 3, 20, 8);
      which.members[members / 2][17] = infinity;
      const auto ours = which.run(EnsembleStatisticsBackend::kokkos);
      const auto truth = which.run(EnsembleStatisticsBackend::reference);
      EXPECT_EQ(at(truth[0], Statistic::squared_error), INFINITY);
      for (std::size_t r = 0; r < truth.size(); ++r) {
        for (std::size_t s = 0; s < statistic_count; ++s) {
          EXPECT_TRUE(std::isfinite(truth[r][s]) ? std::isfinite(ours[r][s])
                      : std::isnan(truth[r][s])  ? std::isnan(ours[r][s])
                                                 : ours[r][s] == truth[r][s])
              << members << " members, area " << r << ", statistic " << s << ": " << ours[r][s]
              << " instead of " << truth[r][s];
        }
      }
    }
  }
}

// Left out one by one: the statistics of an ensemble without the missing points and members.
// A map's weighted mean over the globe is the statistic; both bodies leave out the same points.
TEST(EnsembleStatistics, MapsAverageToTheStatistics) {
  for (const auto missing : {MissingValues::propagate, MissingValues::skip}) {
    EnsembleCase which(5, 7, 13, 3);
    which.missing = missing;
    which.members[1][5] = which.truth[70] = NAN;
    for (auto& member : which.members) {
      member[60] = NAN;
    }
    std::vector<double> maps, reference;
    const Statistics whole = which.run(EnsembleStatisticsBackend::kokkos, 2, nullptr, &maps)[0];
    which.run(EnsembleStatisticsBackend::reference, 1, nullptr, &reference);
    const std::size_t points = which.truth.size();
    for (std::size_t s = 0; s < map_statistic_count; ++s) {
      double sum = 0, weights = 0;
      for (std::size_t i = 0; i < points; ++i) {
        const double value = maps[s * points + i];
        ASSERT_EQ(std::isnan(value), std::isnan(reference[s * points + i])) << s << " at " << i;
        EXPECT_TRUE(std::isnan(value) ||
                    std::abs(value - reference[s * points + i]) < 1e-13 * (1 + std::abs(value)));
        const double weight = which.areas[0].row_weight[i / 13];
        if (!std::isnan(value)) {
          sum += weight * value;
          weights += weight;
        }
      }
      if (missing == MissingValues::skip) {
        EXPECT_NEAR(sum / weights, whole[s], 1e-13 * (1 + std::abs(whole[s]))) << s;
      }
      EXPECT_TRUE(std::isnan(maps[s * points + 60]));
      EXPECT_EQ(std::isnan(maps[s * points + 5]), missing == MissingValues::propagate);
    }
  }
}

TEST(EnsembleStatistics, SkippedPointsCountForNothing) {
  for (const auto backend : backends) {
    EnsembleCase which(3, 1, 4, 6);
    which.missing = MissingValues::skip;
    which.areas = {{{1}, {1, 1, 1, 1}}, {{1}, {1, 1, 0, 1}}};
    which.truth[2] = std::numeric_limits<float>::quiet_NaN();
    const auto means = which.run(backend);
    for (const Statistic same : {Statistic::squared_error, Statistic::energy_skill,
                                 Statistic::anomaly_product, Statistic::debiased_squared_error}) {
      EXPECT_NEAR(at(means[0], same), at(means[1], same), 1e-15 * std::abs(at(means[1], same)));
    }
    EXPECT_EQ(at(means[0], Statistic::error_weight), 0.75);
    EXPECT_EQ(at(means[0], Statistic::ensemble_weight), 1.0);
    EXPECT_NE(at(means[0], Statistic::spread), at(means[1], Statistic::spread));
  }
}

TEST(EnsembleStatistics, EveryPointHasOneRank) {
  for (const auto backend : backends) {
    EnsembleCase which(3, 2, 3, 7);
    which.truth = {0, 1, 1, 5, 2, 1};
    which.members = {{1, 1, 1, 1, 1, 1}, {2, 2, 1, 2, 2, 2}, {3, 3, 1, 3, 3, 3}};
    std::vector<double> ranks;
    which.run(backend, 2, &ranks);
    const std::vector<double> expected = {4, 1, 0, 1, 1, 2, 1, 2, 2.25, 1.75, 0.75, 1.25};
    ASSERT_EQ(ranks.size(), expected.size());
    for (std::size_t k = 0; k < ranks.size(); ++k) {
      EXPECT_NEAR(ranks[k], expected[k], 1e-14) << k;
    }
  }
}

TEST(EnsembleStatistics, OneMemberHasNeitherSpreadNorVariance) {
  for (const auto backend : backends) {
    const EnsembleCase which(1, 3, 4, 1);
    const Statistics all = which.run(backend)[0];
    EXPECT_EQ(at(all, Statistic::spread), 0);
    EXPECT_EQ(at(all, Statistic::variance), 0);
    EXPECT_GT(at(all, Statistic::squared_error), 0);
    EXPECT_NEAR(at(all, Statistic::ensemble_mean_squared_error), at(all, Statistic::squared_error),
                limit_of(which));
  }
}

TEST(EnsembleStatistics, TiedMembersHaveNoSpread) {
  for (const auto backend : backends) {
    EnsembleCase which(5, 2, 3, 2);
    for (auto& field : which.members) {
      field = which.members[0];
    }
    const Statistics all = which.run(backend)[0];
    EXPECT_NEAR(at(all, Statistic::spread), 0, limit_of(which));
    EXPECT_NEAR(at(all, Statistic::variance), 0, limit_of(which));
  }
}

TEST(EnsembleStatistics, AnAreaWithoutCellsIsNan) {
  for (const auto backend : backends) {
    EnsembleCase which(3, 2, 2, 3);
    which.areas = {{{0, 0}, {1, 1}}, {{1, 1}, {0, 0}}};
    for (const Statistics& means : which.run(backend)) {
      for (const double mean : means) {
        EXPECT_TRUE(std::isnan(mean));  // the weights as well: parts of nothing
      }
    }
  }
}

TEST(EnsembleStatistics, NanStaysInItsArea) {
  for (const auto backend : backends) {
    EnsembleCase which(3, 2, 4, 4);
    which.areas = {{{1, 0}, {1, 1, 1, 1}}, {{0, 1}, {1, 1, 1, 1}}, {{1, 1}, {1, 0, 1, 1}}};
    const auto clean = which.run(backend);
    which.members[1][1] = std::numeric_limits<float>::quiet_NaN();  // row 0, column 1
    const auto means = which.run(backend);
    for (std::size_t s = 0; s < static_cast<std::size_t>(Statistic::error_weight); ++s) {
      const bool of_truth = s == static_cast<std::size_t>(Statistic::truth_anomaly_squared);
      EXPECT_EQ(std::isnan(means[0][s]), !of_truth) << s;
      EXPECT_EQ(means[1][s], clean[1][s]) << s;
      EXPECT_EQ(means[2][s], clean[2][s]) << s;
    }
  }
}

TEST(EnsembleStatistics, InconsistentSizesAreErrors) {
  const EnsembleCase good(2, 3, 4, 5);
  EnsembleCase no_members = good, few_rows = good, few_columns = good;
  no_members.members.clear();
  few_rows.areas[0].row_weight.pop_back();
  few_columns.areas[0].columns.pop_back();
  for (const auto backend : backends) {
    EXPECT_NO_THROW(good.run(backend));
    EXPECT_THROW(no_members.run(backend), Error);
    EXPECT_THROW(few_rows.run(backend), Error);
    EXPECT_THROW(few_columns.run(backend), Error);
  }
}

}  // namespace
}  // namespace mosaic::kernels
