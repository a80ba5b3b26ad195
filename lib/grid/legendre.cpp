#include "grid/legendre.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace mosaic {
namespace {

struct PolynomialAt {
  Extended value;
  Extended slope;  ///< by theta
};

/// Legendre's polynomial of degree n at cos(theta), 0 < theta < pi.
PolynomialAt legendre_polynomial(std::size_t n, Extended theta) {
  const Extended x = std::cos(theta);
  Extended before = 0.0L, value = 1.0L;
  for (std::size_t l = 1; l <= n; ++l) {
    const auto degree = static_cast<Extended>(l);
    const Extended next = ((2.0L * degree - 1.0L) * x * value - (degree - 1.0L) * before) / degree;
    before = value;
    value = next;
  }
  return {value, static_cast<Extended>(n) * (x * value - before) / std::sin(theta)};
}

/// P_lm of degrees first ... lmax for any sign of m (zero where |m| > l), [degree][theta].
std::vector<Extended> signed_functions(std::ptrdiff_t m, std::size_t first, std::size_t lmax,
                                       const std::vector<Extended>& theta) {
  const std::size_t order = static_cast<std::size_t>(std::abs(m));
  std::vector<Extended> rows((lmax - first + 1) * theta.size(), 0.0L);
  if (order > lmax) {
    return rows;
  }
  const std::vector<Extended> known = legendre_functions(order, lmax, theta);
  const Extended sign = m < 0 && order % 2 == 1 ? -1.0L : 1.0L;
  for (std::size_t l = std::max(first, order); l <= lmax; ++l) {
    for (std::size_t q = 0; q < theta.size(); ++q) {
      rows[(l - first) * theta.size() + q] = sign * known[(l - order) * theta.size() + q];
    }
  }
  return rows;
}

}  // namespace

ColatitudeRule gauss_rule(std::size_t nodes) {
  ColatitudeRule rule{std::vector<Extended>(nodes), std::vector<Extended>(nodes)};
  const auto n = static_cast<Extended>(nodes);
  for (std::size_t q = 0; 2 * q < nodes; ++q) {
    Extended theta = std::numbers::pi_v<Extended> * (static_cast<Extended>(q) + 0.75L) / (n + 0.5L);
    if (2 * q + 1 == nodes) {
      theta = std::numbers::pi_v<Extended> / 2.0L;
    } else {
      for (int step = 0; step < 8; ++step) {  // converged after five
        const PolynomialAt at = legendre_polynomial(nodes, theta);
        theta -= at.value / at.slope;
      }
    }
    const Extended slope = legendre_polynomial(nodes, theta).slope;
    const std::size_t mirror = nodes - 1 - q;
    rule.theta[q] = theta;
    rule.theta[mirror] = 2 * q + 1 == nodes ? theta : std::numbers::pi_v<Extended> - theta;
    rule.weight[q] = rule.weight[mirror] = 1.0L / (slope * slope);
  }
  return rule;
}

std::vector<Extended> legendre_functions(std::size_t m, std::size_t lmax,
                                         const std::vector<Extended>& theta) {
  const std::size_t points = theta.size();
  std::vector<Extended> rows((lmax - m + 1) * points), cosine(points), sine(points);
  for (std::size_t q = 0; q < points; ++q) {
    cosine[q] = std::cos(theta[q]);
    sine[q] = std::sin(theta[q]);
    rows[q] = 1.0L;  // P_mm, built up from P_00
  }
  for (std::size_t k = 1; k <= m; ++k) {
    const auto order = static_cast<Extended>(k);
    const Extended factor = -std::sqrt((2.0L * order + 1.0L) / (2.0L * order));
    for (std::size_t q = 0; q < points; ++q) {
      rows[q] *= factor * sine[q];
    }
  }
  const Extended mm = static_cast<Extended>(m) * static_cast<Extended>(m);
  Extended before_factor = 0.0L;  // 1 / factor of the degree before
  for (std::size_t l = m + 1; l <= lmax; ++l) {
    const Extended ll = static_cast<Extended>(l) * static_cast<Extended>(l);
    const Extended factor = std::sqrt((4.0L * ll - 1.0L) / (ll - mm));
    Extended* row = rows.data() + (l - m) * points;
    for (std::size_t q = 0; q < points; ++q) {
      const Extended before = l > m + 1 ? row[q - 2 * points] : 0.0L;
      row[q] = factor * (cosine[q] * row[q - points] - before_factor * before);
    }
    before_factor = 1.0L / factor;
  }
  return rows;
}

LegendreSlopes legendre_slopes(std::size_t m, std::size_t lmax, const std::vector<Extended>& theta) {
  const std::size_t points = theta.size();
  LegendreSlopes rows{std::vector<Extended>((lmax - m + 1) * points, 0.0L),
                      std::vector<Extended>((lmax - m + 1) * points, 0.0L)};
  const auto order = static_cast<Extended>(m);
  // From degree m - 1 on, for the relation that steps down by one degree.
  const std::size_t first = m == 0 ? 0 : m - 1;
  const auto lower = signed_functions(static_cast<std::ptrdiff_t>(m) - 1, first, lmax, theta);
  const auto upper = signed_functions(static_cast<std::ptrdiff_t>(m) + 1, first, lmax, theta);
  for (std::size_t l = std::max<std::size_t>(m, 1); l <= lmax; ++l) {
    const auto degree = static_cast<Extended>(l);
    const Extended scale = 0.5L / std::sqrt(degree * (degree + 1.0L));
    const Extended up = scale * std::sqrt((degree - order) * (degree + order + 1.0L));
    const Extended down = scale * std::sqrt((degree + order) * (degree - order + 1.0L));
    const Extended step = scale * std::sqrt((2.0L * degree + 1.0L) / (2.0L * degree - 1.0L));
    const Extended turn_up = step * std::sqrt((degree - order) * (degree - order - 1.0L));
    const Extended turn_down = step * std::sqrt((degree + order) * (degree + order - 1.0L));
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
