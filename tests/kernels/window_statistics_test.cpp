#include "kernels/window_statistics/window_statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

#include "base/error.hpp"
#include "kernels/numbers.hpp"

namespace mosaic::kernels {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr WindowStatisticsBackend backends[] = {WindowStatisticsBackend::reference,
                                                WindowStatisticsBackend::cpu};

/// Values with everything that can be made of them.
struct WindowCase {
  std::size_t years, days, points, window;
  std::vector<double> probabilities = {0.0, 0.1, 0.5, 0.9, 1.0};
  double dry_below = -0.3;
  std::vector<float> values;

  WindowCase(std::size_t years, std::size_t days, std::size_t points, std::size_t window, unsigned seed = 1)
      : years(years), days(days), points(points), window(window) {
    values = normal_numbers<float>(years * days * points, seed);
  }

  float& at(std::size_t year, std::size_t day, std::size_t point) {
    return values[(year * days + day) * points + point];
  }
  void fill(const std::function<double(std::size_t year, std::size_t day, std::size_t point)>& value) {
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = static_cast<float>(value(k / days / points, k / points % days, k % points));
    }
  }

  struct Results {
    std::vector<float> mean, deviation, quantiles, dry_fraction, wet_quantile;
    friend bool operator==(const Results&, const Results&) = default;
  };

  Results run(WindowStatisticsBackend backend, int threads = 2) const {
    const std::size_t fields = days * points;
    Results r{std::vector<float>(fields), std::vector<float>(fields),
              std::vector<float>(fields * probabilities.size()), std::vector<float>(fields),
              std::vector<float>(fields)};
    window_statistics({.values = values,
                       .years = years,
                       .days = days,
                       .points = points,
                       .window = window,
                       .probabilities = probabilities,
                       .dry_below = dry_below,
                       .mean = r.mean,
                       .deviation = r.deviation,
                       .quantiles = r.quantiles,
                       .dry_fraction = r.dry_fraction,
                       .wet_quantile = r.wet_quantile,
                       .threads = threads},
                      backend);
    return r;
  }
};

/// An empty text if both have NaN in the same places and otherwise differ by at most `limit`.
std::string difference(const std::vector<float>& expected, const std::vector<float>& got, double limit) {
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const bool same =
        std::isnan(expected[k]) ? std::isnan(got[k]) : std::fabs(double{expected[k]} - got[k]) <= limit;
    if (!same) {
      return fmt::format("{} at {} instead of {}", got[k], k, expected[k]);
    }
  }
  return "";
}

// Both round doubles to float32 whose difference is far below its last place: one step of float32 at most.
std::string difference_of_backends(const WindowCase& which) {
  const auto expected = which.run(WindowStatisticsBackend::reference);
  const auto got = which.run(WindowStatisticsBackend::cpu);
  float largest = 0;
  for (const float x : which.values) {
    largest = std::isnan(x) ? largest : std::max(largest, std::fabs(x));
  }
  const double limit = largest * 0x1p-23;
  for (const auto& [name, part] : {std::pair{"mean", &WindowCase::Results::mean},
                                   {"deviation", &WindowCase::Results::deviation},
                                   {"quantiles", &WindowCase::Results::quantiles},
                                   {"dry fraction", &WindowCase::Results::dry_fraction},
                                   {"wet quantile", &WindowCase::Results::wet_quantile}}) {
    if (const auto text = difference(expected.*part, got.*part, limit); !text.empty()) {
      return fmt::format("{} of {} years, {} days, {} points, window {}: {}", name, which.years, which.days,
                         which.points, which.window, text);
    }
  }
  return "";
}

TEST(WindowStatistics, CpuFollowsReference) {
  for (const std::size_t years : {1U, 2U, 7U}) {
    for (const auto& [days, window] :
         {std::pair{1U, 1U}, {2U, 1U}, {3U, 3U}, {10U, 5U}, {36U, 9U}, {61U, 61U}, {40U, 1U}}) {
      for (const std::size_t points : {1U, 5U, 16U, 19U}) {
        EXPECT_EQ(difference_of_backends(WindowCase(years, days, points, window, 7)), "");
      }
    }
  }
}

