#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::kernels {

/// Two places; the smaller value goes to the first.
struct Comparator {
  std::size_t first = 0, second = 0;
};

/// Batcher's odd-even merge sort for any number of inputs: each pair is put into ascending order in turn.
std::vector<Comparator> sorting_network(std::size_t inputs);

/// What is the same for all rows.
struct RowPlan {
  const EnsembleStatisticsArgs& args;
  std::vector<Comparator> network;
  std::vector<double> spread_factors;  ///< [M] 2 (2r - M - 1) / (M (M - 1))
  std::vector<double> one_over;        ///< [M + 2] 1 / n

  explicit RowPlan(const EnsembleStatisticsArgs& args);
};

/// The statistics of the points of one row and the room they need.
class RowStatistics {
 public:
  explicit RowStatistics(const RowPlan& plan);

  /// Values of all points of a row; rank counts are added to `ranks` unless it is empty.
  void compute(std::size_t row, std::span<double> ranks);

  /// [I] of a statistic; not of the energy parts.
  const double* values(Statistic which) const { return values_.data() + place(which); }
  /// Squared differences of the row's points to the truth, or to the next member. [I] each.
  const double* squared_errors(std::size_t member) const { return squared_errors_.data() + member * stride_; }
  const double* squared_steps(std::size_t member) const { return squared_steps_.data() + member * stride_; }

 private:
  std::size_t place(Statistic which) const { return static_cast<std::size_t>(which) * stride_; }
  void compute_point_by_point(std::size_t row);
  void add_ranks(std::size_t row, std::span<double> ranks) const;

  const RowPlan& plan_;
  std::size_t stride_;                  // I, rounded up to whole blocks
  std::vector<const float*> rows_;      // [M] of the row
  std::vector<float> sorted_;           // [blocks, M, block]
  std::vector<double> values_;          // [statistic, stride]
  std::vector<double> squared_errors_;  // [M, stride], with energy
  std::vector<double> squared_steps_;   // [M - 1, stride], with energy
  std::vector<int> below_, equal_;      // [stride]
};

}  // namespace mosaic::kernels
