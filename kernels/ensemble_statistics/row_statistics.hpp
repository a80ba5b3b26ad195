#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::kernels {

/// What is the same for all rows.
struct RowPlan {
  const EnsembleStatisticsArgs& args;
  std::vector<double> spread_factors;  ///< [M] 2 (2r - M - 1) / (M (M - 1))
  std::vector<double> one_over;        ///< [M + 2] 1 / n

  explicit RowPlan(const EnsembleStatisticsArgs& args);
};

/// The statistics of the points of one row after another, and the room they need.
class RowStatistics {
 public:
  explicit RowStatistics(const RowPlan& plan);

  /// Values of all points of a row; rank counts are added to `ranks` unless it is empty.
  void compute(std::size_t row, std::span<double> ranks);

  /// [I] of a statistic; not of the energy parts.
  const double* values(Statistic which) const { return values_.data() + place(which); }
  /// Whether points or members are left out in the row: never with MissingValues::propagate. If not, both
  /// weights are 1 everywhere.
  bool has_gaps() const { return has_gaps_; }

 private:
  std::size_t place(Statistic which) const { return static_cast<std::size_t>(which) * stride_; }
  void compute_gaps(std::size_t row);
  void add_ranks(std::span<double> ranks);

  const RowPlan& plan_;
  std::size_t stride_;                     // I, rounded up to whole blocks
  std::vector<const float*> rows_;         // [M] of the row
  std::vector<float> sorted_;              // [M, block]
  std::vector<const float*> sorted_rows_;  // [M] of it
  std::vector<double> values_;             // [statistic, stride]
  std::vector<int> below_, equal_;         // [stride]
  std::vector<std::uint8_t> irregular_;    // [blocks] 1 where a number is not finite
  std::vector<std::uint32_t> untied_;      // [M + 1] points by rank, before they are added to the ranks
  bool has_gaps_ = false;
};

}  // namespace mosaic::kernels
