#pragma once

#include <cstddef>
#include <vector>

namespace mosaic {

/// Nodes and weights of an integration over theta from 0 to pi with sin(theta) / 2, ascending theta.
struct ColatitudeRule {
  std::vector<double> theta;   ///< [radians]
  std::vector<double> weight;  ///< sum 1
};

/// Gauss-Legendre: exact for polynomials in cos(theta) of degree < 2 nodes. Newton's method in theta, so that
/// nodes near the poles keep their digits.
ColatitudeRule gauss_rule(std::size_t nodes);

/// P_lm(cos theta), l = m ... lmax, mean of (P_lm)^2 over the sphere 1 (m = 0: sqrt(2 l + 1) times Legendre's
/// polynomial), Condon-Shortley phase. Three-term recurrence in l from P_mm. Shape: [lmax - m + 1, theta].
std::vector<double> legendre_functions(std::size_t m, std::size_t lmax, const std::vector<double>& theta);

/// dP_lm/dtheta and m P_lm / sin(theta), both over sqrt(l (l + 1)), 0 for l = 0. By the ladder relations
/// between m - 1 and m + 1: nothing is divided by sin(theta), poles are points like others. Shapes as above.
struct LegendreSlopes {
  std::vector<double> slope;
  std::vector<double> turning;
};
LegendreSlopes legendre_slopes(std::size_t m, std::size_t lmax, const std::vector<double>& theta);

}  // namespace mosaic
