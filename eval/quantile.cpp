#include "eval/quantile.hpp"

#include <algorithm>
#include <cstddef>

#include "base/error.hpp"

namespace mosaic::eval {

double quantile(std::span<const double> ascending, double share) {
  require(!ascending.empty() && share >= 0.0 && share <= 1.0, "quantile {} of {} values", share,
          ascending.size());
  const double place = share * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] + (place - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

}  // namespace mosaic::eval
