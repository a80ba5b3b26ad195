#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mosaic::kernels {

/// Pointwise statistics of an ensemble x_1 ... x_M against a truth y; all in double from float32 fields.
/// NaN and infinities propagate; with M = 1 spread and variance are 0.
enum class Statistic : std::size_t {
  squared_error,                ///< mean_m (x_m - y)^2                                       [unit^2]
  error,                        ///< mean_m (x_m - y)                                         [unit]
  absolute_error,               ///< mean_m |x_m - y|: mean absolute error, skill part of CRPS [unit]
  spread,                       ///< 2 / (M (M-1)) sum_r (2r - M - 1) x_(r), x_(1) <= ... <= x_(M):
                                ///< mean |x_m - x_n| over the pairs m != n                    [unit]
  ensemble_mean_squared_error,  ///< (y - mean_m x_m)^2                                       [unit^2]
  variance,                     ///< sum_m (x_m - mean)^2 / (M - 1)                           [unit^2]
};
inline constexpr std::size_t statistic_count = 6;

/// One value per Statistic, indexed by it.
using Statistics = std::array<double, statistic_count>;

inline double& at(Statistics& values, Statistic which) { return values[static_cast<std::size_t>(which)]; }
inline double at(const Statistics& values, Statistic which) {
  return values[static_cast<std::size_t>(which)];
}

/// The part of a latitude-longitude grid that a mean is taken over: rows with weights, times columns.
struct AreaMask {
  std::vector<double> row_weight;     ///< [lat], 0 outside; cells of other rows are never read into the mean
  std::vector<std::uint8_t> columns;  ///< [lon], 1 inside, 0 outside
};

/// Area means A[f] = sum_ji w_j c_i f_ji / sum_ji w_j c_i of every Statistic f over every area.
/// Letters: M members, J latitudes, I longitudes, R areas. An area without cells gives NaN.
/// Rows are summed west to east, row sums south to north: the result does not depend on threads.
/// Definitions: WeatherBench 2; the rank form of the spread after Zamo and Naveau (2018).
struct EnsembleStatisticsArgs {
  std::span<const float* const> members;  ///< [M] pointers to [J, I]
  const float* truth = nullptr;           ///< [J, I]
  std::size_t latitudes = 0;              ///< J
  std::size_t longitudes = 0;             ///< I
  std::span<const AreaMask> areas;        ///< [R]
  std::span<Statistics> means;            ///< [R], output
  int threads = 1;                        ///< see ensure_kokkos()
};

enum class EnsembleStatisticsBackend { reference, kokkos };

/// Errors: internal, for empty or inconsistent sizes.
void ensemble_statistics(const EnsembleStatisticsArgs& args,
                         EnsembleStatisticsBackend backend = EnsembleStatisticsBackend::kokkos);

/// The definition, with nested loops.
void ensemble_statistics_reference(const EnsembleStatisticsArgs& args);

/// One tile per latitude row, on the threads of Kokkos' host back end.
void ensemble_statistics_kokkos(const EnsembleStatisticsArgs& args);

}  // namespace mosaic::kernels
