#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/parallel_for.hpp"
#include "kernels/real_fourier.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::size_t lanes = 16;  // rows side by side: two vectors of 512 bits

/// Power of rows first ... first + count - 1.
void transform_rows(const ZonalSpectrumArgs& args, std::size_t first, std::size_t count) {
  const RealFourier& fourier = RealFourier::of(args.longitudes);
  const std::size_t wavenumbers = fourier.wavenumbers();
  std::vector<const float*> rows(count);
  for (std::size_t w = 0; w < count; ++w) {
    rows[w] = args.field.data() + (first + w) * args.longitudes;
  }
  std::vector<double> spectrum(wavenumbers * 2 * lanes);
  RealFourier::Workspace workspace;
  fourier.transform<float>(rows, lanes, spectrum.data(), workspace);
  for (std::size_t w = 0; w < count; ++w) {
    for (std::size_t k = 0; k < wavenumbers; ++k) {
      const double real = spectrum[2 * k * lanes + w], imaginary = spectrum[(2 * k + 1) * lanes + w];
      const double value = real * real + imaginary * imaginary;
      args.power[(first + w) * wavenumbers + k] =
          std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
    }
  }
}

}  // namespace

void zonal_spectrum_cpu(const ZonalSpectrumArgs& args) {
  const std::size_t rows = args.field.size() / args.longitudes;
  parallel_for((rows + lanes - 1) / lanes, args.threads, [&](std::size_t tile) {
    transform_rows(args, tile * lanes, std::min(lanes, rows - tile * lanes));
  });
}

}  // namespace mosaic::kernels
