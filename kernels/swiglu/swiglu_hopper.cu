#include <algorithm>
#include <cstdint>

#include "kernels/swiglu/swiglu_bodies.hpp"

// The product of 128 tokens with 256 interleaved weight rows (128 hidden columns) is a tile. A block stays
// and takes every gridDim-th tile: one thread of the first warpgroup asks the copy engine for slices of 64
// channels, four ahead and across the ends of tiles; two warpgroups multiply 64 tokens each. The second one
// is held back at the start, so that ever after one multiplies while the other computes exponentials.

namespace mosaic::kernels {
namespace device {
namespace {

constexpr int tile_tokens = 128, tile_rows = 256, tile_hidden = tile_rows / 2;
constexpr int step_width = 64;  // channels; 128 bytes, one row of the swizzle
constexpr int stages = 4;
constexpr int consumers = 2;
constexpr int block_threads = 128 * (1 + consumers);

constexpr int row_bytes = 2 * step_width;
constexpr int x_bytes = tile_tokens * row_bytes, weight_bytes = tile_rows * row_bytes;
constexpr int stage_bytes = x_bytes + weight_bytes;
constexpr int out_row_bytes = 2 * tile_hidden;
constexpr int warp_out_bytes = 16 * out_row_bytes;  // a warp has 16 tokens
constexpr int out_begin = stages * stage_bytes;
constexpr int barriers_begin = out_begin + 4 * consumers * warp_out_bytes;
constexpr int shared_bytes = barriers_begin + 2 * stages * 8;

#if MOSAIC_HOPPER_CODE

constexpr int group_rows = 16;  // tiles of tokens that go together: 132 blocks are 16 x 8 tiles
constexpr int head_start = 2;   // steps of the first consumer
constexpr int head_start_barrier = 1;

/// Which stage comes next, and the parity of its phase.
struct Ring {
  int stage = 0;
  std::uint32_t parity = 0;

