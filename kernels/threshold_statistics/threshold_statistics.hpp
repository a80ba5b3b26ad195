#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "kernels/area_mask.hpp"
#include "kernels/missing_values.hpp"

namespace mosaic::kernels {

/// Scores of an ensemble x_1 ... x_M against a truth y for the event y > q, by probabilities
/// p = #(x_m > q) / M and F = #(x_m < q) / M; o = 1 if y > q, else 0. Area means A[.] of values at points.
enum class ThresholdScore : std::size_t {
  brier,               ///< A[(p - o)^2]                                                    [1]
  debiased_brier,      ///< A[(p - o)^2 - p (1 - p) / (M - 1)]; NaN for M = 1               [1]
  ignorance,           ///< A[-ln p] where o = 1, A[-ln(1 - p)] elsewhere; may be infinite  [1]
  ranked_probability,  ///< A[(F - 1{y < q})^2]: their sum over thresholds is the RPS       [1]
  weight,              ///< part of the area that these means are over                    [1]
};
inline constexpr std::size_t threshold_score_count = 5;

/// One value per ThresholdScore, indexed by it.
using ThresholdScores = std::array<double, threshold_score_count>;

constexpr double at(const ThresholdScores& scores, ThresholdScore which) {
  return scores[static_cast<std::size_t>(which)];
}

/// Every ThresholdScore for every threshold over every area. Letters: M members, J latitudes, I longitudes,
/// Q thresholds, R areas. Comparisons in double and strict. An area without cells gives NaN.
/// Missing values are treated alike in all four scores. propagate: where a member, the truth or the threshold
/// is NaN the scores are NaN. skip: p and F are of the m members that are there (m = 1 of several has no
/// p (1 - p) / (m - 1)); points without truth, threshold or any member are left out.
/// Reliability: for each threshold and k = 0 ... M the weight of the points with p = k / M, then that of
/// those with o = 1; a point's weight is its row's. Points where anything is missing are left out. Rows are
/// summed west to east, row sums south to north: the result does not depend on threads. Source: WeatherBench
/// 2 (scores); Wilks, Statistical Methods in the Atmospheric Sciences, section 9.4.4 (reliability).
struct ThresholdStatisticsArgs {
  std::span<const float* const> members;  ///< [M] pointers to [J, I]
  const float* truth = nullptr;           ///< [J, I]
  std::span<const double> thresholds;     ///< [Q, J, I]
  std::size_t latitudes = 0;              ///< J
  std::size_t longitudes = 0;             ///< I
  std::span<const AreaMask> areas;        ///< [R]
  std::span<ThresholdScores> means;       ///< [R, Q], output
  int threads = 1;                        ///< see ensure_kokkos()
  MissingValues missing = MissingValues::propagate;
  std::span<const double> row_weight = {};  ///< [J] of the reliability counts
  std::span<double> reliability = {};       ///< [Q, M + 1, 2], output; empty = not made

  std::size_t points() const { return latitudes * longitudes; }
  std::size_t threshold_count() const { return thresholds.size() / points(); }
};

enum class ThresholdStatisticsBackend { reference, kokkos };

/// Errors: internal, for empty or inconsistent sizes.
void threshold_statistics(const ThresholdStatisticsArgs& args,
                          ThresholdStatisticsBackend backend = ThresholdStatisticsBackend::kokkos);

/// The definition, with nested loops.
void threshold_statistics_reference(const ThresholdStatisticsArgs& args);

/// One tile per latitude row, on the threads of Kokkos' host back end; members above and below are counted
/// for a whole row at a time, the scores of a count are looked up.
void threshold_statistics_kokkos(const ThresholdStatisticsArgs& args);

}  // namespace mosaic::kernels
