#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/backend.hpp"

namespace mosaic::kernels {

/// Transforms between spectra of triangular truncation and grids, for many columns side by side: those of a
/// model that lives in spectral space. Letters: K columns (levels x members, fastest), N truncation, orders
/// m = 0 ... N, degrees n = m ... N, R rows (m, n), J latitudes south to north, L longitudes 2 pi l / L,
/// H = floor((J + 1) / 2) latitudes of the south with the equator. Pair p: latitudes p and J - 1 - p.
/// With c_0 = 1, c_m = 2:
///   synthesis: f[j][l] = sum_m c_m Re(z exp(2 pi i m l / L) sum_n T_mn(j) x[m,n]), z = 1 or i
///   analysis:  x[m,n] = sum_j W_mn(j) (1/L) sum_l f[j][l] exp(-2 pi i m l / L)
/// Source: Orszag 1970 (transform method); tables from grid/spectral_tables.hpp.
/// Tables hold the south only: T_mn(J-1-j) = s (-1)^(n-m) T_mn(j), s = 1 for Mirror::even, -1 for
/// Mirror::odd; W is even. A pair of the equator with itself is given and written twice, so analysis wants an
/// even J. Sums are taken from left to right and never fused: a column has the same bits whatever the others.
/// Restrictions: N < L / 2. Errors: internal for inconsistent sizes; bad_configuration for a backend that is
/// not there.
struct SpectralShape {
  std::size_t truncation = 0;
  std::size_t latitudes = 0;
  std::size_t longitudes = 0;

  std::size_t rows() const { return (truncation + 1) * (truncation + 2) / 2; }
  std::size_t row(std::size_t m, std::size_t n) const { return m * (2 * truncation + 3 - m) / 2 + n - m; }
  /// Place of (m, n) where for each m the degrees with even n - m come first, then those with odd n - m.
  std::size_t parity_row(std::size_t m, std::size_t n) const {
    const std::size_t even = (truncation - m) / 2 + 1;
    return row(m, m) + (n - m) / 2 + ((n - m) % 2 == 0 ? 0 : even);
  }
  std::size_t half() const { return (latitudes + 1) / 2; }
};

enum class Mirror { even, odd };
enum class ZonalFactor { one, imaginary_unit };

/// Consecutive pairs of latitudes.
struct LatitudePairs {
  std::size_t first = 0;
  std::size_t count = 0;
};

/// Room that a transform needs and may be used again.
using SpectralWorkspace = std::vector<double>;

struct SynthesisArgs {
  SpectralShape shape;
  std::span<const double> table;  ///< T [H, R], rows in the order of parity_row()
  Mirror mirror = Mirror::even;
  ZonalFactor factor = ZonalFactor::one;
  std::span<const double> spectrum;  ///< x [R, 2 (real, imaginary), K]
  std::size_t columns = 0;
  LatitudePairs pairs;
  std::span<double> grid;  ///< f [pairs, L, 2 (south, north), K], output
};

struct AnalysisArgs {
  SpectralShape shape;
  std::span<const double> table;  ///< W [R, H]
  std::span<const double> grid;   ///< f [pairs, L, 2 (south, north), K]
  std::size_t columns = 0;
  LatitudePairs pairs;
  std::span<double> spectrum;  ///< x [R, 2 (real, imaginary), K]; what these pairs give is added
};

void spectral_synthesis(const SynthesisArgs& args, SpectralWorkspace& workspace,
                        Backend backend = Backend::cpu);
void spectral_analysis(const AnalysisArgs& args, SpectralWorkspace& workspace,
                       Backend backend = Backend::cpu);

/// The definition, with nested loops.
void spectral_synthesis_reference(const SynthesisArgs& args);
void spectral_analysis_reference(const AnalysisArgs& args);

/// Matrix products: over degrees for the sums and differences of both hemispheres, then over orders. Where L
/// is a multiple of four, sines and cosines of even and odd orders are taken for a quarter of the circle.
void spectral_synthesis_cpu(const SynthesisArgs& args, SpectralWorkspace& workspace);
void spectral_analysis_cpu(const AnalysisArgs& args, SpectralWorkspace& workspace);

}  // namespace mosaic::kernels
