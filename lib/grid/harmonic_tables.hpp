#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "grid/lat_lon_grid.hpp"

namespace mosaic {

/// Latitudes for which an exact analysis in spherical harmonics is known.
enum class LatitudeKind { equiangular_with_poles, equiangular_without_poles, gaussian };

std::string to_string(LatitudeKind kind);

/// How coefficients are made of F_m at the latitudes.
/// exact: F_m is continued over the poles as a trigonometric polynomial on the whole meridian circle and its
/// product with the harmonics integrated exactly: true to rounding for every field that ends at lmax. On
/// Gaussian latitudes it is the Gauss quadrature.
/// direct: plain quadrature over the latitudes (Clenshaw-Curtis, Fejer or Gauss weights), what common
/// machine-learning transforms do: exact for degrees l with l + degree of the field < J only (Gauss: 2 J).
enum class HarmonicMethod { exact, direct };

std::string to_string(HarmonicMethod method);

/// Errors: corrupt_input, naming the supported kinds, if latitudes are none of them within 1e-3 degrees
/// or fewer than 4.
LatitudeKind latitude_kind(const LatLonGrid& grid);

/// Quadrature weights of the sphere's mean, sum 1; south to north. Exact for polynomials in sin(latitude) of
/// degree < J, Gaussian latitudes < 2 J. (Not the area weights of scores.) Errors as latitude_kind(). Source:
/// Waldvogel 2006 (Fejer and Clenshaw-Curtis).
std::vector<double> quadrature_weights(const LatLonGrid& grid);

/// Largest degree for which tables are made. exact: J - 2 (Gaussian J - 1), at most floor((L - 1) / 2):
/// beyond it, waves of the grid are not told apart. direct: J - 1, at most floor(L / 2); where lmax = L / 2,
/// its m = lmax is the shortest wave, whose power is counted four times and whose sine part is lost.
std::size_t largest_degree(const LatLonGrid& grid, HarmonicMethod method);

/// Rows (m, l) of tables and coefficients: m = 0 ... lmax, for each l = m ... lmax.
constexpr std::size_t harmonic_rows(std::size_t lmax) { return (lmax + 1) * (lmax + 2) / 2; }
constexpr std::size_t harmonic_row(std::size_t lmax, std::size_t m, std::size_t l) {
  return m * (2 * lmax + 3 - m) / 2 + l - m;
}

/// Matrices [R, J] that take F_m(latitude j) = (1/L) sum_i f(j, i) exp(-2 pi i m / L) to coefficients of
/// harmonics Y_lm = P_lm(cos theta) exp(i m lambda) with mean |Y_lm|^2 = 1 over the sphere, Condon-Shortley
/// phase, theta the colatitude, lambda from the grid's first longitude:
///   scalars: a_lm = sum_j scalar_j F_m[f],
///   winds:   B_lm = sum_j (slope_j F_m[u] - i turning_j F_m[v])   rotational,
///            G_lm = sum_j (-slope_j F_m[v] - i turning_j F_m[u])  divergent,
/// slope and turning being the analyses with dP/dtheta and m P / sin theta over sqrt(l (l + 1)).
/// Row r = harmonic_row(lmax, m, l), latitudes from south to north. To the bit,
/// scalar[r][J-1-j] = (-1)^(l+m) scalar[r][j], turning likewise, slope with (-1)^(l+m+1).
/// Memory: 8 R J bytes each, 7 MB on 240 x 121 and 1.5 GB on 1440 x 721. Degrees to 1900 (below, P_mm does
/// not underflow where it matters).
struct HarmonicTables {
  std::size_t latitudes = 0;
  std::size_t longitudes = 0;
  std::size_t lmax = 0;
  std::vector<double> scalar;   ///< [R, J]
  std::vector<double> slope;    ///< [R, J]
  std::vector<double> turning;  ///< [R, J]
};

/// Results do not depend on threads. Errors: corrupt_input for latitudes without a method or longitudes that
/// are not uniform within 1e-3 degrees; bad_configuration for degrees beyond 1900.
HarmonicTables make_harmonic_tables(const LatLonGrid& grid, HarmonicMethod method, int threads);

}  // namespace mosaic