TEST(WindowStatistics, MissingValuesAreLeftOut) {
  WindowCase which(4, 30, 18, 7, 3);
  for (std::size_t k = 0; k < which.values.size(); k += 3) {
    which.values[k] = nan;
  }
  for (std::size_t y = 0; y < 4; ++y) {
    for (std::size_t d = 5; d < 20; ++d) {
      which.at(y, d, 2) = nan;  // whole windows
    }
    which.at(y, 9, 3) = y == 0 ? 1.0F : nan;
  }
  EXPECT_EQ(difference_of_backends(which), "");
  const auto results = which.run(WindowStatisticsBackend::cpu);
  EXPECT_TRUE(std::isnan(results.mean[12 * 18 + 2]));
  EXPECT_TRUE(std::isnan(results.quantiles[12 * 18 + 2]));
  EXPECT_TRUE(std::isnan(results.dry_fraction[12 * 18 + 2]));
}

TEST(WindowStatistics, TiesAndEqualValues) {
  WindowCase which(5, 20, 3, 9);
  which.values = exact_numbers<float>(which.values.size(), 5);
  EXPECT_EQ(difference_of_backends(which), "");
  which.fill([](std::size_t, std::size_t, std::size_t point) { return point == 0 ? 273.15 : -0.1; });
  const auto r = which.run(WindowStatisticsBackend::cpu);
  for (std::size_t k = 0; k < r.mean.size(); ++k) {
    const float constant = k % 3 == 0 ? 273.15F : -0.1F;
    EXPECT_EQ(r.mean[k], constant);
    EXPECT_NEAR(r.deviation[k], 0.0, 1e-12);
    for (std::size_t q = 0; q < which.probabilities.size(); ++q) {
      EXPECT_EQ(r.quantiles[q * r.mean.size() + k], constant);
    }
  }
}

TEST(WindowStatistics, Weights) {  // T36
  const auto window = triangular_weights(61);
  EXPECT_NEAR(window[30], 61.0 / 30, 1e-15);
  EXPECT_NEAR(window[1], 0.0677777777777778, 1e-15);
  EXPECT_EQ(window[0], 0.0);
  EXPECT_EQ(window[60], 0.0);
  EXPECT_NEAR(std::accumulate(window.begin(), window.end(), 0.0), 61.0, 1e-12);
  EXPECT_EQ(triangular_weights(5), (std::vector<double>{0, 1.25, 2.5, 1.25, 0}));
  EXPECT_EQ(triangular_weights(1), std::vector<double>{1});
  EXPECT_THROW(triangular_weights(4), Error);
}

// The triangle is the convolution of two boxes of H days: it damps cos(2 pi k (d - d0) / D) by
// (sin(H a) / (H sin a))^2 with a = pi k / D, and turns no phase. The deviation of a year-independent wave is
// that of the window: sqrt((1 + damping(2 k) cos(2 phase)) / 2 - mean^2).
TEST(WindowStatistics, CosineHasAClosedForm) {
  WindowCase which(3, 366, 2, 61);
  const double pi = std::numbers::pi;
  which.fill([&](std::size_t, std::size_t day, std::size_t point) {
    return 10.0 * std::cos(2.0 * pi * static_cast<double>((point + 1) * day) / 366.0);
  });
  const auto damping = [&](double k) {
    const double a = pi * k / 366.0;
    return std::pow(std::sin(30.0 * a) / (30.0 * std::sin(a)), 2);
  };
  for (const auto backend : backends) {
    const auto r = which.run(backend);
    for (std::size_t k = 0; k < r.mean.size(); ++k) {
      const double wave = static_cast<double>(k % 2 + 1);
      const double phase = 2.0 * pi * wave * static_cast<double>(k / 2) / 366.0;
      const double mean = damping(wave) * std::cos(phase);
      const double square = (1.0 + damping(2.0 * wave) * std::cos(2.0 * phase)) / 2.0;
      EXPECT_NEAR(r.mean[k], 10.0 * mean, 3e-6);
      EXPECT_NEAR(r.deviation[k], 10.0 * std::sqrt(square - mean * mean), 3e-6);
    }
  }
}

