#pragma once

#include <cstddef>
#include <span>

namespace mosaic::kernels {

/// Power of the real Fourier transform along rows of equally spaced longitudes:
/// P_k = |F_k|^2, F_k = (1/L) sum_l f_l exp(-2 pi i k l / L), k = 0 ... K - 1, K = floor(L/2) + 1.
/// Letters: J rows, L longitudes, K wavenumbers. Layout [J, L] and [J, K], double. NaN and infinities give
/// NaN. Results do not depend on threads. Source: WeatherBench 2 ("forward" normalisation).
struct ZonalSpectrumArgs {
  std::span<const float> field;  ///< [J, L]
  std::size_t longitudes = 0;    ///< L
  std::span<double> power;       ///< [J, K], output
  int threads = 1;
};

enum class ZonalSpectrumBackend { reference, cpu };

constexpr std::size_t zonal_wavenumbers(std::size_t longitudes) { return longitudes / 2 + 1; }

/// Errors: internal, for inconsistent sizes.
void zonal_spectrum(const ZonalSpectrumArgs& args, ZonalSpectrumBackend backend = ZonalSpectrumBackend::cpu);

/// The definition, with nested loops.
void zonal_spectrum_reference(const ZonalSpectrumArgs& args);

/// Fast Fourier transforms of rows side by side.
void zonal_spectrum_cpu(const ZonalSpectrumArgs& args);

}  // namespace mosaic::kernels
