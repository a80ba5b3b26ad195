#include "kernels/device/device_code.hpp"
#include "kernels/member_projection/member_projection_device.hpp"

// A thread has one output of up to eight members. Weights come through shared memory, 32 inputs of 128
// outputs at a time, so that rows are read by neighbouring threads and summed by one.

namespace mosaic::kernels {

namespace {

using namespace device;

constexpr int block_threads = 128;  // also outputs of a block
constexpr int tile = 32;            // inputs
constexpr int pitch = tile + 1;     // a column of 32 rows then falls into 32 banks
constexpr int member_group = 8;

// Blocks (x, y): 128 outputs, eight members.
__global__ void __launch_bounds__(block_threads) member_projection_kernel(DeviceProjectionArgs a) {
  float* weight = reinterpret_cast<float*>(shared_memory());
  float* x = weight + block_threads * pitch;  // [member_group, tile]
  const std::int64_t first_output = std::int64_t(blockIdx.x) * block_threads;
  const std::int64_t first_member = std::int64_t(blockIdx.y) * member_group;
  const int column = threadIdx.x % tile;
  float sum[member_group] = {};
  for (std::int64_t first = 0; first < a.inputs; first += tile) {
    const bool column_there = first + column < a.inputs;
#pragma unroll 8
    for (int row = threadIdx.x / tile; row < block_threads; row += block_threads / tile) {
      const bool there = column_there && first_output + row < a.outputs;
      weight[row * pitch + column] =
          there ? a.weight[(first_output + row) * a.inputs + first + column] : 0.0f;
    }
    for (int row = threadIdx.x / tile; row < member_group; row += block_threads / tile) {
      const bool there = column_there && first_member + row < a.members;
      x[row * tile + column] = there ? a.x[(first_member + row) * a.inputs + first + column] : 0.0f;
    }
    block_barrier();
    const int inputs = a.inputs - first < tile ? int(a.inputs - first) : tile;
    for (int j = 0; j < inputs; ++j) {
#pragma unroll
      for (int m = 0; m < member_group; ++m) {
        sum[m] = fmaf(weight[threadIdx.x * pitch + j], x[m * tile + j], sum[m]);
      }
    }
    block_barrier();
  }
  const std::int64_t output = first_output + threadIdx.x;
#pragma unroll
  for (int m = 0; m < member_group; ++m) {
    if (output < a.outputs && first_member + m < a.members) {
      a.out[(first_member + m) * a.outputs + output] = sum[m];
    }
  }
}

}  // namespace

void member_projection(const DeviceProjectionArgs& args, const Stream& stream) {
  require_shape(args.members > 0 && args.inputs > 0 && args.outputs > 0,
                "member_projection: " + std::to_string(args.members) + " members, " +
                    std::to_string(args.inputs) + " inputs, " + std::to_string(args.outputs) + " outputs");
  const LaunchShape shape{unsigned((args.outputs + block_threads - 1) / block_threads),
                          unsigned((args.members + member_group - 1) / member_group), 1, block_threads,
                          (block_threads * pitch + member_group * tile) * sizeof(float)};
  launch(member_projection_kernel, shape, stream, args);
}

}  // namespace mosaic::kernels
