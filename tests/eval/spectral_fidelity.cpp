#include "eval/spectral_fidelity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/error.hpp"

namespace mosaic::eval {
namespace {

const double nan_value = std::nan("");

std::vector<double> power_law(std::size_t lmax, double slope, double constant = 1.0) {
  std::vector<double> spectrum = {0.0};
  for (std::size_t l = 1; l <= lmax; ++l) {
    spectrum.push_back(constant * std::pow(static_cast<double>(l), slope));
  }
  return spectrum;
}

TEST(SpectralFidelity, TrustedDegrees) {
  EXPECT_EQ(last_trusted_degree(119), 100U);
  EXPECT_EQ(last_trusted_degree(30), 25U);
  EXPECT_EQ(last_trusted_degree(1), 1U);
  EXPECT_EQ(last_trusted_degree(0), 0U);
  EXPECT_EQ(judged_degrees(119).first, 10U);
  EXPECT_EQ(judged_degrees(119).last, 100U);
  EXPECT_EQ(judged_degrees(8).first, 1U);
}

TEST(SpectralFidelity, RatioByDegree) {
  const auto ratio =
      degree_ratio(std::vector{1.0, 3.0, 0.0, 1.0, nan_value}, std::vector{2.0, 1.5, 4.0, 0.0, 1.0});
  EXPECT_EQ(ratio[0], 0.5);
  EXPECT_EQ(ratio[1], 2.0);
  EXPECT_EQ(ratio[2], 0.0);
  EXPECT_TRUE(std::isnan(ratio[3]));
  EXPECT_TRUE(std::isnan(ratio[4]));
  EXPECT_THROW(degree_ratio(std::vector{1.0}, std::vector{1.0, 2.0}), Error);
}

TEST(SpectralFidelity, StatisticsOverInitialTimes) {
  // Degree 0: ratios 1, 2, 3, 4, 5 with equal truths; degree 1: 0.5 everywhere with unequal truths.
  const std::vector<double> forecasts = {2, 1, 4, 2, 6, 3, 8, 4, 10, 5},
                            truths = {2, 2, 2, 4, 2, 6, 2, 8, 2, 10};
  const RatioStatistics statistics = ratio_statistics(forecasts, truths, 1);
  EXPECT_DOUBLE_EQ(statistics.of_means[0], 3.0);
  EXPECT_DOUBLE_EQ(statistics.deviation[0], std::sqrt(2.5));
  EXPECT_DOUBLE_EQ(statistics.lower[0], 1.2);
  EXPECT_DOUBLE_EQ(statistics.upper[0], 4.8);
  EXPECT_DOUBLE_EQ(statistics.of_means[1], 0.5);
  EXPECT_DOUBLE_EQ(statistics.deviation[1], 0.0);
  EXPECT_DOUBLE_EQ(statistics.lower[1], 0.5);
  // A ratio of means is no mean of ratios.
  const RatioStatistics uneven = ratio_statistics(std::vector{1.0, 9.0}, std::vector{1.0, 3.0}, 0);
  EXPECT_DOUBLE_EQ(uneven.of_means[0], 2.5);
  const RatioStatistics one = ratio_statistics(std::vector{1.0, 2.0}, std::vector{4.0, 4.0}, 1);
  EXPECT_TRUE(std::isnan(one.deviation[0]));
  EXPECT_EQ(one.lower[1], 0.5);
  const RatioStatistics spoilt = ratio_statistics(std::vector{1.0, nan_value}, std::vector{1.0, 1.0}, 0);
  EXPECT_TRUE(std::isnan(spoilt.of_means[0]) && std::isnan(spoilt.lower[0]) &&
              std::isnan(spoilt.deviation[0]));
  EXPECT_THROW(ratio_statistics(forecasts, truths, 2), Error);
}

TEST(SpectralFidelity, EffectiveResolutionEndsWhereTheBandIsLeft) {
  std::vector<double> ratio(120, 1.0);
  const DegreeRange range = judged_degrees(119);
  EXPECT_EQ(effective_resolution(ratio, range), 100U) << "no conclusion beyond the trusted degrees";
  ratio[3] = 9.0;
  EXPECT_EQ(effective_resolution(ratio, range), 100U) << "degrees below the first one do not count";
  ratio[61] = 0.79;
  EXPECT_EQ(effective_resolution(ratio, range), 60U) << "later degrees inside the band do not count";
  ratio[40] = 1.26;
  EXPECT_EQ(effective_resolution(ratio, range), 39U) << "too much power ends it as well";
  EXPECT_EQ(effective_resolution(ratio, range, {0.5, 2.0}), 100U);
  ratio[12] = nan_value;
  EXPECT_EQ(effective_resolution(ratio, range), 11U);
  ratio[10] = 0.1;
  EXPECT_EQ(effective_resolution(ratio, range), std::nullopt);
  EXPECT_THROW(effective_resolution(ratio, {10, 120}), Error);
  EXPECT_THROW(effective_resolution(ratio, {11, 10}), Error);
}

TEST(SpectralFidelity, DampingOfAGaussianFilter) {
  // P_l exp(-2 (l / 80)^2) leaves the band where 2 (l / 80)^2 > ln(1 / 0.8): l > 26.7.
  const auto truth = power_law(119, -3.0);
  std::vector<double> damped = truth;
  for (std::size_t l = 0; l < damped.size(); ++l) {
    damped[l] *= std::exp(-2.0 * std::pow(static_cast<double>(l) / 80.0, 2));
  }
  EXPECT_EQ(effective_resolution(degree_ratio(damped, truth), judged_degrees(119)), 26U);
}

TEST(SpectralFidelity, LogSpectralDistance) {
  const auto truth = power_law(119, -3.0);
  const DegreeRange range = judged_degrees(119);
  EXPECT_EQ(log_spectral_distance(truth, truth, range), 0.0);
  EXPECT_NEAR(log_spectral_distance(power_law(119, -3.0, 2.0), truth, range), 10.0 * std::log10(2.0), 1e-12);
  EXPECT_NEAR(log_spectral_distance(power_law(119, -3.0, 0.5), truth, range), 10.0 * std::log10(2.0), 1e-12);
  // Half of the degrees 10 times too strong, the others right: 10 dB / sqrt(2).
  std::vector<double> half = truth;
  for (std::size_t l = 11; l <= 100; l += 2) {
    half[l] *= 10.0;
  }
  EXPECT_NEAR(log_spectral_distance(half, truth, {11, 100}), 10.0 / std::sqrt(2.0), 1e-12);
  half[50] = 0.0;
  EXPECT_TRUE(std::isnan(log_spectral_distance(half, truth, range)));
  EXPECT_THROW(log_spectral_distance(half, truth, {10, 120}), Error);
}

TEST(SpectralFidelity, BumpsAreFoundAndPowerLawsAreNot) {
  for (const std::size_t lmax : {30U, 119U}) {
    for (const double slope : {-5.0, -3.0, -5.0 / 3.0, 0.0}) {
      const GridScaleBump clean = grid_scale_bump(power_law(lmax, slope, 7.0));
      EXPECT_NEAR(clean.slope, slope, 1e-9);
      EXPECT_NEAR(clean.excess, 0.0, 1e-9);
      EXPECT_FALSE(clean.bump);
    }
    std::vector<double> raised = power_law(lmax, -3.0), damped = raised, absent = raised;
    for (std::size_t l = 9 * lmax / 10 + 1; l <= lmax; ++l) {
      raised[l] *= 2.0;
      damped[l] *= 0.1;
    }
    EXPECT_NEAR(grid_scale_bump(raised).excess, 10.0 * std::log10(2.0), 1e-9);
    EXPECT_TRUE(grid_scale_bump(raised).bump);
    EXPECT_NEAR(grid_scale_bump(damped).excess, -10.0, 1e-9);
    EXPECT_FALSE(grid_scale_bump(damped).bump);
    absent[lmax] = 0.0;
    EXPECT_TRUE(std::isnan(grid_scale_bump(absent).excess));
    EXPECT_FALSE(grid_scale_bump(absent).bump);
  }
  EXPECT_THROW(grid_scale_bump(power_law(8, -3.0)), Error);
}

/// What sampling at points does to a spectrum l^-3 of the 1.5 degree grid (factors at 20 ... 119 as measured)
/// is a bump; the scatter of a single spectrum, of variance 2 / (2 l + 1), is none.
TEST(SpectralFidelity, AliasingIsABumpAndScatterIsNone) {
  const std::vector<std::pair<double, double>> factors = {
      {0, 1}, {20, 1.005}, {40, 1.014}, {60, 1.019}, {80, 1.013}, {100, 1.298}, {110, 1.477}, {119, 1.749}};
  std::vector<double> sampled = power_law(119, -3.0);
  for (std::size_t l = 1; l < sampled.size(); ++l) {
    const auto place = static_cast<double>(l);
    std::size_t i = 1;
    while (factors[i].first < place) {
      ++i;
    }
    const double share = (place - factors[i - 1].first) / (factors[i].first - factors[i - 1].first);
    sampled[l] *= factors[i - 1].second + share * (factors[i].second - factors[i - 1].second);
  }
  EXPECT_TRUE(grid_scale_bump(sampled).bump);
  EXPECT_GT(grid_scale_bump(sampled).excess, 1.5);
  std::mt19937 bits(5);
  for (int draw = 0; draw < 200; ++draw) {
    std::vector<double> scattered = power_law(119, -3.0);
    for (std::size_t l = 1; l < scattered.size(); ++l) {
      double chi = 0.0;  // of 2 l + 1 squared normal numbers
      for (std::size_t m = 0; m < 2 * l + 1; ++m) {
        chi += std::pow(std::normal_distribution<double>()(bits), 2);
      }
      scattered[l] *= chi / static_cast<double>(2 * l + 1);
    }
    EXPECT_FALSE(grid_scale_bump(scattered).bump) << grid_scale_bump(scattered).excess;
  }
}

}  // namespace
}  // namespace mosaic::eval
