#include "kernels/zonal_spectrum/zonal_spectrum_device.hpp"

#include <cmath>
#include <numbers>

namespace mosaic::kernels {

std::vector<double> wave_table(std::int64_t longitudes) {
  const auto length = static_cast<double>(longitudes);
  const std::int64_t columns = row_columns(longitudes);
  std::vector<double> table(static_cast<std::size_t>(wave_columns(longitudes) * columns), 0.0);
  for (std::int64_t k = 0; k < longitudes / 2 + 1; ++k) {
    double* real = table.data() + 2 * k * columns;
    double* imaginary = real + columns;
    for (std::int64_t l = 0; l < longitudes; ++l) {
      const double angle = 2.0 * std::numbers::pi * static_cast<double>(k * l % longitudes) / length;
      real[l] = std::cos(angle) / length;
      imaginary[l] = -std::sin(angle) / length;
    }
  }
  return table;
}

}  // namespace mosaic::kernels
