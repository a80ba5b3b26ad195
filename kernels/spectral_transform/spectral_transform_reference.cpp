#include <cmath>
#include <complex>
#include <numbers>

#include "kernels/spectral_transform/spectral_transform.hpp"

namespace mosaic::kernels {
namespace {

using Complex = std::complex<double>;

/// exp(2 pi i m l / L)
Complex turn(const SpectralShape& shape, std::size_t m, std::size_t l) {
  const std::size_t part = m * l % shape.longitudes;
  return std::polar(
      1.0, 2.0 * std::numbers::pi * static_cast<double>(part) / static_cast<double>(shape.longitudes));
}

/// Of the northern value of a table, from its southern one.
double mirror_sign(Mirror mirror, std::size_t n_minus_m) {
  return (mirror == Mirror::even) == (n_minus_m % 2 == 0) ? 1.0 : -1.0;
}

}  // namespace

void spectral_synthesis_reference(const SynthesisArgs& args) {
  const SpectralShape& shape = args.shape;
  const std::size_t K = args.columns, L = shape.longitudes, N = shape.truncation;
  for (std::size_t p = 0; p < args.pairs.count; ++p) {
    for (std::size_t side = 0; side < 2; ++side) {
      for (std::size_t l = 0; l < L; ++l) {
        for (std::size_t k = 0; k < K; ++k) {
          double sum = 0;
          for (std::size_t m = 0; m <= N; ++m) {
            Complex order = 0;
            for (std::size_t n = m; n <= N; ++n) {
              const double south = args.table[(args.pairs.first + p) * shape.rows() + shape.parity_row(m, n)];
              const double* x = args.spectrum.data() + shape.row(m, n) * 2 * K;
              order += (side == 0 ? 1.0 : mirror_sign(args.mirror, n - m)) * south * Complex(x[k], x[K + k]);
            }
            const Complex z = args.factor == ZonalFactor::one ? Complex(1, 0) : Complex(0, 1);
            sum += (m == 0 ? 1.0 : 2.0) * (z * turn(shape, m, l) * order).real();
          }
          args.grid[((p * L + l) * 2 + side) * K + k] = sum;
        }
      }
    }
  }
}

void spectral_analysis_reference(const AnalysisArgs& args) {
  const SpectralShape& shape = args.shape;
  const std::size_t K = args.columns, L = shape.longitudes, N = shape.truncation;
  for (std::size_t m = 0; m <= N; ++m) {
    for (std::size_t n = m; n <= N; ++n) {
      for (std::size_t k = 0; k < K; ++k) {
        Complex sum = 0;
        for (std::size_t p = 0; p < args.pairs.count; ++p) {
          const double south = args.table[shape.row(m, n) * shape.half() + args.pairs.first + p];
          for (std::size_t side = 0; side < 2; ++side) {
            const double weight = south * (side == 0 ? 1.0 : mirror_sign(Mirror::even, n - m));
            for (std::size_t l = 0; l < L; ++l) {
              sum += weight * args.grid[((p * L + l) * 2 + side) * K + k] * std::conj(turn(shape, m, l));
            }
          }
        }
        double* x = args.spectrum.data() + shape.row(m, n) * 2 * K;
        x[k] += sum.real() / static_cast<double>(L);
        x[K + k] += sum.imag() / static_cast<double>(L);
      }
    }
  }
}

}  // namespace mosaic::kernels
