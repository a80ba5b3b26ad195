#include "eval/normal_quantile.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace mosaic::eval {
namespace {

/// The x with 1 - Phi(x) = p, for 0 < p <= 1/2.
double upper_quantile(double p) {
  const double t = std::sqrt(-2.0 * std::log(p));
  double x = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                     (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));  // within 4.5e-4
  for (int step = 0; step < 3; ++step) {
    const double density = std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
    const double newton = (normal_distribution(-x) - p) / density;
    x += newton / (1.0 - 0.5 * x * newton);
  }
  return x;
}

}  // namespace

double normal_distribution(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

double normal_quantile(double p) {
  if (p == 0.0 || p == 1.0) {
    return p == 0.0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  }
  if (!(p > 0.0 && p < 1.0)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return p <= 0.5 ? -upper_quantile(p) : upper_quantile(1.0 - p);
}

}  // namespace mosaic::eval
