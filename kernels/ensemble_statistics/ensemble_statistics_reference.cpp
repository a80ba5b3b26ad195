#include <algorithm>
#include <cmath>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::kernels {
namespace {

/// The statistics of one point, formula by formula; the spread over all pairs.
Statistics point_statistics(const EnsembleStatisticsArgs& args, std::size_t point) {
  const double m = static_cast<double>(args.members.size());
  const double truth = args.truth[point];
  double mean = 0.0;
  for (const float* member : args.members) {
    mean += member[point] / m;
  }
  Statistics result{};
  for (const float* member : args.members) {
    const double x = member[point];
    at(result, Statistic::squared_error) += (x - truth) * (x - truth) / m;
    at(result, Statistic::error) += (x - truth) / m;
    at(result, Statistic::absolute_error) += std::abs(x - truth) / m;
    if (args.members.size() > 1) {
      at(result, Statistic::variance) += (x - mean) * (x - mean) / (m - 1.0);
      for (const float* other : args.members) {
        at(result, Statistic::spread) += member == other ? 0.0 : std::abs(x - other[point]) / (m * (m - 1.0));
      }
    }
  }
  at(result, Statistic::ensemble_mean_squared_error) = (truth - mean) * (truth - mean);
  return result;
}

}  // namespace

void ensemble_statistics_reference(const EnsembleStatisticsArgs& args) {
  for (std::size_t r = 0; r < args.areas.size(); ++r) {
    const AreaMask& area = args.areas[r];
    Statistics sums{};
    double weights = 0.0;
    for (std::size_t j = 0; j < args.latitudes; ++j) {
      for (std::size_t i = 0; i < args.longitudes; ++i) {
        if (area.row_weight[j] <= 0.0 || area.columns[i] == 0) {
          continue;
        }
        const Statistics point = point_statistics(args, j * args.longitudes + i);
        for (std::size_t s = 0; s < statistic_count; ++s) {
          sums[s] += area.row_weight[j] * point[s];
        }
        weights += area.row_weight[j];
      }
    }
    for (double& sum : sums) {
      sum /= weights;
    }
    args.means[r] = sums;
  }
}

}  // namespace mosaic::kernels
