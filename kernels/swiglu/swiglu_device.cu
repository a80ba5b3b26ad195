#include <cstdint>

#include "kernels/swiglu/swiglu_bodies.hpp"
#include "kernels/swiglu/swiglu_device.hpp"

namespace mosaic::kernels {
namespace device {
namespace {

// float32: 64 tokens x 32 hidden columns (64 weight rows) by 16 x 16 threads, each 4 tokens x 2 columns.
constexpr int tile_tokens = 64, tile_rows = 64, tile_hidden = tile_rows / 2;
constexpr int step_width = 16;  // channels
constexpr int block_threads = 256;
constexpr int pitch = 64 + 4;  // floats between channels in shared memory; keeps 16-byte alignment
constexpr int shared_bytes = 2 * step_width * pitch * 4;

/// Four channels of a row each, turned so that [channel][row].
__device__ __forceinline__ void load_turned(const float* source, std::int64_t width, float* target) {
  const int row = threadIdx.x / 4, channel = threadIdx.x % 4 * 4;
  const float* from = source + row * width + channel;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    target[(channel + i) * pitch + row] = from[i];
  }
}

__global__ void __launch_bounds__(block_threads)
    swiglu_float32_kernel(const __grid_constant__ SwigluArgs args) {
  float* x = reinterpret_cast<float*>(shared_memory());
  float* weight = x + step_width * pitch;
  const int first_row = blockIdx.x * tile_tokens, column = blockIdx.y * tile_hidden;
  const float* x_source = static_cast<const float*>(args.x) + first_row * args.width;
  const float* weight_source = static_cast<const float*>(args.weight) + 2 * column * args.width;
  const int row = threadIdx.x / 16 * 4, mine = threadIdx.x % 16 * 2;  // first of 4 tokens, of 2 columns
  const int a_row = mine / 8 * 16 + mine % 8, b_row = a_row + 8;
  float a[4][2] = {}, b[4][2] = {};
  for (std::int64_t k = 0; k < args.width; k += step_width) {
    block_barrier();
    load_turned(x_source + k, args.width, x);
    load_turned(weight_source + k, args.width, weight);
    block_barrier();
#pragma unroll
    for (int channel = 0; channel < step_width; ++channel) {
      const float* x_at = x + channel * pitch + row;
      const float* weight_at = weight + channel * pitch;
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 2; ++j) {
          a[i][j] = fmaf(x_at[i], weight_at[a_row + j], a[i][j]);
          b[i][j] = fmaf(x_at[i], weight_at[b_row + j], b[i][j]);
        }
      }
    }
  }
  const float2 shift = shifts_at(args, first_row / args.tokens, column + mine);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const std::int64_t at = first_row + row + i;
    const float r = row_factor_at(args, at);
    float* out = static_cast<float*>(args.hidden_out) + at * args.hidden + column + mine;
#pragma unroll
    for (int j = 0; j < 2; ++j) {
      const float u = fmaf(r, a[i][j], j == 0 ? shift.x : shift.y);
      out[j] = u / (1.0f + expf(-u)) * (r * b[i][j]);
    }
  }
}

void check_arguments(const SwigluArgs& args) {
  require_shape(args.members > 0 && args.tokens > 0 && args.tokens % 128 == 0,
                "swiglu: tokens of a member must be a multiple of 128");
  require_shape(args.width > 0 && args.width % 64 == 0, "swiglu: the width must be a multiple of 64");
  require_shape(args.hidden > 0 && args.hidden % 128 == 0,
                "swiglu: the hidden width must be a multiple of 128");
  require_shape(args.members * args.tokens < (std::int64_t(1) << 31), "swiglu: too many rows");
  require_shape(args.shift == nullptr || (args.shift_stride >= args.hidden && args.shift_stride % 2 == 0),
                "swiglu: the stride of shifts must be even and not below the hidden width");
  require_shape(reinterpret_cast<std::uintptr_t>(args.shift) % 8 == 0,
                "swiglu: shifts must be aligned to 8 bytes");
}

}  // namespace
}  // namespace device

void swiglu_float32(const SwigluArgs& args, const Stream& stream) {
  using namespace device;
  const LaunchShape shape{.x = static_cast<unsigned>(args.members * args.tokens / tile_tokens),
                          .y = static_cast<unsigned>(args.hidden / tile_hidden),
                          .threads = block_threads,
                          .shared_bytes = shared_bytes};
  launch(swiglu_float32_kernel, shape, stream, args);
}

void swiglu(const SwigluArgs& args, SwigluBody body, const Stream& stream) {
  device::check_arguments(args);
  const bool hopper_device = device_capability() == 90;
  require_shape(body != SwigluBody::hopper || hopper_device,
                "swiglu: the hopper body needs a device of compute capability 9.0");
  if (args.type == ElementType::float32) {
    swiglu_float32(args, stream);
  } else if (body == SwigluBody::hopper || (body == SwigluBody::automatic && hopper_device)) {
    swiglu_hopper(args, stream);
  } else {
    swiglu_ampere(args, stream);
  }
}

}  // namespace mosaic::kernels
