#include "forecast/jackknife.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/noise.hpp"

namespace mosaic::test {
namespace {

TEST(Jackknife, OfAMeanIsItsStandardError) {
  const std::vector<double> x = {1, 4, 2, 9, 5};
  const Estimate mean = jackknife(x.size(), [&](const std::vector<bool>& taken) {
    double sum = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      sum += taken[k] ? x[k] : 0;
    }
    return sum / static_cast<double>(std::count(taken.begin(), taken.end(), true));
  });
  EXPECT_NEAR(mean.value, 4.2, 1e-12);
  EXPECT_NEAR(mean.error, std::sqrt(38.8 / 4 / 5), 1e-12);
}

/// Tables of Abramowitz and Stegun, 26.10 and 26.8; the formula for chi-square is within 3 %.
TEST(Bounds, AreThoseOfTheTables) {
  EXPECT_NEAR(student_bound(12), 4.437, 0.02);
  EXPECT_NEAR(student_bound(31), 3.646, 0.002);
  EXPECT_NEAR(chi_square_bound(8), 26.124, 0.3);
  EXPECT_NEAR(chi_square_bound(1), 10.828, 0.4);
}

/// Counts of ranks whose points come in groups of ten that share their rank: 300 groups in each of 12
/// samples, sharing `shift` of the points to the middle.
std::vector<std::vector<double>> grouped_ranks(int seed, double shift) {
  std::vector<std::vector<double>> counts(12, std::vector<double>(9, 0.0));
  for (int sample = 0; sample < 12; ++sample) {
    std::array<float, 300> draws;
    fill_normal_noise(static_cast<std::uint64_t>(seed), Time{}, sample, 0, draws);
    for (const float draw : draws) {
      const double uniform = 0.5 * std::erfc(-static_cast<double>(draw) / std::sqrt(2.0));
      const double moved = 0.5 + (uniform - 0.5) * (1 - shift);
      counts[sample][static_cast<std::size_t>(moved * 9)] += 10;
    }
  }
  return counts;
}

TEST(Flatness, AllowsForPointsThatAreNotIndependent) {
  int refused = 0;
  for (int seed = 0; seed < 200; ++seed) {
    refused += flatness_of_ranks(grouped_ranks(seed, 0)).flat() ? 0 : 1;
  }
  EXPECT_LE(refused, 2) << "of 200, 0.2 are expected";
  EXPECT_FALSE(flatness_of_ranks(grouped_ranks(1, 0.1)).flat()) << "the twin that must fail";
}

}  // namespace
}  // namespace mosaic::test
