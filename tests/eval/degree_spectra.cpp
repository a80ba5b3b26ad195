#include "eval/degree_spectra.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>
#include <random>

#include "grid/legendre.hpp"

namespace mosaic::eval {
namespace {

constexpr Extended degree = std::numbers::pi_v<Extended> / 180.0L;

std::vector<LatLonGrid> grids() {
  LatLonGrid gaussian = LatLonGrid::without_poles(64, 32);
  const ColatitudeRule rule = gauss_rule(32);
  for (std::size_t j = 0; j < 32; ++j) {
    gaussian.latitude[j] = 90.0 - rule.theta[31 - j] / degree;
  }
  return {LatLonGrid::with_poles(64, 33), LatLonGrid::without_poles(64, 32), gaussian};
}

/// Values of f(latitude, longitude) in radians.
std::vector<double> field_of(const LatLonGrid& grid, const std::function<double(double, double)>& f) {
  std::vector<double> field;
  for (const double latitude : grid.latitude) {
    for (const double longitude : grid.longitude) {
      field.push_back(f(latitude * degree, longitude * degree));
    }
  }
  return field;
}

double sum(const std::vector<double>& list) { return std::accumulate(list.begin(), list.end(), 0.0); }

KineticEnergySpectra energy_of(const DegreeSpectra& spectra, const std::vector<double>& u,
                               const std::vector<double>& v) {
  const double* first[] = {u.data()};
  const double* second[] = {v.data()};
  return spectra.kinetic_energy<double>(first, second);
}

std::vector<double> power_of(const DegreeSpectra& spectra, const std::vector<double>& field) {
  const double* fields[] = {field.data()};
  return spectra.power<double>(fields);
}

/// u = cos(latitude): E_1 = 1/3 and nothing else; the scalar form has 0.3084 in degree 0.
TEST(DegreeSpectra, SolidBodyRotationIsAllInDegreeOne) {
  for (const LatLonGrid& grid : grids()) {
    const DegreeSpectra spectra(grid, 1);
    const auto u = field_of(grid, [](double latitude, double) { return std::cos(latitude); });
    const std::vector<double> v(u.size(), 0.0);
    const KineticEnergySpectra energy = energy_of(spectra, u, v);
    for (std::size_t l = 0; l <= spectra.lmax(); ++l) {
      EXPECT_NEAR(energy.rotational[l], l == 1 ? 1.0 / 3.0 : 0.0, 1e-14) << l;
      EXPECT_NEAR(energy.divergent[l], 0.0, 1e-28) << l;
      EXPECT_EQ(energy.total[l], energy.rotational[l] + energy.divergent[l]);
    }
  }
  // cos(latitude) is no polynomial of x, y, z: degree 0 is exact as far as the scalar continuation |sin| is.
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  const auto u = field_of(grid, [](double latitude, double) { return std::cos(latitude); });
  const std::vector<double> v(u.size(), 0.0);
  const double *first[] = {u.data()}, *second[] = {v.data()};
  const auto scalar = DegreeSpectra(grid, 1).scalar_form_kinetic_energy<double>(first, second);
  EXPECT_NEAR(scalar[0], 0.30842513753404244, 1e-5);
}

/// The same about an axis in the equator, where the wind blows over the poles: nothing depends on the
/// coordinates' pole.
TEST(DegreeSpectra, SolidBodyRotationAboutAnotherAxis) {
  for (const LatLonGrid& grid : grids()) {
    const auto u = field_of(
        grid, [](double latitude, double longitude) { return -std::sin(latitude) * std::cos(longitude); });
    const auto v = field_of(grid, [](double, double longitude) { return std::sin(longitude); });
    const DegreeSpectra spectra(grid, 1);
    const KineticEnergySpectra energy = energy_of(spectra, u, v);
    EXPECT_NEAR(energy.rotational[1], 1.0 / 3.0, 1e-14);
    EXPECT_NEAR(sum(energy.total), 1.0 / 3.0, 1e-14);
    // Must fail: with zeros at the poles, as some transforms have them, energy is lost and spread.
    if (grid.latitude[0] == -90.0) {
      std::vector<double> cut = u, cut_v = v;
      for (std::size_t i = 0; i < grid.longitude.size(); ++i) {
        cut[i] = cut_v[i] = cut[cut.size() - 1 - i] = cut_v[cut.size() - 1 - i] = 0.0;
      }
      EXPECT_GT(std::abs(energy_of(spectra, cut, cut_v).total[1] * 3.0 - 1.0), 1e-4);
    }
  }
}

TEST(DegreeSpectra, SumsAreMeanSquares) {
  std::mt19937 bits(3);
  for (const LatLonGrid& grid : grids()) {
    // Degrees to 12: their squares are within every quadrature.
    const std::size_t points = grid.points(), columns = grid.longitude.size();
    std::vector<Extended> theta;
    for (const double latitude : grid.latitude) {
      theta.push_back((90.0 - latitude) * degree);
    }
    std::vector<double> f(points, 0.0), u(points, 0.0), v(points, 0.0);
    for (std::size_t m = 0; m <= 12; ++m) {
      const auto p = legendre_functions(m, 12, theta);
      const LegendreSlopes slopes = legendre_slopes(m, 12, theta);
      for (std::size_t row = 0; row < 13 - m; ++row) {
        const auto order = static_cast<double>(m);
        // Streamfunction a P cos(m lambda), velocity potential b P cos(m lambda).
        const double a = std::normal_distribution<double>()(bits),
                     b = std::normal_distribution<double>()(bits);
        for (std::size_t i = 0; i < points; ++i) {
          const double wave = order * grid.longitude[i % columns] * degree;
          const std::size_t at = row * theta.size() + i / columns;
          f[i] += p[at] * (a * std::cos(wave) + b * std::sin(wave));
          u[i] += slopes.slope[at] * a * std::cos(wave) - slopes.turning[at] * b * std::sin(wave);
          v[i] += -slopes.turning[at] * a * std::sin(wave) - slopes.slope[at] * b * std::cos(wave);
        }
      }
    }
    const std::vector<double> weights = quadrature_weights(grid);
    double squares = 0.0, kinetic = 0.0;
    for (std::size_t i = 0; i < points; ++i) {
      squares += weights[i / columns] * f[i] * f[i] / static_cast<double>(columns);
      kinetic += weights[i / columns] * 0.5 * (u[i] * u[i] + v[i] * v[i]) / static_cast<double>(columns);
    }
    const DegreeSpectra spectra(grid, 2);
    const std::vector<double> power = power_of(spectra, f);
    const KineticEnergySpectra energy = energy_of(spectra, u, v);
    EXPECT_NEAR(sum(power) / squares, 1.0, 1e-13);
    EXPECT_NEAR(sum(energy.total) / kinetic, 1.0, 1e-13);
    EXPECT_GT(sum(energy.divergent), 0.1 * kinetic);
    EXPECT_EQ(energy.total[0], 0.0);
    EXPECT_LE(power[13], 1e-25 * squares) << "nothing beyond the field's degrees";
  }
}

TEST(DegreeSpectra, FloatsAndDoublesOfTheSameNumbersGiveTheSameBits) {
  const LatLonGrid grid = LatLonGrid::with_poles(24, 13);
  const DegreeSpectra spectra(grid, 1);
  std::mt19937 bits(4);
  std::vector<float> single(grid.points());
  for (float& value : single) {
    value = static_cast<float>(bits() >> 8);
  }
  const std::vector<double> twice(single.begin(), single.end());
  const float* fields[] = {single.data()};
  EXPECT_EQ(spectra.power<float>(fields), power_of(spectra, twice));
}

}  // namespace
}  // namespace mosaic::eval
