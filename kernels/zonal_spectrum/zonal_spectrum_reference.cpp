#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

namespace mosaic::kernels {

void zonal_spectrum_reference(const ZonalSpectrumArgs& args) {
  const std::size_t longitudes = args.longitudes;
  const std::size_t wavenumbers = zonal_wavenumbers(longitudes);
  const auto length = static_cast<double>(longitudes);
  for (std::size_t j = 0; j < args.field.size() / longitudes; ++j) {
    for (std::size_t k = 0; k < wavenumbers; ++k) {
      double real = 0.0;
      double imaginary = 0.0;
      for (std::size_t l = 0; l < longitudes; ++l) {
        const double value = args.field[j * longitudes + l];
        const double angle = 2.0 * std::numbers::pi * static_cast<double>(k * l % longitudes) / length;
        real += value * std::cos(angle) / length;
        imaginary -= value * std::sin(angle) / length;
      }
      const double value = real * real + imaginary * imaginary;
      args.power[j * wavenumbers + k] =
          std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
    }
  }
}

}  // namespace mosaic::kernels
