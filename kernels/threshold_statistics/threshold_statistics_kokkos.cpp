#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/area_sums.hpp"
#include "kernels/instruction_sets.hpp"
#include "kernels/kokkos_session.hpp"
#include "kernels/threshold_statistics/threshold_statistics.hpp"

// A latitude row is the tile: its members stay in the first-level cache for all thresholds. At a point only
// two counts and two comparisons matter, so that logarithms are taken once for each number of members above.

namespace mosaic::kernels {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr auto weight = static_cast<std::size_t>(ThresholdScore::weight);

/// Adds how many members are above and below the threshold at each point of a row.
MOSAIC_EACH_INSTRUCTION_SET
void count_members(const float* const* members, std::size_t count, std::size_t offset, std::size_t points,
                   const double* threshold, int* above, int* below) {
  for (std::size_t m = 0; m < count; ++m) {
    const float* x = members[m] + offset;
    for (std::size_t i = 0; i < points; ++i) {
      above[i] += x[i] > threshold[i] ? 1 : 0;
      below[i] += x[i] < threshold[i] ? 1 : 0;
    }
  }
}

MOSAIC_EACH_INSTRUCTION_SET
void count_present(const float* const* members, std::size_t count, std::size_t offset, std::size_t points,
                   int* present) {
  for (std::size_t m = 0; m < count; ++m) {
    const float* x = members[m] + offset;
    for (std::size_t i = 0; i < points; ++i) {
      present[i] += x[i] == x[i] ? 1 : 0;
    }
  }
}

/// Scores by counts of the members that are there.
class ScoreTable {
 public:
  explicit ScoreTable(std::size_t members) : members_(static_cast<int>(members)), logarithms_(1, -INFINITY) {
    for (int k = 1; k <= members_; ++k) {
      logarithms_.push_back(std::log(k / static_cast<double>(members_)));
    }
  }

  /// `present` > 0 members, `above` of them above the threshold and `below` below; y > q, y < q.
  ThresholdScores scores(int present, int above, int below, bool event, bool truth_below) const {
    const double m = present;
    const double p = above / m;
    const double difference = p - (event ? 1.0 : 0.0);
    const double below_difference = below / m - (truth_below ? 1.0 : 0.0);
    const double brier = difference * difference;
    const double variance = present > 1 ? p * (1.0 - p) / (m - 1.0) : 0.0;
    return {brier, members_ > 1 ? brier - variance : undefined,
            -logarithm(event ? above : present - above, present), below_difference * below_difference, 1.0};
  }

 private:
  double logarithm(int count, int present) const {
    return present == members_ ? logarithms_[static_cast<std::size_t>(count)]
                               : std::log(count / static_cast<double>(present));
  }

  int members_;
  std::vector<double> logarithms_;  // [M + 1] ln(k / M)
};

/// The rows of all thresholds, one after another and side by side.
class Rows {
 public:
  explicit Rows(const ThresholdStatisticsArgs& args)
      : args_(args),
        table_(args.members.size()),
        sums_(args.areas, args.latitudes, args.longitudes,
              args.threshold_count() * threshold_score_count + 1),
        counts_(args.reliability.size()),
        reliability_(args.latitudes * counts_, 0.0) {}

  void add(std::size_t row) {
    const std::size_t points = args_.longitudes;
    std::vector<int> present(points, 0);
    count_present(args_.members.data(), args_.members.size(), row * points, points, present.data());
    std::vector<double> values(threshold_score_count * points);
    for (std::size_t q = 0; q < args_.threshold_count(); ++q) {
      score(row, q, present, values);
      for (std::size_t s = 0; s < threshold_score_count; ++s) {
        sums_.add(row, q * threshold_score_count + s, values.data() + s * points);
      }
    }
    sums_.add_ones(row, args_.threshold_count() * threshold_score_count);
  }

  void write() const {
    const std::size_t thresholds = args_.threshold_count();
    for (std::size_t r = 0; r < args_.areas.size(); ++r) {
      const std::vector<double> sums = sums_.totals(r);
      for (std::size_t q = 0; q < thresholds; ++q) {
        const double* of_threshold = sums.data() + q * threshold_score_count;
        for (std::size_t s = 0; s < weight; ++s) {
          args_.means[r * thresholds + q][s] = of_threshold[s] / of_threshold[weight];
        }
        args_.means[r * thresholds + q][weight] = of_threshold[weight] / sums.back();
      }
    }
    std::fill(args_.reliability.begin(), args_.reliability.end(), 0.0);
    for (std::size_t k = 0; k < reliability_.size(); ++k) {
      args_.reliability[k % counts_] += args_.row_weight[k / counts_] * reliability_[k];
    }
  }

 private:
  /// Shape of values: [threshold_score_count, I].
  void score(std::size_t row, std::size_t q, const std::vector<int>& present, std::vector<double>& values) {
    const std::size_t points = args_.longitudes;
    const double* threshold = args_.thresholds.data() + q * args_.points() + row * points;
    const float* truth = args_.truth + row * points;
    std::vector<int> above(points, 0);
    std::vector<int> below(points, 0);
    count_members(args_.members.data(), args_.members.size(), row * points, points, threshold, above.data(),
                  below.data());
    const bool skip = args_.missing == MissingValues::skip;
    const int members = static_cast<int>(args_.members.size());
    for (std::size_t i = 0; i < points; ++i) {
      const bool has_event = !std::isnan(truth[i]) && !std::isnan(threshold[i]);
      const bool complete = has_event && present[i] == members;
      const bool scored = skip ? has_event && present[i] > 0 : complete;
      const bool event = truth[i] > threshold[i];
      ThresholdScores scores;
      scores.fill(skip ? 0.0 : undefined);
      scores[weight] = skip ? 0.0 : 1.0;
      if (scored) {
        scores = table_.scores(present[i], above[i], below[i], event, truth[i] < threshold[i]);
      }
      for (std::size_t s = 0; s < scores.size(); ++s) {
        values[s * points + i] = scores[s];
      }
      if (counts_ > 0 && complete) {
        double* count = reliability_.data() + row * counts_ +
                        2 * (q * (args_.members.size() + 1) + static_cast<std::size_t>(above[i]));
        count[0] += 1.0;
        count[1] += event ? 1.0 : 0.0;
      }
    }
  }

  const ThresholdStatisticsArgs& args_;
  ScoreTable table_;
  AreaSums sums_;
  std::size_t counts_;               // reliability counts of a row
  std::vector<double> reliability_;  // [lat, Q, M + 1, 2] numbers of points
};

}  // namespace

void threshold_statistics_kokkos(const ThresholdStatisticsArgs& args) {
  ensure_kokkos(args.threads);
  Rows rows(args);
  const auto one_tile = [&](int tile) {
    AreaSums::for_rows(static_cast<std::size_t>(tile), args.latitudes,
                       [&](std::size_t row) { rows.add(row); });
  };
  using Tiles = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  Kokkos::parallel_for("threshold_statistics", Tiles(0, static_cast<int>(AreaSums::tiles(args.latitudes))),
                       one_tile);
  Kokkos::fence();
  rows.write();
}

}  // namespace mosaic::kernels