// x = 50000 + y: mean over years, deviation of 0 ... 9; quantiles of equal weights (window 1) are the usual
// linear ones: 9 q.
TEST(WindowStatistics, LinearInTheYear) {
  WindowCase which(10, 12, 1, 5);
  which.probabilities = {0.0, 0.25, 0.5, 1.0};
  which.fill([](std::size_t year, std::size_t, std::size_t) { return 50000.0 + static_cast<double>(year); });
  for (const auto backend : backends) {
    for (const std::size_t window : {1U, 5U}) {
      which.window = window;
      const auto r = which.run(backend);
      for (std::size_t d = 0; d < 12; ++d) {
        EXPECT_EQ(r.mean[d], 50004.5F);
        EXPECT_NEAR(r.deviation[d], std::sqrt(99.0 / 12.0), 1e-6);
        EXPECT_EQ(r.quantiles[d], 50000.0F);
        EXPECT_EQ(r.quantiles[2 * 12 + d], 50004.5F);
        EXPECT_EQ(r.quantiles[3 * 12 + d], 50009.0F);
        if (window == 1) {
          EXPECT_EQ(r.quantiles[12 + d], 50002.25F);
        }
      }
    }
  }
}

// Window 5 has the weights 0 1 2 1 0 (times 1.25); the ends count in the dry fraction only.
TEST(WindowStatistics, DryFractionCountsTheEnds) {
  WindowCase which(1, 10, 1, 5);
  which.dry_below = 0.25;
  which.values = {0, 0, 0.25F, 1, 2, 0, 0, 0, nan, 0};
  for (const auto backend : backends) {
    const auto r = which.run(backend);
    EXPECT_FLOAT_EQ(r.dry_fraction[2], 0.4F);    // 0 0 | 0.25 1 2: not below is not dry
    EXPECT_FLOAT_EQ(r.dry_fraction[7], 1.0F);    // the NaN is left out
    EXPECT_TRUE(std::isnan(r.wet_quantile[7]));  // nothing is wet
    EXPECT_EQ(r.wet_quantile[1], 0.25F);         // the only one of weight > 0
    // 0.25 1 2 with the weights 1 2 1: c = 1/4 3/4 1, n = 8/3, h = 19/9, [5/12, 19/24]: 1 counts 8/9, 2 1/9.
    EXPECT_FLOAT_EQ(r.wet_quantile[3], 10.0F / 9.0F);
  }
}

TEST(WindowStatistics, ThreadsAndNeighboursChangeNothing) {
  const WindowCase all(6, 50, 37, 11, 9);
  const auto r = all.run(WindowStatisticsBackend::cpu, 1);
  EXPECT_EQ(r, all.run(WindowStatisticsBackend::cpu, 4));
  WindowCase one(6, 50, 1, 11);
  for (std::size_t k = 0; k < one.values.size(); ++k) {
    one.values[k] = all.values[k * 37 + 29];
  }
  const auto alone = one.run(WindowStatisticsBackend::cpu);
  for (std::size_t d = 0; d < 50; ++d) {
    EXPECT_EQ(alone.mean[d], r.mean[d * 37 + 29]);
    EXPECT_EQ(alone.deviation[d], r.deviation[d * 37 + 29]);
    EXPECT_EQ(alone.quantiles[50 + d], r.quantiles[(50 + d) * 37 + 29]);
    EXPECT_EQ(alone.wet_quantile[d], r.wet_quantile[d * 37 + 29]);
  }
}

TEST(WindowStatistics, InconsistentArgumentsAreErrors) {
  const WindowCase good(2, 10, 3, 5);
  WindowCase even = good, wide = good, few = good, outside = good;
  even.window = 4;
  wide.window = 11;
  few.values.pop_back();
  outside.probabilities = {1.5};
  for (const auto backend : backends) {
    EXPECT_NO_THROW(good.run(backend));
    for (const auto* bad : {&even, &wide, &few, &outside}) {
      EXPECT_THROW(bad->run(backend), Error);
    }
  }
}

}  // namespace
}  // namespace mosaic::kernels
