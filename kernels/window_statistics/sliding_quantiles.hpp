#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mosaic::kernels {

/// Weighted quantiles of a window of days that slides over the periodic year, as WindowStatisticsArgs defines
/// them. A record is sorted once; then only sums of weights over blocks of ranks follow the window. The
/// triangular weights are whole numbers here (H - |t|), so that the sums are exact however far they have
/// slid: from one day to the next a weight changes by its slope, and slopes change on three days only.
class SlidingQuantiles {
 public:
  /// `days`: D; `window`: odd, at most D.
  SlidingQuantiles(std::size_t days, std::size_t window);

  /// Takes a record [Y, D], NaN left out, and puts the window around day 0.
  void start(std::span<const float> record);
  /// Puts the window around the next day.
  void advance();
  /// Of the day where the window is; NaN without a sample of weight > 0.
  double quantile(double probability) const;

 private:
  /// Around day_, of a sample on `day`.
  std::int64_t weight_of(std::size_t day) const { return weight_ahead_[day + days_ - day_]; }
  void sort(std::span<const float> record);
  void add_slope(std::size_t day, std::int32_t change);
  void sum_weights();

  std::size_t days_;
  std::size_t half_;  ///< H; 1 for a window of one day: 1 - |t| is its weight too
  std::size_t day_ = 0;
  std::vector<std::int32_t> weight_ahead_;     ///< of a day so many days (modulo D) ahead of day_
  std::vector<std::uint64_t> keys_, scratch_;  ///< value as ordered bits, then place in the record
  std::vector<float> values_;                  ///< ascending
  std::vector<std::uint16_t> day_of_rank_;
  std::vector<std::vector<std::uint32_t>> blocks_of_day_;  ///< of each sample on a day
  std::vector<std::int64_t> weight_;                       ///< of a block of ranks
  std::vector<std::int32_t> slope_;                        ///< what is added to weight_ on the next day
  double total_ = 0.0;                                     ///< sum w
  double squares_ = 0.0;                                   ///< sum w^2
};

}  // namespace mosaic::kernels
