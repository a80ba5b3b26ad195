#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace mosaic::kernels {

/// Weights of a window of days with its centre in the middle: linspace(0 -> 1 -> 0) divided by their mean.
/// The two ends weigh 0; the centre of 61 days weighs 61/30. A window of one day weighs 1. Shape: [window].
/// Errors: internal unless `window` is odd.
std::vector<double> triangular_weights(std::size_t window);

/// Statistics of a quantity on a day of the year, over the days around it in all years. Letters: Y years, D
/// days of the (periodic) year, P points, Q quantiles, window = 2 H + 1 days, w(t) = the triangular weight of
/// day d + t. The sample of day d and a point are the x(y, d + t) that are not NaN, y = 1 ... Y, |t| <= H:
///   mean       m = sum w x / sum w
///   deviation  sqrt(sum w (x - m)^2 / sum w): of the population, no term is taken off the denominator
///   quantiles  of probability q, type 7 of Hyndman and Fan with weights: samples of weight > 0 ascending,
///              c_i = (w_1 + ... + w_i) / sum w, n = (sum w)^2 / sum w^2 (Kish), h = (n - 1) q + 1;
///              sum x_i (u_i - u_(i-1)) n with u_i = c_i brought into [(h - 1) / n, h / n]. Equal weights
///              give the usual linear interpolation between order statistics.
///   dry fraction  #(x < dry_below) / #x over the whole window, its two ends included, without weights
///   wet quantile  the quantile 2/3 of the x that are not below dry_below
/// Without any sample of weight > 0 all are NaN; the dry fraction without any sample, the wet quantile
/// without any that is not dry. Sums in double (x taken to double; dry_below rounded to float32, as the data
/// are), results rounded to float32; they depend on neither threads nor the other points. Source:
/// WeatherBench 2 (recipe of the ERA5 climatology); xarray's weighted mean, std and quantile; A. Akinshin,
/// Weighted quantile estimators, arXiv 2304.07265.
struct WindowStatisticsArgs {
  std::span<const float> values;          ///< [Y, D, P]; NaN = missing
  std::size_t years = 0;                  ///< Y
  std::size_t days = 0;                   ///< D
  std::size_t points = 0;                 ///< P
  std::size_t window = 61;                ///< odd, at most D
  std::span<const double> probabilities;  ///< [Q], 0 ... 1
  std::optional<double> dry_below = {};   ///< in the unit of the values
  std::span<float> mean = {};             ///< [D, P], output; empty = not made, as all that follow
  std::span<float> deviation = {};        ///< [D, P]
  std::span<float> quantiles = {};        ///< [Q, D, P]
  std::span<float> dry_fraction = {};     ///< [D, P]
  std::span<float> wet_quantile = {};     ///< [D, P]
  int threads = 1;
};

/// The quantile that parts light from heavy precipitation in SEEPS.
inline constexpr double wet_probability = 2.0 / 3.0;

enum class WindowStatisticsBackend { reference, cpu };

/// Errors: internal, for empty or inconsistent sizes, probabilities outside 0 ... 1, and dry statistics
/// without dry_below.
void window_statistics(const WindowStatisticsArgs& args,
                       WindowStatisticsBackend backend = WindowStatisticsBackend::cpu);

/// The definition, with nested loops.
void window_statistics_reference(const WindowStatisticsArgs& args);

/// Mean and deviation by merging the moments of single days; quantiles by one sort of a point's whole record
/// and weights of blocks of ranks that slide from day to day. Blocks of points on threads.
void window_statistics_cpu(const WindowStatisticsArgs& args);

}  // namespace mosaic::kernels