  __device__ __forceinline__ void advance() {
    if (++stage == stages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

struct Shared {
  unsigned char* base;

  __device__ __forceinline__ unsigned char* x(int stage) const { return base + stage * stage_bytes; }
  __device__ __forceinline__ unsigned char* weight(int stage) const { return x(stage) + x_bytes; }
  /// Of a consumer warp.
  __device__ __forceinline__ unsigned char* out(int warp) const {
    return base + out_begin + warp * warp_out_bytes;
  }
  __device__ __forceinline__ TransferBarrier& full(int stage) const {
    return reinterpret_cast<TransferBarrier*>(base + barriers_begin)[stage];
  }
  __device__ __forceinline__ TransferBarrier& empty(int stage) const { return (&full(stages))[stage]; }
};

struct Tiles {
  int row_tiles, column_tiles, steps;

  __device__ __forceinline__ explicit Tiles(const SwigluArgs& args)
      : row_tiles(static_cast<int>(args.members * args.tokens / tile_tokens)),
        column_tiles(static_cast<int>(args.hidden / tile_hidden)),
        steps(static_cast<int>(args.width / step_width)) {}
  __device__ __forceinline__ int count() const { return row_tiles * column_tiles; }
  __device__ __forceinline__ SwigluTile at(int index) const {
    return swiglu_tile(index, row_tiles, column_tiles, group_rows);
  }
};

/// One thread: fills stages as they become empty.
__device__ __forceinline__ void bring(const TensorMap& x_map, const TensorMap& weight_map, const Tiles& tiles,
                                      const Shared& shared) {
  Ring ring;
  for (int index = blockIdx.x; index < tiles.count(); index += gridDim.x) {
    const SwigluTile tile = tiles.at(index);
    for (int step = 0; step < tiles.steps; ++step) {
      TransferBarrier& full = shared.full(ring.stage);
      barrier_wait(shared.empty(ring.stage), ring.parity ^ 1);
      barrier_arrive_expecting(full, stage_bytes);
      copy_box(shared.x(ring.stage), x_map, full, step * step_width, tile.row * tile_tokens);
      copy_box(shared.weight(ring.stage), weight_map, full, step * step_width, tile.column * tile_rows);
      ring.advance();
    }
  }
}

/// Queues one step of a warpgroup: d (+)= its 64 rows of x times the weight rows.
template <class T>
__device__ __forceinline__ void multiply_step(float (&d)[128], const Shared& shared, int stage, int consumer,
                                              bool accumulate) {
  const unsigned char* x = shared.x(stage) + consumer * 64 * row_bytes;
  const unsigned char* weight = shared.weight(stage);
  hold_registers(d);
  warpgroup_fence();
#pragma unroll
  for (int k = 0; k < step_width / 16; ++k) {
    multiply_64x256x16<T>(d, matrix_descriptor(x + 32 * k, 8 * row_bytes),
                          matrix_descriptor(weight + 32 * k, 8 * row_bytes), k > 0 || accumulate);
  }
  warpgroup_commit();
  hold_registers(d);
}

/// The product of a tile. A stage is given back when the step after it has been queued: two steps are then
/// under way. Each warp gives back for itself, as it only waits for its own products.
template <class T>
__device__ __forceinline__ void multiply_tile(float (&d)[128], const Shared& shared, Ring& ring, int steps,
                                              int consumer, bool first_tile) {
  const bool leader = threadIdx.x % 32 == 0;
  barrier_wait(shared.full(ring.stage), ring.parity);
  multiply_step<T>(d, shared, ring.stage, consumer, false);
  int previous = ring.stage;
  ring.advance();
  for (int step = 1; step < steps; ++step) {
    barrier_wait(shared.full(ring.stage), ring.parity);
    multiply_step<T>(d, shared, ring.stage, consumer, true);
    warpgroup_wait<1>();
    hold_registers(d);
    if (leader) {
      barrier_arrive(shared.empty(previous));
    }
    if (first_tile && step == head_start) {
      named_barrier_arrive(head_start_barrier, 128 * consumers);
    }
    previous = ring.stage;
    ring.advance();
  }
  warpgroup_wait<0>();
  hold_registers(d);
  if (leader) {
    barrier_arrive(shared.empty(previous));
  }
}

/// Hidden numbers of a warp's 16 tokens through its own shared memory, 16-byte pieces exchanged within a row
/// so that neither side meets bank conflicts; 256 bytes of a token are written at a time.
template <class T>
__device__ __forceinline__ void write_tile(const float (&d)[128], const float (&factor)[2],
                                           const SwigluArgs& args, unsigned char* out, std::int64_t first_row,
                                           int column) {
  const int lane = threadIdx.x % 32, group = lane / 4, pair = lane % 4;
  const int member = static_cast<int>(first_row) / static_cast<int>(args.tokens);
  warp_barrier();
#pragma unroll
  for (int j = 0; j < tile_hidden / 8; ++j) {
    const float2 shift = shifts_at(args, member, column + 8 * j + 2 * pair);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float* a = d + 8 * j + 2 * half;
      const std::uint32_t word = gated_pair<T>(factor[half], shift, a[0], a[1], a[4], a[5]);
      unsigned char* row = out + (group + 8 * half) * out_row_bytes;
      *reinterpret_cast<std::uint32_t*>(row + 16 * (j ^ group) + 4 * pair) = word;
    }
  }
  warp_barrier();
  unsigned char* target = static_cast<unsigned char*>(args.hidden_out);
  const int piece = lane % 16;
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    const int row = 2 * i + lane / 16;
    store_words(target + 2 * ((first_row + row) * args.hidden + column) + 16 * piece,
                load_words(out + row * out_row_bytes + 16 * (piece ^ row % 8)));
  }
}

template <class T>
__device__ __forceinline__ void consume(const SwigluArgs& args, const Tiles& tiles, const Shared& shared,
                                        int consumer) {
  const int warp = threadIdx.x / 32 - 4, group = threadIdx.x % 32 / 4;
  if (consumer == 1) {
    named_barrier(head_start_barrier, 128 * consumers);
  }
  Ring ring;
  for (int index = blockIdx.x; index < tiles.count(); index += gridDim.x) {
    const SwigluTile tile = tiles.at(index);
    const std::int64_t first_row = std::int64_t(tile.row) * tile_tokens + 16 * warp;
    const float factor[2] = {row_factor_at(args, first_row + group),
                             row_factor_at(args, first_row + group + 8)};
    const bool first_tile = consumer == 0 && index == static_cast<int>(blockIdx.x);
    float d[128];
    multiply_tile<T>(d, shared, ring, tiles.steps, consumer, first_tile);
    if (first_tile && tiles.steps <= head_start) {
      named_barrier_arrive(head_start_barrier, 128 * consumers);
    }
    write_tile<T>(d, factor, args, shared.out(warp), first_row, tile.column * tile_hidden);
  }
}

#endif  // MOSAIC_HOPPER_CODE

template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    swiglu_hopper_kernel(const __grid_constant__ TensorMap x_map,
                         const __grid_constant__ TensorMap weight_map,
                         const __grid_constant__ SwigluArgs args) {
#if MOSAIC_HOPPER_CODE
  const Shared shared{shared_memory()};
  const Tiles tiles(args);
  if (threadIdx.x == 0) {
    prefetch_map(x_map);
    prefetch_map(weight_map);
    for (int stage = 0; stage < stages; ++stage) {
      barrier_init(shared.full(stage), 1);
      barrier_init(shared.empty(stage), 4 * consumers);
    }
    barrier_init_fence();
  }
  block_barrier();
  if (threadIdx.x < 128) {
    give_registers<40>();
    if (threadIdx.x == 0) {
      bring(x_map, weight_map, tiles, shared);
    }
  } else {
    take_registers<232>();
    consume<T>(args, tiles, shared, static_cast<int>(threadIdx.x) / 128 - 1);
  }
#endif
}

}  // namespace
}  // namespace device

void swiglu_hopper(const SwigluArgs& args, const Stream& stream) {
  using namespace device;
  const std::int64_t rows = args.members * args.tokens;
  const std::int64_t x_extents[] = {args.width, rows}, weight_extents[] = {args.width, 2 * args.hidden};
  const int x_box[] = {step_width, tile_tokens}, weight_box[] = {step_width, tile_rows};
  const TensorMap x_map = make_tensor_map(args.x, args.type, x_extents, x_box);
  const TensorMap weight_map = make_tensor_map(args.weight, args.type, weight_extents, weight_box);
  const std::int64_t tiles = rows / tile_tokens * (args.hidden / tile_hidden);
  const LaunchShape shape{.x = static_cast<unsigned>(std::min<std::int64_t>(tiles, device_processors())),
                          .threads = block_threads,
                          .shared_bytes = shared_bytes};
  if (args.type == ElementType::float16) {
    launch(swiglu_hopper_kernel<Half>, shape, stream, x_map, weight_map, args);
  } else {
    launch(swiglu_hopper_kernel<Bfloat16>, shape, stream, x_map, weight_map, args);
  }
}

}  // namespace mosaic::kernels
