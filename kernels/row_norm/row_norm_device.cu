#include "kernels/device/device_code.hpp"
#include "kernels/device/eight_numbers.hpp"
#include "kernels/row_norm/row_norm_device.hpp"

// A row belongs to 32, 64, 128 or 256 neighbouring threads, each of which holds up to five runs of eight of
// its numbers: the widths of the network (768, 1024, 1280) are rows of one warp with all loads in flight, and
// every number is read once.

namespace mosaic::kernels {

namespace {

using namespace device;

constexpr int block_threads = 256;
constexpr int runs = 5;
constexpr float norm_epsilon = 0x1p-23f;

/// The sum of x over the threads of a row, the same bits in each. Once per kernel.
__device__ __forceinline__ float sum_of_row(float x, int row_threads) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) {
    x += shuffle_xor(x, mask);
  }
  if (row_threads == 32) {
    return x;
  }
  float* partial = reinterpret_cast<float*>(shared_memory());
  const int warp = threadIdx.x / 32, warps = row_threads / 32;
  if (threadIdx.x % 32 == 0) {
    partial[warp] = x;
  }
  block_barrier();
  float sum = 0;
  for (int w = 0; w < warps; ++w) {
    sum += partial[warp / warps * warps + w];
  }
  return sum;
}

/// Which numbers of which row are this thread's: runs `first`, `first` + step, ... below `count`; no number
/// of a row beyond the last.
struct Place {
  std::int64_t row;
  int first, step, count;
};

__device__ __forceinline__ Place place_of_thread(std::int64_t rows, std::int64_t width, int row_threads) {
  const std::int64_t row =
      std::int64_t(blockIdx.x) * (block_threads / row_threads) + threadIdx.x / row_threads;
  const int first = threadIdx.x % row_threads;
  return {row, first, row_threads, row < rows ? int(width / 8) : 0};
}

/// x += the numbers of `row`.
template <class T>
__device__ __forceinline__ void add_row(float (&x)[runs][8], const T* row, const Place& place) {
  Eight<T> raw[runs];
#pragma unroll
  for (int r = 0; r < runs; ++r) {
    const int run = place.first + r * place.step;
    if (run < place.count) {
      raw[r] = load_eight(row + run * 8);
    }
  }
#pragma unroll
  for (int r = 0; r < runs; ++r) {
    if (place.first + r * place.step < place.count) {
      float number[8];
      to_floats(raw[r], number);
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        x[r][i] += number[i];
      }
    }
  }
}

__device__ __forceinline__ void add_row_of(ElementType type, float (&x)[runs][8], const void* rows,
                                           std::int64_t offset, const Place& place) {
  if (type == ElementType::float16) {
    add_row(x, static_cast<const Half*>(rows) + offset, place);
  } else if (type == ElementType::bfloat16) {
    add_row(x, static_cast<const Bfloat16*>(rows) + offset, place);
  } else {
    add_row(x, static_cast<const float*>(rows) + offset, place);
  }
}

template <class T>
__device__ __forceinline__ void store_row(T* row, const float (&x)[runs][8], const Place& place) {
#pragma unroll
  for (int r = 0; r < runs; ++r) {
    const int run = place.first + r * place.step;
    if (run < place.count) {
      store_eight(row + run * 8, from_floats<T>(x[r]));
    }
  }
}

/// Mean of the squares of the row.
__device__ __forceinline__ float mean_square(const float (&x)[runs][8], std::int64_t width, int row_threads) {
  float sum = 0;
#pragma unroll
  for (int r = 0; r < runs; ++r) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      sum = fmaf(x[r][i], x[r][i], sum);
    }
  }
  return sum_of_row(sum, row_threads) / float(width);
}

__device__ __forceinline__ float factor_of(float mean) { return 1.0f / sqrtf(mean + norm_epsilon); }

template <class T>
__global__ void __launch_bounds__(block_threads) row_factors_kernel(RowFactorsArgs a, int row_threads) {
  const Place place = place_of_thread(a.rows, a.width, row_threads);
  float x[runs][8] = {};
  add_row(x, static_cast<const T*>(a.x) + place.row * a.width, place);
  const float mean = mean_square(x, a.width, row_threads);
  if (place.first < place.count && place.first == 0) {
    a.factor[place.row] = factor_of(mean);
  }
}

__global__ void __launch_bounds__(block_threads, 2) row_norm_kernel(RowNormArgs a, int row_threads) {
  const Place place = place_of_thread(a.rows, a.width, row_threads);
  const std::int64_t offset = place.row * a.width;
  float x[runs][8] = {};
  add_row_of(a.in_type, x, a.x, offset, place);
  if (a.position != nullptr) {
    add_row(x, a.position + place.row % a.period * a.width, place);
  }
  if (a.skip != nullptr) {
    add_row_of(a.skip_type, x, a.skip, offset, place);
  }
  float factor = 1;
  if (a.norms > 0) {
    const float mean = mean_square(x, a.width, row_threads);
    factor = factor_of(mean);
    if (a.norms == 2) {  // mean((factor x)^2) = factor^2 mean(x^2)
      factor *= factor_of(factor * factor * mean);
    }
  }
#pragma unroll
  for (int r = 0; r < runs; ++r) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const float y = x[r][i] * factor;
      x[r][i] = a.activation == Activation::silu ? y / (1.0f + expf(-y)) : y;
    }
  }
  if (a.out_type == ElementType::float16) {
    store_row(static_cast<Half*>(a.out) + offset, x, place);
  } else if (a.out_type == ElementType::bfloat16) {
    store_row(static_cast<Bfloat16*>(a.out) + offset, x, place);
  } else {
    store_row(static_cast<float*>(a.out) + offset, x, place);
  }
}

/// Threads of a row; 0 where it is too wide.
int threads_of_row(std::int64_t width) {
  for (int threads = 32; threads <= block_threads; threads *= 2) {
    if (width <= std::int64_t(threads) * runs * 8) {
      return threads;
    }
  }
  return 0;
}

LaunchShape shape_of(const char* name, std::int64_t rows, std::int64_t width) {
  require_shape(rows > 0 && width > 0 && width % 8 == 0 && threads_of_row(width) > 0,
                std::string(name) + ": " + std::to_string(rows) + " rows of " + std::to_string(width) +
                    "; the width must be a multiple of 8, at most " +
                    std::to_string(block_threads * runs * 8));
  const std::int64_t rows_per_block = block_threads / threads_of_row(width);
  return {unsigned((rows + rows_per_block - 1) / rows_per_block), 1, 1, block_threads,
          block_threads / 32 * sizeof(float)};
}

}  // namespace

void row_factors(const RowFactorsArgs& args, const Stream& stream) {
  const LaunchShape shape = shape_of("row_factors", args.rows, args.width);
  with_element_type(args.type, [&](auto number) {
    launch(row_factors_kernel<decltype(number)>, shape, stream, args, threads_of_row(args.width));
  });
}

void row_norm(const RowNormArgs& args, const Stream& stream) {
  const LaunchShape shape = shape_of("row_norm", args.rows, args.width);
  require_shape(args.norms >= 0 && args.norms <= 2,
                "row_norm: " + std::to_string(args.norms) + " norms; 0, 1 or 2");
  require_shape(args.period > 0, "row_norm: period " + std::to_string(args.period));
  launch(row_norm_kernel, shape, stream, args, threads_of_row(args.width));
}

}  // namespace mosaic::kernels
