#pragma once

namespace mosaic::eval {

/// The standard normal distribution function Phi(z) = erfc(-z / sqrt(2)) / 2.
double normal_distribution(double z);

/// The z with Phi(z) = p: formula 26.2.23 of Abramowitz and Stegun (1964), then three steps of Halley in the
/// smaller tail; within 1e-15 of max(1, abs z) for 1e-300 < p < 1. 0 and 1 give -inf and +inf, anything else
/// outside 0 ... 1 NaN.
double normal_quantile(double p);

}  // namespace mosaic::eval
