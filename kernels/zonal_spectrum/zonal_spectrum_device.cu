#include <cmath>
#include <cstdint>

#include "kernels/device/device_code.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum_device.hpp"

namespace mosaic::kernels {
namespace device {
namespace {

constexpr int row_threads = 256;
constexpr int wave_threads = 64;             // neighbours k: 1 KB of a row
constexpr std::int64_t most_blocks = 65535;  // in y and z

/// F_k of a row.
struct alignas(16) Wave {
  double real, imaginary;
};

/// Number `at` of the field's [J, L].
__device__ __forceinline__ float field_value(const DeviceWavesArgs& args, std::int64_t field,
                                             std::int64_t at) {
  if (field < args.members) {
    return args.forecast[field * args.member_stride + at];
  }
  if (field > args.members) {
    return args.truth[at];
  }
  double sum = 0.0;
#pragma unroll 8
  for (std::int64_t m = 0; m < args.members; ++m) {
    sum += args.forecast[m * args.member_stride + at];
  }
  return static_cast<float>(sum / static_cast<double>(args.members));
}

/// Blocks (numbers of [J, columns], field).
__global__ void __launch_bounds__(row_threads)
    double_rows_kernel(const __grid_constant__ DeviceWavesArgs args, int columns) {
  const std::int64_t item = std::int64_t(blockIdx.x) * row_threads + threadIdx.x;
  const std::int64_t latitude = item / columns, longitude = item % columns, field = blockIdx.y;
  if (latitude >= args.latitudes) {
    return;
  }
  args.rows[field * args.latitudes * columns + item] =
      longitude < args.longitudes ? field_value(args, field, latitude * args.longitudes + longitude) : 0.0;
}

/// Blocks (wavenumbers, band, field).
__global__ void __launch_bounds__(wave_threads)
    band_power_kernel(const __grid_constant__ DeviceZonalSpectrumArgs args, int wavenumbers, int columns) {
  const int k = static_cast<int>(blockIdx.x * wave_threads + threadIdx.x);
  if (k >= wavenumbers) {
    return;
  }
  const std::int64_t band = blockIdx.y, field = blockIdx.z;
  const double* weights = args.weights + band * args.latitudes;
  const double* waves = args.waves + field * args.latitudes * columns;
  double sum = 0.0;
#pragma unroll 8
  for (std::int64_t j = 0; j < args.latitudes; ++j) {
    const Wave wave = reinterpret_cast<const Wave*>(waves + j * columns)[k];
    const double square = wave.real * wave.real + wave.imaginary * wave.imaginary;
    const double weight = weights[j];
    const double value = std::isfinite(square) ? square : static_cast<double>(NAN);
    sum = weight != 0.0 ? sum + weight * value : sum;
  }
  args.power[(field * args.bands + band) * wavenumbers + k] = sum;
}

unsigned parts_of(std::int64_t count, int size) { return unsigned((count + size - 1) / size); }

}  // namespace
}  // namespace device

void zonal_waves(const DeviceWavesArgs& args, MatrixProducts& products, const Stream& stream) {
  using namespace device;
  require_shape(args.members > 0 && args.latitudes > 0 && args.longitudes > 0 && args.fields() <= most_blocks,
                "zonal_waves: empty, or more than 65533 members");
  const std::int64_t columns = row_columns(args.longitudes), rows = args.fields() * args.latitudes;
  const LaunchShape shape{.x = parts_of(args.latitudes * columns, row_threads),
                          .y = unsigned(args.fields()),
                          .threads = row_threads};
  launch(double_rows_kernel, shape, stream, args, int(columns));
  products.run(DoubleProductArgs{.rows = rows,
                                 .inputs = columns,
                                 .outputs = wave_columns(args.longitudes),
                                 .x = args.rows,
                                 .weight = args.table,
                                 .out = args.waves},
               stream);
}

void zonal_spectrum(const DeviceZonalSpectrumArgs& args, const Stream& stream) {
  using namespace device;
  require_shape(args.fields > 0 && args.latitudes > 0 && args.longitudes > 0 && args.bands > 0,
                "zonal_spectrum: empty");
  require_shape(args.fields <= most_blocks && args.bands <= most_blocks,
                "zonal_spectrum: more than 65535 fields or bands");
  const std::int64_t wavenumbers = args.longitudes / 2 + 1;
  const LaunchShape shape{.x = parts_of(wavenumbers, wave_threads),
                          .y = unsigned(args.bands),
                          .z = unsigned(args.fields),
                          .threads = wave_threads};
  launch(band_power_kernel, shape, stream, args, int(wavenumbers), int(wave_columns(args.longitudes)));
}

}  // namespace mosaic::kernels
