#include "grid/legendre.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace mosaic {
namespace {

struct PolynomialAt {
  double value;
  double slope;  ///< by theta
};

/// Legendre's polynomial of degree n at cos(theta), 0 < theta < pi.
PolynomialAt legendre_polynomial(std::size_t n, double theta) {
  const double x = std::cos(theta);
  double before = 0.0, value = 1.0;
  for (std::size_t l = 1; l <= n; ++l) {
    const auto degree = static_cast<double>(l);
    const double next = ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * before) / degree;
    before = value;
    value = next;
  }
  return {value, static_cast<double>(n) * (x * value - before) / std::sin(theta)};
}

/// P_lm of degrees first ... lmax for any sign of m (zero where |m| > l), [degree][theta].
std::vector<double> signed_functions(std::ptrdiff_t m, std::size_t first, std::size_t lmax,
                                     const std::vector<double>& theta) {
  const std::size_t order = static_cast<std::size_t>(std::abs(m));
  std::vector<double> rows((lmax - first + 1) * theta.size(), 0.0);
  if (order > lmax) {
    return rows;
  }
  const std::vector<double> known = legendre_functions(order, lmax, theta);
  const double sign = m < 0 && order % 2 == 1 ? -1.0 : 1.0;
  for (std::size_t l = std::max(first, order); l <= lmax; ++l) {
    for (std::size_t q = 0; q < theta.size(); ++q) {
      rows[(l - first) * theta.size() + q] = sign * known[(l - order) * theta.size() + q];
    }
  }
  return rows;
}

}  // namespace

ColatitudeRule gauss_rule(std::size_t nodes) {
  ColatitudeRule rule{std::vector<double>(nodes), std::vector<double>(nodes)};
  const auto n = static_cast<double>(nodes);
  for (std::size_t q = 0; 2 * q < nodes; ++q) {
    double theta = std::numbers::pi * (static_cast<double>(q) + 0.75) / (n + 0.5);
    if (2 * q + 1 == nodes) {
      theta = std::numbers::pi / 2.0;
    } else {
      for (int step = 0; step < 8; ++step) {  // converged after four
        const PolynomialAt at = legendre_polynomial(nodes, theta);
        theta -= at.value / at.slope;
      }
    }
    const double slope = legendre_polynomial(nodes, theta).slope;
    const std::size_t mirror = nodes - 1 - q;
    rule.theta[q] = theta;
    rule.theta[mirror] = 2 * q + 1 == nodes ? theta : std::numbers::pi - theta;
    rule.weight[q] = rule.weight[mirror] = 1.0 / (slope * slope);
  }
  return rule;
}

std::vector<double> legendre_functions(std::size_t m, std::size_t lmax, const std::vector<double>& theta) {
  const std::size_t points = theta.size();
  std::vector<double> rows((lmax - m + 1) * points), cosine(points);
  for (std::size_t q = 0; q < points; ++q) {
    cosine[q] = std::cos(theta[q]);
    const double sine = std::sin(theta[q]);
    double value = 1.0;  // P_mm
    for (std::size_t k = 1; k <= m; ++k) {
      value *= -std::sqrt((2.0 * static_cast<double>(k) + 1.0) / (2.0 * static_cast<double>(k))) * sine;
    }
    rows[q] = value;
  }
  const double mm = static_cast<double>(m) * static_cast<double>(m);
  double before_factor = 0.0;  // 1 / factor of the degree before
  for (std::size_t l = m + 1; l <= lmax; ++l) {
    const double ll = static_cast<double>(l) * static_cast<double>(l);
    const double factor = std::sqrt((4.0 * ll - 1.0) / (ll - mm));
    double* row = rows.data() + (l - m) * points;
    for (std::size_t q = 0; q < points; ++q) {
      const double before = l > m + 1 ? row[q - 2 * points] : 0.0;
      row[q] = factor * (cosine[q] * row[q - points] - before_factor * before);
    }
    before_factor = 1.0 / factor;
  }
  return rows;
}

LegendreSlopes legendre_slopes(std::size_t m, std::size_t lmax, const std::vector<double>& theta) {
  const std::size_t points = theta.size();
  LegendreSlopes rows{std::vector<double>((lmax - m + 1) * points, 0.0),
                      std::vector<double>((lmax - m + 1) * points, 0.0)};
  const auto order = static_cast<double>(m);
  // From degree m - 1 on, for the relation that steps down by one degree.
  const std::size_t first = m == 0 ? 0 : m - 1;
  const auto lower = signed_functions(static_cast<std::ptrdiff_t>(m) - 1, first, lmax, theta);
  const auto upper = signed_functions(static_cast<std::ptrdiff_t>(m) + 1, first, lmax, theta);
  for (std::size_t l = std::max<std::size_t>(m, 1); l <= lmax; ++l) {
    const auto degree = static_cast<double>(l);
    const double scale = 0.5 / std::sqrt(degree * (degree + 1.0));
    const double up = scale * std::sqrt((degree - order) * (degree + order + 1.0));
    const double down = scale * std::sqrt((degree + order) * (degree - order + 1.0));
    const double step = scale * std::sqrt((2.0 * degree + 1.0) / (2.0 * degree - 1.0));
    const double turn_up = step * std::sqrt((degree - order) * (degree - order - 1.0));
    const double turn_down = step * std::sqrt((degree + order) * (degree + order - 1.0));
    for (std::size_t q = 0; q < points; ++q) {
      const std::size_t at = (l - first) * points + q;
      rows.slope[(l - m) * points + q] = up * upper[at] - down * lower[at];
      if (m > 0) {
        rows.turning[(l - m) * points + q] = -turn_up * upper[at - points] - turn_down * lower[at - points];
      }
    }
  }
  return rows;
}

}  // namespace mosaic
