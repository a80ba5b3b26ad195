#pragma once

#include <cstddef>
#include <vector>

namespace mosaic {

/// Tables are made in extended precision: an error d of theta moves P_lm by about l d, and weak degrees
/// beside strong ones are sums of which little is left. Measured on 240 x 121 with fields of known
/// coefficients, degrees with more than 1e-12 of the power: off by 1e-12 with tables made in double, by 3e-14
/// with these.
using Extended = long double;

/// Nodes and weights of an integration over theta from 0 to pi with sin(theta) / 2, ascending theta.
struct ColatitudeRule {
  std::vector<Extended> theta;   ///< [radians]
  std::vector<Extended> weight;  ///< sum 1
};

/// Gauss-Legendre: exact for polynomials in cos(theta) of degree < 2 nodes. Newton's method in theta, so that
/// nodes near the poles keep their digits.
ColatitudeRule gauss_rule(std::size_t nodes);

/// P_lm(cos theta), l = m ... lmax, mean of (P_lm)^2 over the sphere 1 (m = 0: sqrt(2 l + 1) times Legendre's
/// polynomial), Condon-Shortley phase. Three-term recurrence in l from P_mm. Shape: [lmax - m + 1, theta].
std::vector<Extended> legendre_functions(std::size_t m, std::size_t lmax, const std::vector<Extended>& theta);

/// dP_lm/dtheta and m P_lm / sin(theta), both over sqrt(l (l + 1)), 0 for l = 0. By the ladder relations
/// between m - 1 and m + 1: nothing is divided by sin(theta), poles are points like others. Shapes as above.
struct LegendreSlopes {
  std::vector<Extended> slope;
  std::vector<Extended> turning;
};
LegendreSlopes legendre_slopes(std::size_t m, std::size_t lmax, const std::vector<Extended>& theta);

}  // namespace mosaic
