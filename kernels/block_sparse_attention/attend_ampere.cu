#include "kernels/device/device_code.hpp"
//
#include "kernels/block_sparse_attention/attend_rows.hpp"

namespace mosaic::kernels {

namespace {

using namespace device;  // NOLINT: the names of device code

// 128 query rows by 8 warps of 16; keys in tiles of 64. Three stages need one barrier a tile and leave room
// for two blocks on a multiprocessor of 164 KB: 33 KB of parked numbers, 48 KB of keys and values. What is
// parked in registers instead spills.
constexpr unsigned threads = 256;
constexpr unsigned tile_keys = 64;
constexpr unsigned tiles_of_block = device_block / tile_keys;
constexpr unsigned stages = 3;
constexpr unsigned row_bytes = 2 * device_head_width;
constexpr unsigned tile_bytes = tile_keys * row_bytes;
constexpr unsigned parked_bytes = 33 * threads * 4;
constexpr unsigned shared_bytes = parked_bytes + stages * 2 * tile_bytes;

__device__ __forceinline__ float (&four(float* numbers))[4] {
  return *reinterpret_cast<float(*)[4]>(numbers);
}

/// Rows of 128 bytes, the 16-byte chunk c of row i at place c ^ (i % 8): eight rows of a matrix lie in eight
/// different groups of banks.
template <class T>
struct AmpereBody {
  const AttendWork& work;
  unsigned tile_count = 0;
  AttendRows<SharedPlace<threads>> rows;
  std::uint32_t q[4][4];  ///< the warp's 16 query rows, as left operands
  unsigned char* tiles = nullptr;
  unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  unsigned stage = 0;

  __device__ __forceinline__ explicit AmpereBody(const AttendWork& attend_work) : work(attend_work) {
    tile_count = tiles_of_block * (count(0) + count(1) + count(2));
    tiles = shared_memory() + parked_bytes;
    rows.place.column = reinterpret_cast<float*>(shared_memory()) + threadIdx.x;
  }

  /// Made anew where it is wanted: the grid keeps it, and registers are short.
  __device__ __forceinline__ AttendItem item() const { return AttendItem(work, blockIdx.y, blockIdx.x); }

  __device__ __forceinline__ unsigned count(unsigned group) const {
    return work.counts[4 * item().list + group];
  }

  /// Queues the keys and values of tile `tile` of the list, if there is one.
  __device__ __forceinline__ void load(unsigned tile, unsigned into) const {
    if (tile < tile_count) {
      const AttendItem here = item();
      const unsigned block = work.lists[here.list * work.capacity + tile / tiles_of_block];
      const unsigned thread = threadIdx.x, row = thread / 8, chunk = thread % 8;
      // 32 bits are enough (attend asks for it) and save registers.
      const unsigned first_key =
          (here.column * work.blocks + block) * device_block + (tile % tiles_of_block) * tile_keys;
      const unsigned from = (first_key + row) * row_bytes + 16 * chunk;
      unsigned char* to = tiles + into * 2 * tile_bytes + row * row_bytes + 16 * (chunk ^ (row & 7));
#pragma unroll
      for (unsigned part = 0; part < tile_bytes; part += threads * 16) {
        copy_async(to + part, static_cast<const unsigned char*>(work.k) + from + part);
        copy_async(to + tile_bytes + part, static_cast<const unsigned char*>(work.v) + from + part);
      }
    }
    copy_async_commit();
  }

  /// The warp's query rows through memory that it parks in later: row i of them where number i of its
  /// columns will be.
  __device__ __forceinline__ void load_queries() {
    const std::size_t index = std::size_t(blockIdx.y) * gridDim.x + blockIdx.x;
    unsigned char* here = shared_memory() + warp * row_bytes;
    const unsigned char* from =
        static_cast<const unsigned char*>(work.q) + (index * device_block + 16 * warp) * row_bytes;
#pragma unroll
    for (unsigned part = 0; part < 4; ++part) {
      const unsigned row = 4 * part + lane / 8, chunk = lane % 8;
      copy_async(here + row * threads * 4 + 16 * (chunk ^ (row & 7)), from + row * row_bytes + 16 * chunk);
    }
    copy_async_commit();
  }
  __device__ __forceinline__ void take_queries() {
    const unsigned char* here = shared_memory() + warp * row_bytes + (lane % 16) * threads * 4;
#pragma unroll
    for (unsigned step = 0; step < 4; ++step) {
      load_matrices(q[step], here + 16 * ((2 * step + lane / 16) ^ (lane & 7)));
    }
    warp_barrier();
  }

