// What theory says of an ensemble whose members and truth are draws of one distribution, asked of
// mosaic_hindcast as it stands: spread and error, ranks, CRPS, model error. Initial times are independent,
// and every tolerance follows from the spread over them.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "forecast/jackknife.hpp"
#include "forecast/qg3_runs.hpp"

namespace mosaic {
namespace {

using eval::InitTimeSums;
using kernels::Statistic;
using test::Estimate;
using test::globe;
using test::mean_of;
using test::north;
using test::RunSums;
using test::sum_of;
using test::years;

class Qg3Theory : public test::Qg3Runs {};

bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// Logarithm of spread over error of the ensemble mean, with the factor for a finite ensemble (Fortin et al.
/// 2014): 0 is consistent.
Estimate log_spread_skill(const RunSums& run, std::size_t lead, const std::string& region) {
  const double members = run.front().members;
  return test::jackknife(run.size(), [&](const std::vector<bool>& taken) {
    return 0.5 * std::log((members + 1) / members * sum_of(run, taken, lead, region, Statistic::variance) /
                          sum_of(run, taken, lead, region, Statistic::ensemble_mean_squared_error));
  });
}

bool is_consistent(const Estimate& log_ratio) {
  return std::abs(log_ratio.value) <= test::student_bound(years) * log_ratio.error;
}

TEST_F(Qg3Theory, SpreadIsTheErrorWithinItsConfidenceInterval) {
  for (const std::string& region : {north, globe}) {
    for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
      const Estimate ratio = log_spread_skill(perfect(), lead, region);
      std::printf(
          "%s, %s: spread / error %.3f, standard error %.3f; rmse of the mean %.1f m\n", region.c_str(),
          to_string(perfect().front().leads[lead]).c_str(), std::exp(ratio.value), ratio.error,
          std::sqrt(mean_of(perfect(), lead, region, Statistic::ensemble_mean_squared_error)) / 9.80665);
      EXPECT_TRUE(is_consistent(ratio)) << region << ", lead " << lead;
      EXPECT_LT(ratio.error, 0.1) << "the interval says nothing";
    }
  }
}

/// The numbers that all of this is about do not depend on ranks: two initial times on one.
TEST_F(Qg3Theory, OneRankHasTheSameBits) {
  const auto& one = perfect_on_one_rank();
  ASSERT_EQ(one.size(), 2U);
  for (std::size_t k = 0; k < one.size(); ++k) {
    const auto mine = one[k].arrays();
    const auto others = perfect()[k].arrays();
    ASSERT_EQ(mine.size(), others.size());
    for (std::size_t i = 0; i < mine.size(); ++i) {
      ASSERT_EQ(mine[i].size(), others[i].size());
      EXPECT_TRUE(std::equal(mine[i].begin(), mine[i].end(), others[i].begin(), same_bits)) << "array " << i;
    }
  }
}

/// The twins that must fail: analyses without error, perturbations of twice the size.
TEST_F(Qg3Theory, SpreadThatIsNotTheErrorIsFound) {
  for (const auto* twin : {&without_analysis_error(), &twice_perturbed()}) {
    for (std::size_t lead = 0; lead < 2; ++lead) {
      const Estimate ratio = log_spread_skill(*twin, lead, north);
      std::printf("twin, lead %zu: spread / error %.3f, standard error %.3f\n", lead, std::exp(ratio.value),
                  ratio.error);
      EXPECT_GT(ratio.value, std::log(1.5)) << "lead " << lead;
      EXPECT_FALSE(is_consistent(ratio)) << "lead " << lead;
    }
  }
}

std::vector<std::vector<double>> ranks_of(const RunSums& run, std::size_t lead) {
  std::vector<std::vector<double>> counts;
  for (const InitTimeSums& sums : run) {
    std::size_t channel = 0;
    while (sums.channels[channel].name() != "geopotential_500") {
      ++channel;
    }
    const std::size_t width = static_cast<std::size_t>(sums.members) + 1;
    const auto kind = static_cast<std::size_t>(kernels::RankCount::ties_split);
    const auto first = sums.ranks.begin() +
                       static_cast<std::ptrdiff_t>(
                           (lead * sums.channels.size() + channel) * sums.rank_numbers() + kind * width);
    counts.emplace_back(first, first + static_cast<std::ptrdiff_t>(width));
  }
  return counts;
}

TEST_F(Qg3Theory, RankHistogramsAreFlat) {
  for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
    const test::Flatness ranks = test::flatness_of_ranks(ranks_of(perfect(), lead));
    std::printf("ranks, lead %zu: chi-square %.1f of %.1f degrees, bound %.1f\n", lead, ranks.chi_square,
                ranks.degrees, test::chi_square_bound(ranks.degrees));
    EXPECT_TRUE(ranks.flat()) << "lead " << lead;
  }
  for (const auto* run : {&without_analysis_error(), &twice_perturbed()}) {
    const test::Flatness twin = test::flatness_of_ranks(ranks_of(*run, 0));
    std::printf("ranks, twin: chi-square %.1f of %.1f degrees\n", twin.chi_square, twin.degrees);
    EXPECT_FALSE(twin.flat()) << "the twin that must fail";
  }
}

TEST_F(Qg3Theory, FairCrpsIsBelowTheDeterministicError) {
  for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
    const double crps = mean_of(perfect(), lead, globe, Statistic::absolute_error) -
                        0.5 * mean_of(perfect(), lead, globe, Statistic::spread);
    const double error = mean_of(control(), lead, globe, Statistic::absolute_error);
    std::printf("lead %zu: fair CRPS %.2f m, deterministic MAE %.2f m\n", lead, crps / 9.80665,
                error / 9.80665);
    EXPECT_GT(crps, 0);
    EXPECT_LT(crps, 0.85 * error) << "lead " << lead;  // a normal distribution has 1 / sqrt(2) of it
  }
}

TEST_F(Qg3Theory, AnImperfectModelHasLargerErrorsThanItsSpread) {
  for (std::size_t lead = 1; lead < imperfect().front().leads.size(); ++lead) {
    const Estimate ratio = log_spread_skill(imperfect(), lead, north);
    const double error = mean_of(imperfect(), lead, north, Statistic::ensemble_mean_squared_error);
    const double least = mean_of(perfect(), lead, north, Statistic::ensemble_mean_squared_error);
    std::printf("imperfect, lead %zu: spread / error %.3f, error %.2f of the perfect model's\n", lead,
                std::exp(ratio.value), std::sqrt(error / least));
    EXPECT_GT(error, least) << "lead " << lead;
    EXPECT_LT(ratio.value, 0) << "lead " << lead;
    EXPECT_FALSE(is_consistent(ratio)) << "lead " << lead;
  }
}

}  // namespace
}  // namespace mosaic
