#include <cmath>

#include "kernels/ensemble_statistics/ensemble_statistics_device.hpp"
#include "kernels/ensemble_statistics/point_statistics.hpp"

namespace mosaic::kernels {

Statistics statistics_of_sums(std::span<const double> sums, std::size_t members, bool energy) {
  Statistics result{};
  for (std::size_t s = 0; s < statistic_count; ++s) {
    const auto which = static_cast<Statistic>(s);
    const auto weight = static_cast<std::size_t>(weight_of(which));
    result[s] = sums[s] / (weight == s ? sums[statistic_count] : sums[weight]);
  }
  at(result, Statistic::energy_skill) = 0.0;
  at(result, Statistic::energy_spread) = 0.0;
  for (std::size_t m = 0; energy && m < members; ++m) {
    const std::span<const double> of_member = sums.subspan(statistic_count + 1 + 4 * m, 4);
    at(result, Statistic::energy_skill) +=
        std::sqrt(of_member[0] / of_member[2]) / static_cast<double>(members);
    if (m + 1 < members) {
      at(result, Statistic::energy_spread) +=
          std::sqrt(of_member[1] / of_member[3]) / static_cast<double>(members - 1);
    }
  }
  return result;
}

}  // namespace mosaic::kernels
