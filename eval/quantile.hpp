#pragma once

#include <span>

namespace mosaic::eval {

/// Quantile of ascending values, linear between ranks: value at place share (N - 1), counted from 0. Errors:
/// internal for no values or a share outside 0 ... 1.
double quantile(std::span<const double> ascending, double share);

}  // namespace mosaic::eval
