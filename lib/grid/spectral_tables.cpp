#include "grid/spectral_tables.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace mosaic {

GaussianLatitudes gaussian_latitudes(std::size_t count) {
  ColatitudeRule rule = gauss_rule(count);  // from the north pole on
  std::reverse(rule.theta.begin(), rule.theta.end());
  std::reverse(rule.weight.begin(), rule.weight.end());
  GaussianLatitudes gauss;
  for (std::size_t j = 0; j < count; ++j) {
    const Extended latitude = std::numbers::pi_v<Extended> / 2 - rule.theta[j];
    gauss.latitude.push_back(static_cast<double>(latitude * 180 / std::numbers::pi_v<Extended>));
    gauss.sine.push_back(static_cast<double>(std::cos(rule.theta[j])));
    gauss.weight.push_back(static_cast<double>(rule.weight[j]));
  }
  gauss.colatitude = rule.theta;
  return gauss;
}

std::vector<Extended> colatitudes_of(const std::vector<double>& latitudes, std::size_t count) {
  std::vector<Extended> colatitudes;
  for (std::size_t j = 0; j < count; ++j) {
    colatitudes.push_back((90 - static_cast<Extended>(latitudes[j])) / 180 * std::numbers::pi_v<Extended>);
  }
  return colatitudes;
}

SpectralTables make_spectral_tables(std::size_t truncation, const std::vector<Extended>& colatitudes) {
  const std::size_t count = colatitudes.size();
  const std::size_t rows = (truncation + 1) * (truncation + 2) / 2;
  SpectralTables tables;
  tables.truncation = truncation;
  tables.value.resize(count * rows);
  tables.over_cosine.resize(count * rows);
  tables.derivative.resize(count * rows);
  std::size_t first = 0;  // row of (m, m)
  for (std::size_t m = 0; m <= truncation; ++m) {
    const std::size_t degrees = truncation - m + 1;
    const Extended sign = m % 2 == 0 ? 1 : -1;  // undoes Condon and Shortley's
    const std::vector<Extended> value = legendre_functions(m, truncation, colatitudes);
    const LegendreSlopes slopes = legendre_slopes(m, truncation, colatitudes);
    for (std::size_t n = m; n <= truncation; ++n) {
      const std::size_t odd = (n - m) % 2;
      const std::size_t row = first + (n - m) / 2 + (odd == 0 ? 0 : (degrees + 1) / 2);
      const Extended root = std::sqrt(static_cast<Extended>(n) * static_cast<Extended>(n + 1));
      for (std::size_t j = 0; j < count; ++j) {
        const std::size_t from = (n - m) * count + j, to = j * rows + row;
        tables.value[to] = static_cast<double>(sign * value[from]);
        tables.over_cosine[to] = static_cast<double>(sign * root * slopes.turning[from]);
        tables.derivative[to] = static_cast<double>(-sign * root * slopes.slope[from]);
      }
    }
    first += degrees;
  }
  return tables;
}

}  // namespace mosaic
