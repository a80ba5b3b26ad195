#include "kernels/device/device_code.hpp"
//
#include "kernels/block_sparse_attention/attend_rows.hpp"

namespace mosaic::kernels {

namespace {

using namespace device;  // NOLINT: the names of device code

// A thread has one of 128 query rows; keys and values pass through shared memory, 32 at a time. For
// comparisons and float32 runs: plain, not fast.
constexpr unsigned threads = device_block;
constexpr unsigned tile_keys = 32;
constexpr unsigned width = device_head_width;

struct Shared {
  float parked[width][threads];
  float keys[tile_keys][width];
  float values[tile_keys][width];
};

struct Float32Body {
  Shared& shared;
  const AttendWork& work;
  AttendItem item;
  float q[width], o[width];
  float maximum = -INFINITY, sum = 0.0f, parked_maximum = 0.0f, parked_sum = 0.0f;

  __device__ __forceinline__ Float32Body(Shared& block_shared, const AttendWork& attend_work)
      : shared(block_shared), work(attend_work), item(attend_work, blockIdx.y, blockIdx.x) {
    const float* row = static_cast<const float*>(work.q) +
                       ((std::size_t(blockIdx.y) * gridDim.x + blockIdx.x) * threads + threadIdx.x) * width;
#pragma unroll
    for (unsigned i = 0; i < width; ++i) {
      q[i] = row[i];
      o[i] = 0.0f;
    }
  }

  __device__ __forceinline__ unsigned count(unsigned group) const {
    return static_cast<unsigned>(work.counts[4 * std::size_t(item.list) + group]);
  }

  __device__ __forceinline__ void multiply(unsigned first, unsigned last) {
#pragma unroll 1
    for (unsigned i = first; i < last; ++i) {
      const auto block = static_cast<unsigned>(work.lists[std::size_t(item.list) * work.capacity + i]);
      const std::size_t start = (std::size_t(item.column) * work.blocks + block) * device_block * width;
#pragma unroll 1
      for (unsigned tile = 0; tile < device_block / tile_keys; ++tile) {
        load(start + tile * tile_keys * width);
#pragma unroll 1
        for (unsigned key = 0; key < tile_keys; ++key) {
          multiply_key(key);
        }
      }
    }
  }

  __device__ __forceinline__ void load(std::size_t start) {
    block_barrier();  // everyone has done with the tile before
    for (unsigned i = threadIdx.x; i < tile_keys * width; i += threads) {
      shared.keys[i / width][i % width] = static_cast<const float*>(work.k)[start + i];
      shared.values[i / width][i % width] = static_cast<const float*>(work.v)[start + i];
    }
    block_barrier();
  }

  __device__ __forceinline__ void multiply_key(unsigned key) {
    float part[4] = {};
#pragma unroll
    for (unsigned i = 0; i < width; ++i) {
      part[i % 4] = fmaf(q[i], shared.keys[key][i], part[i % 4]);
    }
    const float score = (part[0] + part[1] + (part[2] + part[3])) / 8.0f;  // 8 = sqrt(D)
    if (score > maximum) {
      const float shrink = expf(maximum - score);
      maximum = score;
      sum *= shrink;
#pragma unroll
      for (float& value : o) {
        value *= shrink;
      }
    }
    const float weight = expf(score - maximum);
    sum += weight;
#pragma unroll
    for (unsigned i = 0; i < width; ++i) {
      o[i] = fmaf(weight, shared.values[key][i], o[i]);
    }
  }

  __device__ __forceinline__ float share(int branch) const {
    return sum == 0.0f ? 0.0f : gate_of(work, item.row(work, threadIdx.x), branch) / sum;
  }

  __device__ __forceinline__ void park() {
#pragma unroll
    for (unsigned i = 0; i < width; ++i) {
      shared.parked[i][threadIdx.x] = o[i];
    }
    parked_maximum = maximum;
    parked_sum = sum;
  }
  __device__ __forceinline__ void close_local() {
    const float factor = share(0);
#pragma unroll
    for (unsigned i = 0; i < width; ++i) {
      const float local = o[i] * factor;
      o[i] = shared.parked[i][threadIdx.x];
      shared.parked[i][threadIdx.x] = local;
    }
    maximum = parked_maximum;
    sum = parked_sum;
  }
  __device__ __forceinline__ void close_selected() {
    const float factor = share(2);
#pragma unroll
    for (unsigned i = 0; i < width; ++i) {
      o[i] = fmaf(o[i], factor, shared.parked[i][threadIdx.x]);
    }
  }

  __device__ __forceinline__ void write() const {
    const unsigned row = item.row(work, threadIdx.x);
    const float gate = work.compressed == nullptr ? 0.0f : gate_of(work, row, 1);
    const float* values =
        work.compressed == nullptr ? nullptr : work.compressed + compressed_row(work, item) * width;
    float* out = static_cast<float*>(work.out) + std::size_t(row) * width;
#pragma unroll
    for (unsigned i = 0; i < width; ++i) {
      out[i] = values == nullptr ? o[i] : fmaf(gate, values[i], o[i]);
    }
  }
};

__global__ void __launch_bounds__(threads) attend_float32_kernel(AttendWork work) {
  Float32Body body(*reinterpret_cast<Shared*>(shared_memory()), work);
  walk_list(body);
  body.write();
}

}  // namespace

void attend_float32(const AttendArgs& args, const Stream& stream) {
  const AttendWork work = attend_work(args);
  launch(attend_float32_kernel,
         LaunchShape{.x = work.blocks * device_group,
                     .y = work.columns,
                     .threads = threads,
                     .shared_bytes = sizeof(Shared)},
         stream, work);
}

}  // namespace mosaic::kernels
