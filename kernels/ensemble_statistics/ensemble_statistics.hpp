#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "kernels/area_mask.hpp"
#include "kernels/missing_values.hpp"

namespace mosaic::kernels {

/// Statistics of an ensemble x_1 ... x_M against a truth y and a climatology c; all in double from float32
/// fields. X is the ensemble mean; all but the energy parts are area means A[.] of values at points. With
/// M = 1 spread and variance are 0.
enum class Statistic : std::size_t {
  squared_error,                ///< A[mean_m (x_m - y)^2]                                    [unit^2]
  error,                        ///< A[mean_m (x_m - y)]                                      [unit]
  absolute_error,               ///< A[mean_m |x_m - y|]: mean absolute error, skill of CRPS  [unit]
  spread,                       ///< A[2 / (M (M-1)) sum_r (2r - M - 1) x_(r)], x_(1) <= ... <= x_(M):
                                ///< mean |x_m - x_n| over the pairs m != n                   [unit]
  ensemble_mean_squared_error,  ///< A[(y - X)^2]                                             [unit^2]
  variance,                     ///< A[s^2], s^2 = sum_m (x_m - X)^2 / (M - 1)                [unit^2]
  debiased_squared_error,       ///< A[(y - X)^2 - s^2 / M]; NaN for M = 1                    [unit^2]
  energy_skill,                 ///< mean_m sqrt(A[(x_m - y)^2]); 0 unless it is asked for    [unit]
  energy_spread,                ///< mean_m sqrt(A[(x_m - x_(m+1))^2]) of members next to each other [unit]
  anomaly_product,              ///< A[(X - c)(y - c)]; NaN without c, as the next two        [unit^2]
  forecast_anomaly_squared,     ///< A[(X - c)^2]                                             [unit^2]
  truth_anomaly_squared,        ///< A[(y - c)^2]                                             [unit^2]
  error_weight,                 ///< part of the area where truth and forecast are there      [1]
  ensemble_weight,              ///< part of the area where the forecast is there             [1]
};
inline constexpr std::size_t statistic_count = 14;
/// The first of them, which are also given at points.
inline constexpr std::size_t map_statistic_count = 6;

/// One value per Statistic, indexed by it.
using Statistics = std::array<double, statistic_count>;

inline double& at(Statistics& values, Statistic which) { return values[static_cast<std::size_t>(which)]; }
inline double at(const Statistics& values, Statistic which) {
  return values[static_cast<std::size_t>(which)];
}

/// How many points have how many members below their truth, in three ways: members below (x < y), members
/// not above (x <= y), and the expected counts if ties are broken at random. A NaN truth counts as above all
/// (propagate) or not at all (skip). Without area weights. Layout: [3, M + 1].
enum class RankCount : std::size_t { below, not_above, ties_split };
inline constexpr std::size_t rank_count_kinds = 3;

/// Every Statistic over every area, A[f] = sum_ji W_ji f_ji / sum_ji W_ji with W_ji = w_j times the weight of
/// the cell. Letters: M members, J latitudes, I longitudes, R areas. An area without cells gives NaN.
/// Sums are formed in fixed tiles of rows (kernels/area_sums.hpp): the result does not depend on threads.
/// Definitions: WeatherBench 2, with the members that are there counted as WeatherBench-X does; the rank form
/// of the spread after Zamo and Naveau (2018).
struct EnsembleStatisticsArgs {
  std::span<const float* const> members;  ///< [M] pointers to [J, I]
  const float* truth = nullptr;           ///< [J, I]
  std::size_t latitudes = 0;              ///< J
  std::size_t longitudes = 0;             ///< I
  std::span<const AreaMask> areas;        ///< [R]
  std::span<Statistics> means;            ///< [R], output
  int threads = 1;                        ///< see ensure_kokkos()
  const float* climatology = nullptr;     ///< [J, I]; null = no anomalies
  MissingValues missing = MissingValues::propagate;
  bool energy = false;           ///< whether the parts of the energy score are made
  std::span<double> ranks = {};  ///< [3, M + 1], output; empty = not made
  /// [6, J, I] the first statistics at points, output; empty = not made. NaN at a point that is left out.
  std::span<double> maps = {};
};

enum class EnsembleStatisticsBackend { reference, kokkos };

/// Errors: internal, for empty or inconsistent sizes.
void ensemble_statistics(const EnsembleStatisticsArgs& args,
                         EnsembleStatisticsBackend backend = EnsembleStatisticsBackend::kokkos);

/// The definition, with nested loops.
void ensemble_statistics_reference(const EnsembleStatisticsArgs& args);

/// Rows are shared by the threads of Kokkos' host back end; 16 points of a row at a time go through a sorting
/// network in vector registers and then once more through all statistics.
void ensemble_statistics_kokkos(const EnsembleStatisticsArgs& args);

}  // namespace mosaic::kernels
