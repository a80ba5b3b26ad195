#include "eval/block_bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "base/noise.hpp"
#include "base/random_words.hpp"
#include "eval/quantile.hpp"
#include "support/errors.hpp"

namespace mosaic::eval {
namespace {

/// x_t = r x_(t-1) + e_t with unit normal e, begun in its stationary state; `series` tells series apart.
std::vector<double> autoregressive(std::size_t count, double r, int series) {
  std::vector<float> noise(count);
  fill_normal_noise(20, Time{0}, series, 0, noise);
  std::vector<double> values = {noise[0] / std::sqrt(1.0 - r * r)};
  for (std::size_t t = 1; t < count; ++t) {
    values.push_back(r * values.back() + noise[t]);
  }
  return values;
}

TimeSeries plain(const std::vector<double>& values) {
  return {values.size(), 1, values, std::vector<double>(values.size(), 1.0)};
}

double first(std::span<const double> means) { return means[0]; }

std::vector<double> population(double r, std::size_t lags) {
  std::vector<double> covariances;
  for (std::size_t k = 0; k <= lags; ++k) {
    covariances.push_back(std::pow(r, static_cast<double>(k)) / (1.0 - r * r));
  }
  return covariances;
}

double closed_form(double r, double count) {
  return std::cbrt(6.0 * r * r * count / std::pow(1.0 - r * r, 2));
}

TEST(BlockBootstrap, WordsAreThoseOfPhilox) {
  // Known answers of the generator's authors for counter and key 0 and for all bits set.
  EXPECT_EQ(random_words(0, {0, 0, 0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(random_words(~std::uint64_t{0}, {~0U, ~0U, ~0U, ~0U}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(BlockBootstrap, QuantileIsLinearBetweenRanks) {
  const std::vector<double> values = {1, 2, 4};
  EXPECT_EQ(quantile(values, 0.0), 1.0);
  EXPECT_EQ(quantile(values, 0.25), 1.5);
  EXPECT_EQ(quantile(values, 1.0), 4.0);
  EXPECT_THROW(quantile({}, 0.5), Error);
}

TEST(BlockBootstrap, AutocovariancesByHand) {
  // Mean 3; deviations -2 -1 0 1 2: squares 10, lag 1: 2 + 0 + 0 + 2 = 4, lag 2: 0 - 1 + 0 = -1; over 5.
  const std::vector<double> values = {1, 2, 3, 4, 5};
  EXPECT_EQ(autocovariances(values, 2), (std::vector<double>{2.0, 0.8, -0.2}));
}

// N = 100: K_N = 5, bound 2 sqrt(2 / 100) = 0.2828. Correlations 0.5 and 0.3 are related, 0.1 ... are not:
// m = 2, M = 4, lambda = 1, 1, 0.5, 0. G = 2 (0.5 + 2 0.3 + 3 0.5 0.1) = 2.5; sum 1 + 2 (0.5 + 0.3 + 0.05)
// = 2.7; D = 4/3 7.29 = 9.72; b = (2 6.25 / 9.72 100)^(1/3) = 5.0475.
TEST(BlockBootstrap, BlockLengthByHand) {
  const std::vector<double> covariances = {1.0, 0.5, 0.3, 0.1, 0.0, 0.05, -0.1, 0.02, 0.0, 0.0};
  EXPECT_EQ(lags_for_block_length(100), 15U);
  EXPECT_NEAR(optimal_block_length(covariances, 100), std::cbrt(2.0 * 6.25 / 9.72 * 100.0), 1e-12);
  // A single lag of 4 unrelated ones does not end the search: lag 7 is related, M is cut to the 9 lags there.
  std::vector<double> late = covariances;
  late[7] = 0.4;
  EXPECT_GT(optimal_block_length(late, 100), optimal_block_length(covariances, 100));
  // Nothing related: m = 1, M = 2, only lag 1 counts: (2 (2 0.1)^2 / (4/3 1.2^2) 100)^(1/3).
  EXPECT_NEAR(optimal_block_length(std::vector{1.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0}, 100),
              std::cbrt(2.0 * 0.04 / (4.0 / 3.0 * 1.44) * 100.0), 1e-12);
  // Bounds: 1, and N / 3 or 3 sqrt(N).
  EXPECT_EQ(optimal_block_length(std::vector{1.0, 0.0, 0.0}, 100), 1.0);
  EXPECT_EQ(optimal_block_length(std::vector{1.0, -0.45, 0.0, 0.0}, 12), 4.0);  // not 11.3
}

// With the true autocovariances all that is lost are the lags behind m that the taper cuts: relative to
// G = 2 r / (1 - r)^2 less than sum_(k > m) k r^k (1 - r)^2 / r = r^m (1 + m (1 - r)), and to the sum less
// than 2 r^(m + 1) / (1 + r). b goes with the powers 2/3 of both.
TEST(BlockBootstrap, TrueAutoregressiveCovariancesGiveTheClosedForm) {
  for (const double r : {0.3, 0.5, 0.8}) {
    const std::size_t count = 1000000;
    const double bound = 2.0 * std::sqrt(std::log10(1e6) / 1e6);
    const double m = std::floor(std::log(bound) / std::log(r));
    const double lost = std::pow(r, m) * (1.0 + m * (1.0 - r)) + 2.0 * std::pow(r, m + 1.0) / (1.0 + r);
    const double length = optimal_block_length(population(r, lags_for_block_length(count)), count);
    EXPECT_NEAR(length / closed_form(r, 1e6), 1.0, 2.0 / 3.0 * lost * 1.1) << r;
    EXPECT_LT(lost, 0.25) << r;
  }
}

// Of series: sd(R(k)) <= sqrt(2 / N sum_j R(j)^2) (Bartlett), so that with M = 2 m the error of G is at most
// 2 sum lambda k sd(R) = 2 (m (m + 1) / 2 + about m^2 2/3) sd. r = 0.5, N = 200000: bound 0.0103, m = 6,
// 2 45 sqrt(2 5/3 / 2e5) = 0.37 of G = 4 (with R(0) = 1): 9 %, b 6 %; plus what the taper cuts,
// 0.5^6 (1 + 3) + ... = 7 %, b 5 %. Four standard deviations of a mean of 8 series: 4 6 / sqrt(8) + 5 < 15 %.
TEST(BlockBootstrap, SeriesGiveTheClosedForm) {
  const std::size_t count = 200000;
  double sum = 0.0;
  for (int series = 0; series < 8; ++series) {
    sum += static_cast<double>(automatic_block_length(autoregressive(count, 0.5, series)));
  }
  EXPECT_NEAR(sum / 8.0 / closed_form(0.5, 2e5), 1.0, 0.15);
  // The twin: another process does not pass.
  EXPECT_GT(std::abs(static_cast<double>(automatic_block_length(autoregressive(count, 0.2, 1))) /
                         closed_form(0.5, 2e5) -
                     1.0),
            0.15);
}

TEST(BlockBootstrap, ASampleIsMadeOfWholeBlocksOnACircle) {
  const std::size_t times = 10, block = 4;
  std::set<std::size_t> starts;
  for (std::uint32_t sample = 0; sample < 200; ++sample) {
    const auto chosen = resampled_times(times, block, 1, sample);
    ASSERT_EQ(chosen.size(), times);
    for (std::size_t i = 1; i < times; ++i) {
      if (i % block != 0) {
        EXPECT_EQ(chosen[i], (chosen[i - 1] + 1) % times);
      }
    }
    starts.insert({chosen[0], chosen[4], chosen[8]});
  }
  EXPECT_EQ(starts.size(), times);  // every initial time begins a block
}

TEST(BlockBootstrap, ASeedGivesTheSameBits) {
  const TimeSeries series = plain(autoregressive(60, 0.5, 3));
  const Interval one = bootstrap_interval(series, first, {.seed = 5});
  const Interval again = bootstrap_interval(series, first, {.seed = 5});
  const Interval other = bootstrap_interval(series, first, {.seed = 6});
  EXPECT_EQ(one.lower, again.lower);
  EXPECT_EQ(one.upper, again.upper);
  EXPECT_EQ(one.estimate, other.estimate);
  EXPECT_NE(one.lower, other.lower);
  EXPECT_NE(one.upper, other.upper);
  const Interval narrow = bootstrap_interval(series, first, {.confidence = 0.5, .seed = 5});
  EXPECT_GT(narrow.lower, one.lower);
  EXPECT_LT(narrow.upper, one.upper);
}

// Every sample of a whole circle has the same mean: the interval shrinks to the estimate.
TEST(BlockBootstrap, OneBlockOfAllGivesThePoint) {
  const Interval interval = bootstrap_interval(plain({1, 2, 4, 9}), first, {.block_length = 4});
  EXPECT_EQ(interval.lower, 4.0);
  EXPECT_EQ(interval.upper, 4.0);
}

TEST(BlockBootstrap, WeightsAndNumbersOfSeveralMeans) {
  // Means (1 1 + 3 3) / 4 = 2.5 and (8 + 2) / 2 = 5, the third initial time has no weight there.
  const TimeSeries series{3, 2, {1, 8, 3, 2, 7, std::nan("")}, {1, 1, 3, 1, 0, 0}};
  const auto ratio = [](std::span<const double> means) { return means[1] / means[0]; };
  EXPECT_EQ(bootstrap_interval(series, ratio, {}).estimate, 2.0);
}

TEST(BlockBootstrap, NoIntervalWhereThereIsNone) {
  const Interval two = bootstrap_interval(plain({1, 2}), first, {});
  EXPECT_EQ(two.estimate, 1.5);
  EXPECT_TRUE(std::isnan(two.lower) && std::isnan(two.upper));
  EXPECT_FALSE(two.exists());
  EXPECT_FALSE(two.excludes(0.0));
  EXPECT_TRUE(std::isnan(bootstrap_interval(plain({}), first, {}).estimate));
  const Interval undefined = bootstrap_interval(plain({1, std::nan(""), 2, 3}), first, {});
  EXPECT_TRUE(std::isnan(undefined.estimate) && std::isnan(undefined.lower));
  EXPECT_TRUE(bootstrap_interval(plain({1, 2, 3}), first, {}).exists());
  EXPECT_EQ(automatic_block_length(std::vector<double>(50, 2.0)), 1U);
}

TEST(BlockBootstrap, BadArgumentsAreRefused) {
  const TimeSeries series = plain({1, 2, 3});
  for (const BootstrapOptions& options :
       {BootstrapOptions{.samples = 1}, BootstrapOptions{.confidence = 1.0},
        BootstrapOptions{.confidence = 0.0}, BootstrapOptions{.block_length = 0},
        BootstrapOptions{.block_length = 4}}) {
    EXPECT_EQ(test::code_of([&] { bootstrap_interval(series, first, options); }), ExitCode::internal);
  }
  EXPECT_EQ(test::code_of([&] { bootstrap_interval({3, 2, {1}, {1}}, first, {}); }), ExitCode::internal);
}

/// Share of `trials` series whose 95 % interval of the mean holds the true mean 0.
double coverage(std::size_t count, double r, std::optional<std::size_t> block, int trials) {
  int held = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const BootstrapOptions options{
        .samples = 400, .seed = static_cast<std::uint64_t>(trial), .block_length = block};
    const Interval interval =
        bootstrap_interval(plain(autoregressive(count, r, 100 + trial)), first, options);
    held += interval.lower <= 0.0 && 0.0 <= interval.upper ? 1 : 0;
  }
  return static_cast<double>(held) / trials;
}

constexpr int trials = 1500;

/// Four standard deviations of a binomial share, and 0.005 for quantiles of 400 samples.
double band(double share) { return 4.0 * std::sqrt(share * (1.0 - share) / trials) + 0.005; }

// Single draws of N independent values: samples have the variance (N - 1) / N s^2 / N, so that the interval
// is mean +- z sqrt((N - 1) / N) s / sqrt(N). It holds the mean with P(|t_(N-1)| < z sqrt((N - 1) / N)),
// which for N = 50 is P(|t_49| < 1.940) = 0.942.
TEST(BlockBootstrap, CoverageOfIndependentValues) {
  EXPECT_NEAR(coverage(50, 0.0, 1, trials), 0.942, band(0.942));
  // Automatic blocks of b values lose the share b / N of the variance more; they are 1 to 4 long here:
  // P(|t_49| < 1.940 sqrt(1 - 4/50)) = 0.931.
  const double automatic = coverage(50, 0.0, std::nullopt, trials);
  EXPECT_GT(automatic, 0.931 - band(0.931));
  EXPECT_LT(automatic, 0.95 + band(0.95));
}

// r = 0.5, N = 400: b = 10.2 leaves out the share 2 r / (1 - r^2) / b = 0.131 of the variance of the mean,
// and b / N = 0.026 with the sample's mean: P(|z| < 1.960 sqrt(0.843)) = 0.928; the scatter of b and of the
// variance (relative 0.18, as of 60 degrees of freedom) takes 0.01 more at most.
TEST(BlockBootstrap, CoverageOfAutoregressiveValues) {
  const double automatic = coverage(400, 0.5, std::nullopt, trials);
  EXPECT_GT(automatic, 0.918 - band(0.918));
  EXPECT_LT(automatic, 0.95 + band(0.95));
}

// The twin: blocks of 1 miss the correlation. The variance is (1 - r) / (1 + r) = 1/3 of the true one:
// P(|z| < 1.960 / sqrt(3)) = 0.742.
TEST(BlockBootstrap, SingleDrawsOfAutoregressiveValuesAreFarTooSure) {
  EXPECT_NEAR(coverage(400, 0.5, 1, trials), 0.742, band(0.742));
}

}  // namespace
}  // namespace mosaic::eval
