#include "grid/harmonic_tables.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/error.hpp"
#include "grid/legendre.hpp"

namespace mosaic {
namespace {

constexpr Extended pi = std::numbers::pi_v<Extended>;

LatLonGrid gaussian_grid(std::size_t n_lon, std::size_t n_lat) {
  LatLonGrid grid = LatLonGrid::without_poles(static_cast<int>(n_lon), static_cast<int>(n_lat));
  const ColatitudeRule rule = gauss_rule(n_lat);
  for (std::size_t j = 0; j < n_lat; ++j) {
    grid.latitude[j] = static_cast<double>(90.0 - rule.theta[n_lat - 1 - j] * 180.0 / pi);
  }
  return grid;
}

std::vector<LatLonGrid> grids() {
  return {
      LatLonGrid::with_poles(24, 13),    LatLonGrid::with_poles(26, 12), LatLonGrid::without_poles(24, 12),
      LatLonGrid::without_poles(27, 13), gaussian_grid(24, 12),          gaussian_grid(27, 13)};
}

std::vector<Extended> colatitudes(const LatLonGrid& grid) {
  std::vector<Extended> theta;
  for (const double latitude : grid.latitude) {
    theta.push_back((90.0 - latitude) * pi / 180.0);
  }
  return theta;
}

TEST(Legendre, ClosedFormsOfLowDegrees) {
  const std::vector<Extended> theta = {0.0, 0.3, pi / 2, 2.9, pi};
  const auto p0 = legendre_functions(0, 3, theta), p1 = legendre_functions(1, 3, theta),
             p3 = legendre_functions(3, 3, theta);
  for (std::size_t q = 0; q < theta.size(); ++q) {
    const double x = std::cos(theta[q]), s = std::sin(theta[q]);
    EXPECT_NEAR(p0[q], 1.0, 1e-15);
    EXPECT_NEAR(p0[5 + q], std::sqrt(3.0) * x, 1e-15);
    EXPECT_NEAR(p0[15 + q], std::sqrt(7.0) * (5 * x * x * x - 3 * x) / 2, 4e-15);
    EXPECT_NEAR(p1[q], -std::sqrt(1.5) * s, 1e-15);
    EXPECT_NEAR(p1[5 + q], -std::sqrt(7.5) * s * x, 2e-15);
    EXPECT_NEAR(p3[q], -std::sqrt(35.0 / 16.0) * s * s * s, 2e-15);
  }
}

TEST(Legendre, SlopesAreThoseOfTheFunctionsAndFiniteAtThePoles) {
  const std::size_t lmax = 40;
  const double step = 1e-5;
  const std::vector<Extended> theta = {0.0, 0.2, 1.1, pi / 2, 2.0, 3.0, pi};
  std::vector<Extended> before = theta, after = theta;
  std::for_each(before.begin(), before.end(), [&](Extended& t) { t -= step; });
  std::for_each(after.begin(), after.end(), [&](Extended& t) { t += step; });
  for (std::size_t m = 0; m <= lmax; ++m) {
    const LegendreSlopes slopes = legendre_slopes(m, lmax, theta);
    const auto low = legendre_functions(m, lmax, before), high = legendre_functions(m, lmax, after);
    const auto here = legendre_functions(m, lmax, theta);
    for (std::size_t l = std::max<std::size_t>(m, 1); l <= lmax; ++l) {
      const double root = std::sqrt(static_cast<double>(l * (l + 1)));
      for (std::size_t q = 0; q < theta.size(); ++q) {
        const std::size_t i = (l - m) * theta.size() + q;
        // Central differences: step^2 / 6 of a third derivative below l^3 sqrt(2 l + 1).
        EXPECT_NEAR(slopes.slope[i], (high[i] - low[i]) / (2 * step) / root, 1e-6)
            << m << " " << l << " " << q;
        const bool pole = q == 0 || q + 1 == theta.size();
        // At a pole the mean of both sides, right to second order as well.
        const double turning = pole ? 0.5 * (high[i] / std::sin(after[q]) + low[i] / std::sin(before[q]))
                                    : here[i] / std::sin(theta[q]);
        EXPECT_NEAR(slopes.turning[i], static_cast<double>(m) * turning / root, pole ? 1e-6 : 1e-12)
            << m << " " << l << " " << q;
      }
    }
  }
}

TEST(Legendre, GaussRuleIntegratesPowersOfTheCosine) {
  for (const std::size_t nodes : {1U, 2U, 5U, 32U, 121U}) {
    const ColatitudeRule rule = gauss_rule(nodes);
    for (std::size_t power = 0; power < 2 * nodes; ++power) {
      double sum = 0;
      for (std::size_t q = 0; q < nodes; ++q) {
        sum += rule.weight[q] * std::pow(std::cos(rule.theta[q]), static_cast<double>(power));
      }
      EXPECT_NEAR(sum, power % 2 == 0 ? 1.0 / static_cast<double>(power + 1) : 0.0, 1e-14)
          << nodes << " " << power;
    }
  }
}

TEST(HarmonicTables, KindsAndDegreesOfGrids) {
  EXPECT_EQ(latitude_kind(LatLonGrid::with_poles(240, 121)), LatitudeKind::equiangular_with_poles);
  EXPECT_EQ(latitude_kind(LatLonGrid::without_poles(64, 32)), LatitudeKind::equiangular_without_poles);
  EXPECT_EQ(latitude_kind(gaussian_grid(64, 32)), LatitudeKind::gaussian);
  EXPECT_EQ(largest_degree(LatLonGrid::with_poles(240, 121), HarmonicMethod::exact), 119U);
  EXPECT_EQ(largest_degree(LatLonGrid::with_poles(240, 121), HarmonicMethod::direct), 120U);
  EXPECT_EQ(largest_degree(LatLonGrid::without_poles(64, 32), HarmonicMethod::exact), 30U);
  EXPECT_EQ(largest_degree(LatLonGrid::without_poles(64, 32), HarmonicMethod::direct), 31U);
  EXPECT_EQ(largest_degree(LatLonGrid::with_poles(144, 73), HarmonicMethod::exact), 71U);
  EXPECT_EQ(largest_degree(gaussian_grid(64, 32), HarmonicMethod::exact), 31U);
  EXPECT_EQ(largest_degree(LatLonGrid::with_poles(60, 121), HarmonicMethod::exact), 29U);
}

TEST(HarmonicTables, OtherGridsAreErrorsThatNameTheSupportedOnes) {
  LatLonGrid shifted = LatLonGrid::with_poles(24, 13);
  shifted.latitude[3] += 0.01;
  LatLonGrid region = LatLonGrid::with_poles(24, 13);
  region.latitude.resize(7);
  for (const LatLonGrid& grid : {shifted, region}) {
    try {
      make_harmonic_tables(grid, HarmonicMethod::exact, 1);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::corrupt_input);
      const std::string text = error.what();
      EXPECT_NE(text.find("both poles"), std::string::npos) << text;
      EXPECT_NE(text.find("half a step off the poles"), std::string::npos) << text;
      EXPECT_NE(text.find("Gaussian"), std::string::npos) << text;
    }
  }
  LatLonGrid uneven = LatLonGrid::with_poles(24, 13);
  uneven.longitude[5] += 0.1;
  EXPECT_THROW(make_harmonic_tables(uneven, HarmonicMethod::exact, 1), Error);
  EXPECT_THROW(make_harmonic_tables(LatLonGrid::with_poles(8, 3), HarmonicMethod::exact, 1), Error);
}

/// sum_j table[m][l][j] P_l'm(theta_j) = delta(l, l'), all degrees to lmax: the analysis undoes the
/// synthesis.
TEST(HarmonicTables, AnalysisOfEveryHarmonicIsItsOwnCoefficient) {
  for (const LatLonGrid& grid : grids()) {
    const HarmonicTables tables = make_harmonic_tables(grid, HarmonicMethod::exact, 2);
    const std::vector<Extended> theta = colatitudes(grid);
    const std::size_t rows = theta.size();
    for (std::size_t m = 0; m <= tables.lmax; ++m) {
      const auto p = legendre_functions(m, tables.lmax, theta);
      for (std::size_t l = m; l <= tables.lmax; ++l) {
        const double* row = tables.scalar.data() + harmonic_row(tables.lmax, m, l) * rows;
        for (std::size_t other = m; other <= tables.lmax; ++other) {
          const double sum = std::inner_product(row, row + rows, p.data() + (other - m) * rows, 0.0);
          EXPECT_NEAR(sum, l == other ? 1.0 : 0.0, 1e-13) << rows << " m " << m << " " << l << " " << other;
        }
      }
    }
  }
}

/// A rotational wind of one (m, l) has u = dP/dtheta, v = i m P / sin theta over sqrt(l (l + 1)): its
/// rotational coefficient is 1, all others are 0, the divergent ones too.
TEST(HarmonicTables, AnalysisOfEveryVectorHarmonicIsItsOwnCoefficient) {
  for (const LatLonGrid& grid : grids()) {
    const HarmonicTables tables = make_harmonic_tables(grid, HarmonicMethod::exact, 1);
    const std::vector<Extended> theta = colatitudes(grid);
    const std::size_t rows = theta.size();
    for (std::size_t m = 0; m <= tables.lmax; ++m) {
      const LegendreSlopes wave = legendre_slopes(m, tables.lmax, theta);
      for (std::size_t l = std::max<std::size_t>(m, 1); l <= tables.lmax; ++l) {
        const double* slope = tables.slope.data() + harmonic_row(tables.lmax, m, l) * rows;
        const double* turning = tables.turning.data() + harmonic_row(tables.lmax, m, l) * rows;
        for (std::size_t other = m; other <= tables.lmax; ++other) {
          const Extended* d = wave.slope.data() + (other - m) * rows;
          const Extended* t = wave.turning.data() + (other - m) * rows;
          // B of (u, v) = (d, -i t): slope d - i turning (-i t) = slope d - turning t with the conjugate's
          // sign.
          const double own = std::inner_product(slope, slope + rows, d, 0.0) +
                             std::inner_product(turning, turning + rows, t, 0.0);
          const double cross = std::inner_product(slope, slope + rows, t, 0.0) +
                               std::inner_product(turning, turning + rows, d, 0.0);
          EXPECT_NEAR(own, l == other ? 1.0 : 0.0, 1e-13) << rows << " m " << m << " " << l << " " << other;
          EXPECT_NEAR(cross, 0.0, 1e-13) << rows << " m " << m << " " << l << " " << other;
        }
      }
    }
  }
}

/// Must fail: plain quadrature on equidistant latitudes is not orthogonal at high degrees, nor are the area
/// weights of scores at low ones.
TEST(HarmonicTables, PlainQuadratureIsNotOrthogonal) {
  const LatLonGrid grid = LatLonGrid::with_poles(24, 13);
  const HarmonicTables tables = make_harmonic_tables(grid, HarmonicMethod::direct, 1);
  const auto p = legendre_functions(0, tables.lmax, colatitudes(grid));
  const auto product = [&](std::size_t l, std::size_t other) {
    const double* row = tables.scalar.data() + harmonic_row(tables.lmax, 0, l) * 13;
    return std::inner_product(row, row + 13, p.data() + other * 13, 0.0);
  };
  EXPECT_NEAR(product(6, 6), 1.0, 1e-14);
  EXPECT_GT(std::abs(product(11, 11) - 1.0), 0.1);
  const auto weights = quadrature_weights(grid), areas = area_weights(grid);
  EXPECT_GT(std::abs(weights[1] - areas[1] / 13.0), 1e-4);
}

TEST(HarmonicTables, WeightsHaveTheSumOneAndTheClosedFormAtThePole) {
  for (const LatLonGrid& grid : grids()) {
    const auto weights = quadrature_weights(grid);
    EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 1.0, 1e-14);
  }
  EXPECT_NEAR(quadrature_weights(LatLonGrid::with_poles(240, 121))[0], 1.0 / (2.0 * (120.0 * 120.0 - 1.0)),
              1e-17);
}

TEST(HarmonicTables, RowsAreSymmetricToTheBitAndIndependentOfThreads) {
  for (const LatLonGrid& grid : grids()) {
    for (const HarmonicMethod method : {HarmonicMethod::exact, HarmonicMethod::direct}) {
      const HarmonicTables tables = make_harmonic_tables(grid, method, 1);
      const std::size_t rows = tables.latitudes;
      for (std::size_t m = 0; m <= tables.lmax; ++m) {
        for (std::size_t l = m; l <= tables.lmax; ++l) {
          const double sign = (l + m) % 2 == 0 ? 1.0 : -1.0;
          const std::size_t row = harmonic_row(tables.lmax, m, l) * rows;
          for (std::size_t j = 0; j < rows; ++j) {
            const std::size_t image = row + rows - 1 - j;
            ASSERT_EQ(tables.scalar[row + j], sign * tables.scalar[image]);
            ASSERT_EQ(tables.turning[row + j], sign * tables.turning[image]);
            ASSERT_EQ(tables.slope[row + j], -sign * tables.slope[image]);
          }
        }
      }
      EXPECT_EQ(make_harmonic_tables(grid, method, 3).slope, tables.slope);
    }
  }
}

}  // namespace
}  // namespace mosaic
