#pragma once

#include <cstdint>
#include <vector>

#include "kernels/device/device.hpp"
#include "kernels/matrix_product/matrix_product_device.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

namespace mosaic::kernels {

/// Zonal Fourier coefficients of an ensemble on a device, F_k = (1/L) sum_l f_l exp(-2 pi i k l / L) for each
/// row of longitudes, and their power in bands of latitudes. Letters: M members, F = M + 2 fields (members,
/// their mean, the truth), J latitudes, L longitudes, K = floor(L/2) + 1 wavenumbers. Arithmetic in double,
/// as a product with a matrix of cosines and sines: 14 MFLOP for a field of 240 x 121, and its bits do not
/// depend on the others.

/// Columns of rows and of waves: L and 2 K, rounded up to what matrix products take.
constexpr std::int64_t row_columns(std::int64_t longitudes) { return product_columns(longitudes); }
constexpr std::int64_t wave_columns(std::int64_t longitudes) {
  return product_columns(2 * (longitudes / 2 + 1));
}

/// [wave_columns, row_columns]: rows 2 k and 2 k + 1 give the real and the imaginary part of F_k, the rest is
/// zero.
std::vector<double> wave_table(std::int64_t longitudes);

/// waves[f][j][2 k], [2 k + 1]: real and imaginary part of F_k of row j of field f. The mean over members is
/// summed in double in their order and rounded to float32, as the scores' is. NaN and infinities stay in
/// their row. All pointers are to the device.
struct DeviceWavesArgs {
  std::int64_t members = 0, latitudes = 0, longitudes = 0;
  const float* forecast = nullptr;  ///< [J, L] of member 0; member m begins m member_stride numbers later
  std::int64_t member_stride = 0;
  const float* truth = nullptr;   ///< [J, L]
  const double* table = nullptr;  ///< wave_table()
  double* rows = nullptr;         ///< [F, J, row_columns], workspace
  double* waves = nullptr;        ///< [F, J, wave_columns], output

  std::int64_t fields() const { return members + 2; }
  std::int64_t row_numbers() const { return fields() * latitudes * row_columns(longitudes); }
  std::int64_t wave_numbers() const { return fields() * latitudes * wave_columns(longitudes); }
};
void zonal_waves(const DeviceWavesArgs& args, MatrixProducts& products, const Stream& stream);

/// power[f][b][k] = sum_j weights[b][j] |F_k(f, j)|^2, j ascending. Rows of weight 0 are left out; a
/// |F_k|^2 that is not finite counts as NaN. All pointers are to the device.
struct DeviceZonalSpectrumArgs {
  std::int64_t fields = 0, latitudes = 0, longitudes = 0, bands = 0;
  const double* waves = nullptr;    ///< [F, J, wave_columns] of zonal_waves()
  const double* weights = nullptr;  ///< [bands, J]
  double* power = nullptr;          ///< [F, bands, K], output
};
void zonal_spectrum(const DeviceZonalSpectrumArgs& args, const Stream& stream);

}  // namespace mosaic::kernels
