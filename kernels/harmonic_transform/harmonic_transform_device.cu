#include <cstdint>

#include "kernels/device/device_code.hpp"
#include "kernels/harmonic_transform/harmonic_transform_device.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum_device.hpp"

namespace mosaic::kernels {
namespace device {
namespace {

constexpr int tile = 32, tile_pitch = tile + 1;  // columns of a tile then lie in different banks
constexpr int tile_rows = 8;
constexpr int gather_threads = tile * tile_rows;
constexpr int degree_threads = 64;
constexpr std::int64_t most_blocks = 65535;  // in y and z

/// Waves of C components (scalars: 1, winds: 2) to rows[m][field][component][part][latitude]; part: real,
/// imaginary.
struct Gather {
  const double* waves[2];  ///< [F, J, wave_columns]
  double* rows;
  int components, orders, latitudes, wave_columns, latitude_columns;
};

/// A transposition in tiles. Blocks (32 columns of waves, 32 latitudes, component of a field).
__global__ void __launch_bounds__(gather_threads) gather_waves_kernel(const __grid_constant__ Gather gather) {
  double* numbers = reinterpret_cast<double*>(shared_memory());  // [32 latitudes, tile_pitch]
  const int lane = threadIdx.x % tile, first_row = threadIdx.x / tile;
  const int first_column = blockIdx.x * tile, first_latitude = blockIdx.y * tile;
  const std::int64_t row_of_all = blockIdx.z, rows_of_all = gridDim.z;  // fields and components
  const double* waves = row_of_all % gather.components == 0 ? gather.waves[0] : gather.waves[1];
  waves += row_of_all / gather.components * gather.latitudes * gather.wave_columns;
#pragma unroll
  for (int row = first_row; row < tile; row += tile_rows) {
    const int latitude = first_latitude + row, column = first_column + lane;
    const bool there = latitude < gather.latitudes && column < 2 * gather.orders;
    numbers[row * tile_pitch + lane] =
        there ? waves[std::int64_t(latitude) * gather.wave_columns + column] : 0.0;
  }
  block_barrier();
#pragma unroll
  for (int row = first_row; row < tile; row += tile_rows) {
    const int column = first_column + row, latitude = first_latitude + lane;
    if (column < 2 * gather.orders && latitude < gather.latitude_columns) {
      const std::int64_t target = (column / 2 * rows_of_all + row_of_all) * 2 + column % 2;
      gather.rows[target * gather.latitude_columns + latitude] = numbers[lane * tile_pitch + row];
    }
  }
}

/// Blocks (degrees, field). coefficients: [m][field][part][columns (l - m)].
__global__ void __launch_bounds__(degree_threads)
    scalar_power_kernel(const double* coefficients, double* power, int degrees, int columns) {
  const int degree = static_cast<int>(blockIdx.x * degree_threads + threadIdx.x);
  if (degree >= degrees) {
    return;
  }
  const std::int64_t field = blockIdx.y, fields = gridDim.y;
  double sum = 0.0;
#pragma unroll 8
  for (int m = 0; m <= degree; ++m) {
    const double* a = coefficients + (m * fields + field) * 2 * columns + degree - m;
    const double real = a[0], imaginary = a[columns];
    sum += (m == 0 ? 1.0 : 2.0) * (real * real + imaginary * imaginary);
  }
  power[field * degrees + degree] = sum;
}

/// Real and imaginary parts of u and v times a table.
struct WindProducts {
  double u_real, u_imaginary, v_real, v_imaginary;

