#pragma once

#include <cstddef>
#include <span>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::kernels {

/// The statistics that follow from one point alone; energy parts are 0. `members`: the values x_m at the
/// point; `climatology` may be null. With MissingValues::skip values that are not defined are NaN where the
/// weight says 0.
Statistics point_statistics(std::span<const float> members, float truth, const float* climatology,
                            MissingValues missing);

/// Adds one point to the counts of [3, M + 1].
void count_ranks(std::span<const float> members, float truth, MissingValues missing, std::span<double> ranks);

/// The weight that belongs to a statistic's mean: of points with forecast and truth, or with a forecast.
Statistic weight_of(Statistic which);

/// Whether a statistic is a mean of values at points (the energy parts are not).
constexpr bool is_area_mean(Statistic which) {
  return which != Statistic::energy_skill && which != Statistic::energy_spread;
}

}  // namespace mosaic::kernels
