#include "kernels/ensemble_statistics/point_statistics.hpp"

#include <cmath>
#include <limits>
#include <vector>

namespace mosaic::kernels {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

void add_spread_and_variance(const std::vector<double>& members, double mean, Statistics& result) {
  const auto m = static_cast<double>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    at(result, Statistic::variance) += (members[i] - mean) * (members[i] - mean) / (m - 1.0);
    for (std::size_t k = 0; k < members.size(); ++k) {
      at(result, Statistic::spread) += i == k ? 0.0 : std::abs(members[i] - members[k]) / (m * (m - 1.0));
    }
  }
}

}  // namespace

Statistics point_statistics(std::span<const float> members, float truth, const float* climatology,
                            MissingValues missing) {
  const bool skip = missing == MissingValues::skip;
  std::vector<double> there;
  for (const float member : members) {
    if (!skip || !std::isnan(member)) {
      there.push_back(member);
    }
  }
  const auto m = static_cast<double>(there.size());
  const double y = truth;
  const bool has_truth = !skip || !std::isnan(truth);
  Statistics result{};
  at(result, Statistic::ensemble_weight) = there.empty() ? 0.0 : 1.0;
  at(result, Statistic::error_weight) = there.empty() || !has_truth ? 0.0 : 1.0;
  double mean = 0.0;
  for (const double x : there) {
    mean += x / m;
    at(result, Statistic::squared_error) += (x - y) * (x - y) / m;
    at(result, Statistic::error) += (x - y) / m;
    at(result, Statistic::absolute_error) += std::abs(x - y) / m;
  }
  if (there.size() > 1) {
    add_spread_and_variance(there, mean, result);
  }
  at(result, Statistic::ensemble_mean_squared_error) = (y - mean) * (y - mean);
  at(result, Statistic::debiased_squared_error) =
      members.size() > 1 ? (y - mean) * (y - mean) - at(result, Statistic::variance) / m : undefined;
  const double c = climatology == nullptr ? undefined : *climatology;
  at(result, Statistic::anomaly_product) = (mean - c) * (y - c);
  at(result, Statistic::forecast_anomaly_squared) = (mean - c) * (mean - c);
  at(result, Statistic::truth_anomaly_squared) = (y - c) * (y - c);
  return result;
}

void count_ranks(std::span<const float> members, float truth, MissingValues missing,
                 std::span<double> ranks) {
  const std::size_t bins = members.size() + 1;
  if (missing == MissingValues::skip && std::isnan(truth)) {
    return;
  }
  std::size_t below = 0;
  std::size_t equal = 0;
  for (const float member : members) {
    below += member < truth ? 1 : 0;
    equal += member == truth ? 1 : 0;
  }
  if (std::isnan(truth)) {
    below = members.size();
  }
  ranks[below] += 1.0;
  ranks[bins + below + equal] += 1.0;
  for (std::size_t rank = below; rank <= below + equal; ++rank) {
    ranks[2 * bins + rank] += 1.0 / static_cast<double>(equal + 1);
  }
}

Statistic weight_of(Statistic which) {
  switch (which) {
    case Statistic::spread:
    case Statistic::variance:
    case Statistic::ensemble_weight:
      return Statistic::ensemble_weight;
    default:
      return Statistic::error_weight;
  }
}

}  // namespace mosaic::kernels