  __device__ __forceinline__ WindProducts(const double* coefficients, int columns)
      : u_real(coefficients[0]),
        u_imaginary(coefficients[columns]),
        v_real(coefficients[2 * columns]),
        v_imaginary(coefficients[3 * columns]) {}
};

/// Blocks (degrees, field). slope and turning: [m][field][component][part][columns (l - m)].
__global__ void __launch_bounds__(degree_threads)
    vector_power_kernel(const double* slope, const double* turning, double* rotational, double* divergent,
                        int degrees, int columns) {
  const int degree = static_cast<int>(blockIdx.x * degree_threads + threadIdx.x);
  if (degree >= degrees) {
    return;
  }
  const std::int64_t field = blockIdx.y, fields = gridDim.y;
  double of_rotation = 0.0, of_divergence = 0.0;
#pragma unroll 4
  for (int m = 0; m <= degree; ++m) {
    const std::int64_t place = (m * fields + field) * 4 * columns + degree - m;
    const WindProducts s(slope + place, columns), t(turning + place, columns);
    const double b_real = s.u_real + t.v_imaginary, b_imaginary = s.u_imaginary - t.v_real;
    const double g_real = t.u_imaginary - s.v_real, g_imaginary = s.v_imaginary + t.u_real;
    const double factor = m == 0 ? 0.5 : 1.0;
    of_rotation += factor * (b_real * b_real + b_imaginary * b_imaginary);
    of_divergence += factor * (g_real * g_real + g_imaginary * g_imaginary);
  }
  rotational[field * degrees + degree] = of_rotation;
  divergent[field * degrees + degree] = of_divergence;
}

unsigned parts_of(std::int64_t count, int size) { return unsigned((count + size - 1) / size); }

void require_harmonics(std::int64_t fields, int components, const HarmonicShape& shape) {
  require_shape(fields > 0 && fields * components <= most_blocks,
                "harmonics of " + std::to_string(fields) + " fields");
  require_shape(shape.latitudes > 0 && shape.longitudes > 0 && shape.lmax <= shape.longitudes / 2,
                "harmonics up to degree " + std::to_string(shape.lmax) + " on " +
                    std::to_string(shape.latitudes) + " latitudes and " + std::to_string(shape.longitudes) +
                    " longitudes");
}

int degrees_of(const HarmonicShape& shape) { return int(shape.lmax) + 1; }

void gather_waves(const double* u, const double* v, double* rows, std::int64_t fields,
                  const HarmonicShape& shape, const Stream& stream) {
  const int components = v == nullptr ? 1 : 2;
  const Gather gather{.waves = {u, v},
                      .rows = rows,
                      .components = components,
                      .orders = degrees_of(shape),
                      .latitudes = int(shape.latitudes),
                      .wave_columns = int(wave_columns(std::int64_t(shape.longitudes))),
                      .latitude_columns = int(latitude_columns(shape))};
  launch(gather_waves_kernel,
         LaunchShape{.x = parts_of(2 * gather.orders, tile),
                     .y = parts_of(gather.latitude_columns, tile),
                     .z = unsigned(fields * components),
                     .threads = gather_threads,
                     .shared_bytes = tile * tile_pitch * sizeof(double)},
         stream, gather);
}

/// For each order, `count` rows over latitudes to as many over degrees.
DoubleProductArgs product_over_latitudes(const HarmonicShape& shape, std::int64_t count, const double* rows,
                                         const double* table, double* coefficients) {
  const std::int64_t inputs = latitude_columns(shape), outputs = degree_columns(shape);
  return {.batches = degrees_of(shape),
          .rows = count,
          .inputs = inputs,
          .outputs = outputs,
          .x = rows,
          .x_stride = count * inputs,
          .weight = table,
          .weight_stride = outputs * inputs,
          .out = coefficients,
          .out_stride = count * outputs};
}

LaunchShape power_shape(std::int64_t fields, const HarmonicShape& shape) {
  return {.x = parts_of(degrees_of(shape), degree_threads), .y = unsigned(fields), .threads = degree_threads};
}

}  // namespace
}  // namespace device

void scalar_harmonics(const DeviceScalarHarmonicsArgs& args, MatrixProducts& products, const Stream& stream) {
  using namespace device;
  require_harmonics(args.fields, 1, args.shape);
  gather_waves(args.waves, nullptr, args.rows, args.fields, args.shape, stream);
  products.run(product_over_latitudes(args.shape, 2 * args.fields, args.rows, args.scalar, args.coefficients),
               stream);
  launch(scalar_power_kernel, power_shape(args.fields, args.shape), stream, args.coefficients, args.power,
         degrees_of(args.shape), int(degree_columns(args.shape)));
}

void vector_harmonics(const DeviceVectorHarmonicsArgs& args, MatrixProducts& products, const Stream& stream) {
  using namespace device;
  require_harmonics(args.fields, 2, args.shape);
  gather_waves(args.u_waves, args.v_waves, args.rows, args.fields, args.shape, stream);
  double* of_slope = args.coefficients;
  double* of_turning = args.coefficients + args.coefficient_numbers() / 2;
  products.run(product_over_latitudes(args.shape, 4 * args.fields, args.rows, args.slope, of_slope), stream);
  products.run(product_over_latitudes(args.shape, 4 * args.fields, args.rows, args.turning, of_turning),
               stream);
  launch(vector_power_kernel, power_shape(args.fields, args.shape), stream, of_slope, of_turning,
         args.rotational, args.divergent, degrees_of(args.shape), int(degree_columns(args.shape)));
}

}  // namespace mosaic::kernels
