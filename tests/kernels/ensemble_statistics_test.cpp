#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

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

TEST(EnsembleStatistics, KokkosFollowsReference) {
  for (const std::size_t members : {1U, 2U, 3U, 4U, 5U, 7U, 8U, 9U, 24U, 50U}) {
    for (const auto& [rows, columns] : {std::pair{1U, 1U}, {1U, 7U}, {5U, 1U}, {7U, 13U}, {9U, 240U}}) {
      const EnsembleCase which(members, rows, columns, static_cast<unsigned>(members));
      const auto ours = which.run(EnsembleStatisticsBackend::kokkos);
      const auto truth = which.run(EnsembleStatisticsBackend::reference);
      for (std::size_t r = 0; r < truth.size(); ++r) {
        for (std::size_t s = 0; s < statistic_count; ++s) {
          if (std::isnan(truth[r][s])) {
            EXPECT_TRUE(std::isnan(ours[r][s]));
          } else {
            EXPECT_NEAR(ours[r][s], truth[r][s], limit_of(which))
                << members << " members, " << rows << " x " << columns << ", area " << r << ", statistic "
                << s;
          }
        }
      }
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
        EXPECT_TRUE(std::isnan(mean));
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
    for (std::size_t s = 0; s < statistic_count; ++s) {
      EXPECT_TRUE(std::isnan(means[0][s])) << s;
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
