#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <numbers>
#include <vector>

#include "base/parallel_for.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

namespace mosaic::kernels {
namespace {

/// cos and sin of 2 pi k l / L for l = 0 ... floor(L/2); [l][k], so that the inner loop runs along k.
struct Tables {
  explicit Tables(std::size_t longitudes) {
    const std::size_t half = zonal_wavenumbers(longitudes);
    cosine.resize(half * half);
    sine.resize(half * half);
    for (std::size_t l = 0; l < half; ++l) {
      for (std::size_t k = 0; k < half; ++k) {
        const double turn = static_cast<double>(k * l % longitudes) / static_cast<double>(longitudes);
        cosine[l * half + k] = std::cos(2.0 * std::numbers::pi * turn);
        sine[l * half + k] = std::sin(2.0 * std::numbers::pi * turn);
      }
    }
  }

  std::vector<double> cosine;
  std::vector<double> sine;
};

const Tables& tables_for(std::size_t longitudes) {
  static std::mutex mutex;
  static std::map<std::size_t, Tables> known;
  const std::lock_guard lock(mutex);
  return known.try_emplace(longitudes, longitudes).first->second;
}

/// One row. The cosine meets only f_l + f_(L-l), the sine only f_l - f_(L-l).
void transform_row(const float* row, std::size_t longitudes, const Tables& tables, double* power) {
  const std::size_t half = zonal_wavenumbers(longitudes);
  std::vector<double> real(half, 0.0);
  std::vector<double> imaginary(half, 0.0);
  for (std::size_t l = 0; l < half; ++l) {
    const std::size_t mirror = longitudes - l;
    const bool alone = l == 0 || mirror == l;
    const double even = alone ? row[l] : static_cast<double>(row[l]) + row[mirror];
    const double odd = alone ? 0.0 : static_cast<double>(row[l]) - row[mirror];
    const double* cosine = tables.cosine.data() + l * half;
    const double* sine = tables.sine.data() + l * half;
    for (std::size_t k = 0; k < half; ++k) {
      real[k] += even * cosine[k];
      imaginary[k] += odd * sine[k];
    }
  }
  const double scale = 1.0 / static_cast<double>(longitudes * longitudes);
  for (std::size_t k = 0; k < half; ++k) {
    const double value = (real[k] * real[k] + imaginary[k] * imaginary[k]) * scale;
    power[k] = std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace

void zonal_spectrum_cpu(const ZonalSpectrumArgs& args) {
  const Tables& tables = tables_for(args.longitudes);
  const std::size_t wavenumbers = zonal_wavenumbers(args.longitudes);
  parallel_for(args.field.size() / args.longitudes, args.threads, [&](std::size_t j) {
    transform_row(args.field.data() + j * args.longitudes, args.longitudes, tables,
                  args.power.data() + j * wavenumbers);
  });
}

}  // namespace mosaic::kernels
