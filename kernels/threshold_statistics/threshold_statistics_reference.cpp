#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "kernels/threshold_statistics/threshold_statistics.hpp"

namespace mosaic::kernels {
namespace {

/// The members that count at a point: all, or those that are there.
std::vector<double> members_at(const ThresholdStatisticsArgs& args, std::size_t point) {
  std::vector<double> values;
  for (const float* member : args.members) {
    if (args.missing == MissingValues::propagate || !std::isnan(member[point])) {
      values.push_back(member[point]);
    }
  }
  return values;
}

/// The scores at a point; nothing where it is left out.
std::optional<ThresholdScores> scores_at(const ThresholdStatisticsArgs& args, std::size_t point, double q) {
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> members = members_at(args, point);
  const double y = args.truth[point];
  const bool missing = std::isnan(y) || std::isnan(q) || members.empty() ||
                       std::any_of(members.begin(), members.end(), [](double x) { return std::isnan(x); });
  if (missing) {
    return args.missing == MissingValues::skip
               ? std::nullopt
               : std::optional(ThresholdScores{undefined, undefined, undefined, undefined, 1.0});
  }
  const auto m = static_cast<double>(members.size());
  const auto above = std::count_if(members.begin(), members.end(), [q](double x) { return x > q; });
  const auto below = std::count_if(members.begin(), members.end(), [q](double x) { return x < q; });
  const double p = static_cast<double>(above) / m;
  const double f = static_cast<double>(below) / m;
  const double o = y > q ? 1.0 : 0.0;
  const double truth_below = y < q ? 1.0 : 0.0;
  const double brier = (p - o) * (p - o);
  const double several = members.size() > 1 ? p * (1.0 - p) / (m - 1.0) : 0.0;
  return ThresholdScores{brier, args.members.size() > 1 ? brier - several : undefined,
                         -std::log(y > q ? p : 1.0 - p), (f - truth_below) * (f - truth_below), 1.0};
}

ThresholdScores area_means(const ThresholdStatisticsArgs& args, const AreaMask& area,
                           const double* threshold) {
  ThresholdScores sums{};
  double weights = 0.0;
  double whole = 0.0;
  for (std::size_t j = 0; j < args.latitudes; ++j) {
    for (std::size_t i = 0; i < args.longitudes; ++i) {
      const double weight = area.weight_at(j, i);
      const std::size_t point = j * args.longitudes + i;
      const auto scores = weight > 0.0 ? scores_at(args, point, threshold[point]) : std::nullopt;
      whole += weight;
      if (scores) {
        weights += weight;
        for (std::size_t s = 0; s < sums.size(); ++s) {
          sums[s] += weight * (*scores)[s];
        }
      }
    }
  }
  for (double& sum : sums) {
    sum /= weights;
  }
  sums[static_cast<std::size_t>(ThresholdScore::weight)] = weights / whole;
  return sums;
}

void count_reliability(const ThresholdStatisticsArgs& args, const double* threshold, double* counts) {
  std::fill_n(counts, 2 * (args.members.size() + 1), 0.0);
  for (std::size_t point = 0; point < args.points(); ++point) {
    const double q = threshold[point];
    const auto is_missing = [&](const float* field) { return std::isnan(field[point]); };
    if (std::isnan(q) || is_missing(args.truth) ||
        std::any_of(args.members.begin(), args.members.end(), is_missing)) {
      continue;
    }
    const auto above = std::count_if(args.members.begin(), args.members.end(),
                                     [&](const float* member) { return member[point] > q; });
    counts[2 * above] += args.row_weight[point / args.longitudes];
    counts[2 * above + 1] += args.truth[point] > q ? args.row_weight[point / args.longitudes] : 0.0;
  }
}

}  // namespace

void threshold_statistics_reference(const ThresholdStatisticsArgs& args) {
  const std::size_t thresholds = args.threshold_count();
  for (std::size_t q = 0; q < thresholds; ++q) {
    const double* threshold = args.thresholds.data() + q * args.points();
    for (std::size_t r = 0; r < args.areas.size(); ++r) {
      args.means[r * thresholds + q] = area_means(args, args.areas[r], threshold);
    }
    if (!args.reliability.empty()) {
      count_reliability(args, threshold, args.reliability.data() + q * 2 * (args.members.size() + 1));
    }
  }
}

}  // namespace mosaic::kernels