  __device__ __forceinline__ void multiply(unsigned first, unsigned last) {
#pragma unroll 1
    for (unsigned tile = tiles_of_block * first; tile < tiles_of_block * last; ++tile) {
      copy_async_wait<stages - 2>();
      block_barrier();  // the tile is here, and everyone has done with the one before
      const unsigned char* keys = tiles + stage * 2 * tile_bytes;
      float scores[tile_keys / 2];
      multiply_keys(keys, scores);
      float shrink[2];
      rows.weigh(scores, shrink);
      rows.rescale(shrink);
      multiply_values(keys + tile_bytes, scores);
      load(tile + stages - 1, stage == 0 ? stages - 1 : stage - 1);
      stage = stage == stages - 1 ? 0 : stage + 1;
    }
  }

  __device__ __forceinline__ void multiply_keys(const unsigned char* keys, float (&scores)[tile_keys / 2]) {
#pragma unroll
    for (float& score : scores) {
      score = 0.0f;
    }
    const unsigned char* row = keys + (lane & 15) * row_bytes;
    const unsigned place = lane / 16 ^ (lane & 7);
#pragma unroll
    for (unsigned step = 0; step < 4; ++step) {
#pragma unroll
      for (unsigned pair = 0; pair < tile_keys / 16; ++pair) {
        std::uint32_t k[4];
        load_matrices(k, row + pair * 16 * row_bytes + 16 * (place ^ (2 * step)));
        multiply_16x8x16<T>(four(scores + 8 * pair), q[step], k[0], k[2]);
        multiply_16x8x16<T>(four(scores + 8 * pair + 4), q[step], k[1], k[3]);
      }
    }
  }

  __device__ __forceinline__ void multiply_values(const unsigned char* values,
                                                  const float (&scores)[tile_keys / 2]) {
    const unsigned char* row = values + (lane & 15) * row_bytes;
    const unsigned place = lane / 16 ^ (lane & 7);
#pragma unroll
    for (unsigned step = 0; step < tile_keys / 16; ++step) {
      std::uint32_t weights[4];
      rows.template weights<T>(scores, step, weights);
#pragma unroll
      for (unsigned pair = 0; pair < 4; ++pair) {
        std::uint32_t v[4];
        load_matrices_transposed(v, row + step * 16 * row_bytes + 16 * (place ^ (2 * pair)));
        multiply_16x8x16<T>(four(rows.o + 8 * pair), weights, v[0], v[1]);
        multiply_16x8x16<T>(four(rows.o + 8 * pair + 4), weights, v[2], v[3]);
      }
    }
  }

  __device__ __forceinline__ void gates(int branch, float (&gate)[2]) const {
    gate[0] = gate_of(work, item().row(work, 16 * warp + lane / 4), branch);
    gate[1] = gate_of(work, item().row(work, 16 * warp + lane / 4 + 8), branch);
  }
  __device__ __forceinline__ void park() { rows.park(); }
  __device__ __forceinline__ void close_local() {
    float gate[2];
    gates(0, gate);
    rows.close_local(gate);
  }
  __device__ __forceinline__ void close_selected() {
    float gate[2];
    gates(2, gate);
    rows.close_selected(gate);
  }
};

template <class T>
__global__ void __launch_bounds__(threads, 2) attend_ampere_kernel(AttendWork work) {
  AmpereBody<T> body(work);
  body.load_queries();
  body.load(0, 0);
  body.load(1, 1);
  body.rows.start();
  copy_async_wait<2>();
  warp_barrier();
  body.take_queries();
  walk_list(body);
  float gate[2];
  body.gates(1, gate);
  write_rows<T>(work, body.item(), 16 * body.warp, body.lane, gate, body.rows.o);
}

}  // namespace

void attend_ampere(const AttendArgs& args, const Stream& stream) {
  const AttendWork work = attend_work(args);
  const LaunchShape shape{
      .x = work.blocks * device_group, .y = work.columns, .threads = threads, .shared_bytes = shared_bytes};
  if (args.type == ElementType::float16) {
    launch(attend_ampere_kernel<Half>, shape, stream, work);
  } else {
    launch(attend_ampere_kernel<Bfloat16>, shape, stream, work);
  }
}

}  // namespace mosaic::kernels
