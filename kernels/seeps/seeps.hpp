#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "kernels/area_mask.hpp"

namespace mosaic::kernels {

/// Which precipitation is dry, and which points are scored, by their climatological dry fraction p1.
enum class SeepsVariant {
  weatherbench2,  ///< dry p < d, light d < p < h, heavy p >= h: p = d is in no category and costs nothing,
                  ///< likewise wet p where h is NaN; points with 0.1 < p1 < 0.85
  corrected       ///< dry p <= d, light d < p < h, heavy p >= h and p > d; points with 0.1 <= p1 <= 0.85 and
                  ///< a threshold h (WeatherBench-X)
};

/// Categories in the order of the scoring matrix.
inline constexpr std::size_t seeps_categories = 3;

/// The scoring matrix [forecast][truth] of dry, light and heavy:
///   1/2 {{0, 1 / (1 - p1), 4 / (1 - p1)}, {1 / p1, 0, 3 / (1 - p1)},
///        {1 / p1 + 3 / (2 + p1), 3 / (2 + p1), 0}}
/// A constant forecast of any category scores 1 in expectation where p1 are dry and twice as many of the
/// others light as heavy. Source: Rodwell et al. (2010), doi:10.1002/qj.656.
std::array<std::array<double, seeps_categories>, seeps_categories> seeps_matrix(double p1);

/// Stable Equitable Error in Probability Space of precipitation, A[S[forecast][truth]], of several forecasts
/// (members and their mean, or one) over several areas. Points that are outside the range of p1, or have no
/// forecast or truth, are left out; an area without points gives NaN. Letters: F forecasts, J latitudes, I
/// longitudes, R areas. Comparisons with d as float32, which the data are; sums in double, rows west to east
/// and then south to north: the result does not depend on threads. Source: WeatherBench 2, WeatherBench-X.
struct SeepsArgs {
  std::span<const float* const> forecasts;  ///< [F] pointers to [J, I]   [m]
  const float* truth = nullptr;             ///< [J, I]   [m]
  const float* wet_threshold = nullptr;     ///< [J, I] h at the valid time   [m]
  const float* dry_fraction = nullptr;      ///< [J, I] p1, mean over all hours and days of the year
  double dry_threshold = 0.25e-3;           ///< d   [m]; 0.1e-3 for 6 hours
  std::size_t latitudes = 0;                ///< J
  std::size_t longitudes = 0;               ///< I
  std::span<const AreaMask> areas;          ///< [R]
  std::span<double> scores;                 ///< [R, F], output
  SeepsVariant variant = SeepsVariant::corrected;
  int threads = 1;

  std::size_t points() const { return latitudes * longitudes; }
};

enum class SeepsBackend { reference, cpu };

/// Errors: internal, for empty or inconsistent sizes.
void seeps(const SeepsArgs& args, SeepsBackend backend = SeepsBackend::cpu);

/// The definition, with nested loops.
void seeps_reference(const SeepsArgs& args);

/// Category of the truth and the three possible costs of a point once for all forecasts; rows on threads.
void seeps_cpu(const SeepsArgs& args);

}  // namespace mosaic::kernels
