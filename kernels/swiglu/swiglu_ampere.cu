#include <cstdint>

#include "kernels/swiglu/swiglu_bodies.hpp"

// The product of 128 tokens with 128 interleaved weight rows (64 hidden columns) is a tile of a block of four
// warps, each 64 x 64. Slices of 32 channels are copied in the background, three ahead; 64 KB of shared
// memory, so that two blocks fit a multiprocessor and one computes exponentials while the other multiplies.

namespace mosaic::kernels {
namespace device {
namespace {

constexpr int tile_tokens = 128, tile_rows = 128, tile_hidden = tile_rows / 2;
constexpr int step_width = 32;  // channels
constexpr int stages = 4;
constexpr int block_threads = 128;
constexpr int group_rows = 16;  // tiles of tokens that go together

constexpr int row_bytes = 2 * step_width;
constexpr int x_bytes = tile_tokens * row_bytes;
constexpr int stage_bytes = x_bytes + tile_rows * row_bytes;
constexpr int shared_bytes = stages * stage_bytes;
constexpr int out_row_bytes = 2 * tile_hidden;

/// Where 16-byte piece `piece` of a slice's row lies: exchanged so that the same piece of eight rows is in
/// eight different groups of banks.
__device__ __forceinline__ int place(int row, int piece) {
  return row * row_bytes + 16 * (piece ^ row / 2 % 4);
}

/// A warp's accumulators: 4 x 8 products of multiply_16x8x16; even columns are a, odd ones the b next to it.
struct Accumulators {
  float d[4][8][4];
};

/// Queues the copies of one slice.
__device__ __forceinline__ void copy_slice(const unsigned char* x, const unsigned char* weight,
                                           std::int64_t width, unsigned char* stage) {
#pragma unroll
  for (int i = 0; i < tile_tokens * 4 / block_threads; ++i) {
    const int row = i * (block_threads / 4) + threadIdx.x / 4, piece = threadIdx.x % 4;
    const std::int64_t source = 2 * row * width + 16 * piece;
    copy_async(stage + place(row, piece), x + source);
    copy_async(stage + x_bytes + place(row, piece), weight + source);
  }
}

/// sums += slice of x times slice of the weight.
template <class T>
__device__ __forceinline__ void multiply_slice(Accumulators& sums, const unsigned char* stage) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const unsigned char* x = stage;
  const unsigned char* weight = stage + x_bytes;
  const int x_row = warp / 2 * 64 + lane % 16, x_piece = lane / 16;
  const int weight_row = warp % 2 * 64 + lane / 16 * 8 + lane % 8, weight_piece = lane / 8 % 2;
#pragma unroll
  for (int k = 0; k < step_width / 16; ++k) {
    std::uint32_t a[4][4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      load_matrices(a[i], x + place(x_row + 16 * i, 2 * k + x_piece));
    }
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      std::uint32_t b[4];
      load_matrices(b, weight + place(weight_row + 16 * j, 2 * k + weight_piece));
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        multiply_16x8x16<T>(sums.d[i][2 * j], a[i], b[0], b[1]);
        multiply_16x8x16<T>(sums.d[i][2 * j + 1], a[i], b[2], b[3]);
      }
    }
  }
}

/// Hidden numbers of the tile through shared memory, so that 128 bytes of a token are written at a time.
template <class T>
__device__ __forceinline__ void write_tile(const Accumulators& sums, const SwigluArgs& args,
                                           const SwigluTile& tile, unsigned char* shared) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, group = lane / 4, pair = lane % 4;
  const int first_row = tile.row * tile_tokens, column = tile.column * tile_hidden;
  const int member = first_row / static_cast<int>(args.tokens);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int row = warp / 2 * 64 + 16 * i + group;
    const float factor[2] = {row_factor_at(args, first_row + row), row_factor_at(args, first_row + row + 8)};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int piece = warp % 2 * 4 + j;
      const float2 shift = shifts_at(args, member, column + 8 * piece + 2 * pair);
      const float* a = sums.d[i][2 * j];
      const float* b = sums.d[i][2 * j + 1];
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const std::uint32_t word =
            gated_pair<T>(factor[half], shift, a[2 * half], a[2 * half + 1], b[2 * half], b[2 * half + 1]);
        unsigned char* target = shared + (row + 8 * half) * out_row_bytes + 16 * (piece ^ group);
        *reinterpret_cast<std::uint32_t*>(target + 4 * pair) = word;
      }
    }
  }
  block_barrier();
  unsigned char* out = static_cast<unsigned char*>(args.hidden_out);
#pragma unroll
  for (int i = 0; i < tile_tokens * 8 / block_threads; ++i) {
    const int row = i * (block_threads / 8) + threadIdx.x / 8, piece = threadIdx.x % 8;
    store_words(out + 2 * ((first_row + row) * args.hidden + column) + 16 * piece,
                load_words(shared + row * out_row_bytes + 16 * (piece ^ row % 8)));
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads, 2)
    swiglu_ampere_kernel(const __grid_constant__ SwigluArgs args) {
  unsigned char* shared = shared_memory();
  const SwigluTile tile = swiglu_tile(blockIdx.x, static_cast<int>(args.members * args.tokens / tile_tokens),
                                      static_cast<int>(args.hidden / tile_hidden), group_rows);
  const int steps = static_cast<int>(args.width / step_width);
  const unsigned char* x =
      static_cast<const unsigned char*>(args.x) + 2 * args.width * tile.row * tile_tokens;
  const unsigned char* weight =
      static_cast<const unsigned char*>(args.weight) + 2 * args.width * tile.column * tile_rows;
  // One group of copies per slice, empty ones behind the last, so that the wait always means the same.
#pragma unroll
  for (int stage = 0; stage < stages - 1; ++stage) {
    if (stage < steps) {
      copy_slice(x + stage * row_bytes, weight + stage * row_bytes, args.width, shared + stage * stage_bytes);
    }
    copy_async_commit();
  }
  Accumulators sums = {};
  for (int step = 0; step < steps; ++step) {
    copy_async_wait<stages - 2>();
    block_barrier();  // all have the slice, and all are done with the one that the next copy replaces
    const int next = step + stages - 1;
    if (next < steps) {
      copy_slice(x + next * row_bytes, weight + next * row_bytes, args.width,
                 shared + next % stages * stage_bytes);
    }
    copy_async_commit();
    multiply_slice<T>(sums, shared + step % stages * stage_bytes);
  }
  block_barrier();
  write_tile<T>(sums, args, tile, shared);
}

}  // namespace
}  // namespace device

void swiglu_ampere(const SwigluArgs& args, const Stream& stream) {
  using namespace device;
  const std::int64_t tiles = args.members * args.tokens / tile_tokens * (args.hidden / tile_hidden);
  const LaunchShape shape{
      .x = static_cast<unsigned>(tiles), .threads = block_threads, .shared_bytes = shared_bytes};
  if (args.type == ElementType::float16) {
    launch(swiglu_ampere_kernel<Half>, shape, stream, args);
  } else {
    launch(swiglu_ampere_kernel<Bfloat16>, shape, stream, args);
  }
}

}  // namespace mosaic::kernels
