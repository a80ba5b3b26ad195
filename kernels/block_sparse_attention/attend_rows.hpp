#pragma once

// What the bodies of `attend` for 16-bit numbers have in common: which rows a work item has, the online
// softmax of the rows that a thread holds, and how they are written. Included by *.cu files after
// device_code.hpp.

#include <cmath>
#include <cstdint>

#include "kernels/block_sparse_attention/attend_lists.hpp"
#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"

namespace mosaic::kernels {

/// AttendArgs as kernels take it.
struct AttendWork {
  const void* q = nullptr;
  const void* k = nullptr;
  const void* v = nullptr;
  const std::int32_t* lists = nullptr;
  const std::int32_t* counts = nullptr;
  const float* gates = nullptr;       ///< null: the local branch's gate is 1
  const float* compressed = nullptr;  ///< null: no such branch
  void* out = nullptr;
  std::int32_t* tile_counter = nullptr;
  unsigned kv_heads = 0, blocks = 0, capacity = 0;
  unsigned columns = 0;  ///< B K
};

AttendWork attend_work(const AttendArgs& args);

// One body each; the arguments have been checked.
void attend_ampere(const AttendArgs& args, const Stream& stream);
void attend_hopper(const AttendArgs& args, const Stream& stream);
void attend_float32(const AttendArgs& args, const Stream& stream);

namespace device {

/// The 128 query rows of one head in one block. Heads of a group and then blocks are neighbours in time, so
/// that the second-level cache serves the keys they share.
struct AttendItem {
  unsigned column = 0;  ///< member K + kv_head: of k and v
  unsigned block = 0;
  unsigned list = 0;  ///< column I + block: of lists and counts
  unsigned member = 0, head = 0;

  /// `place`: block and head of the group, the head faster.
  __device__ __forceinline__ AttendItem(const AttendWork& work, unsigned kv_column, unsigned place)
      : column(kv_column), block(place / device_group) {
    list = column * work.blocks + block;
    member = column / work.kv_heads;
    head = (column - member * work.kv_heads) * device_group + place % device_group;
  }
  /// Of a row of the block, among all B N H.
  __device__ __forceinline__ unsigned row(const AttendWork& work, unsigned row) const {
    return ((member * work.blocks + block) * device_block + row) * (work.kv_heads * device_group) + head;
  }
};

/// Of an item, among all B I H of the compressed branch.
__device__ __forceinline__ std::size_t compressed_row(const AttendWork& work, const AttendItem& item) {
  return std::size_t(item.member * work.blocks + item.block) * (work.kv_heads * device_group) + item.head;
}

/// Gate of a branch (0 local, 1 compressed, 2 selected) for a row among all B N H.
__device__ __forceinline__ float gate_of(const AttendWork& work, unsigned row, int branch) {
  return work.gates == nullptr ? (branch == 0 ? 1.0f : 0.0f) : work.gates[3 * std::size_t(row) + branch];
}

/// This thread's column of an array in shared memory with a column for each of `Threads`.
template <unsigned Threads>
struct SharedPlace {
  float* column = nullptr;
  __device__ __forceinline__ float& at(unsigned i) const { return column[i * Threads]; }
};

/// Two rows of a tile of 16 x 64 numbers, and of their softmax, as the products leave them in a thread
/// (multiply_16x8x16; g = lane / 4, t = lane % 4): of rows g and g + 8 the columns 8 j + 2 t and the next,
/// the numbers of row r at 4 j + 2 r. The four lanes of a quad hold a row. Place keeps 33 numbers aside.
template <class Place>
struct AttendRows {
  float o[32];       ///< sum of weight v
  float maximum[2];  ///< of the unscaled scores so far
  float sum[2];      ///< of the weights of this lane's keys
  Place place;

  __device__ __forceinline__ void start() {
#pragma unroll
    for (int i = 0; i < 32; ++i) {
      o[i] = 0.0f;
    }
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      maximum[r] = -INFINITY;
      sum[r] = 0.0f;
    }
  }

  /// Turns unscaled scores (columns: keys) into weights exp((score - maximum) / 8). `shrink`: what the older
  /// weights, and o, must be multiplied by.
  template <int Count>
  __device__ __forceinline__ void weigh(float (&scores)[Count], float (&shrink)[2]) {
    constexpr float scale = 1.44269504f / 8.0f;  // log2(e) / sqrt(64)
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      float highest = maximum[r];
#pragma unroll
      for (int i = 2 * r; i < Count; i += 4) {
        highest = fmaxf(highest, fmaxf(scores[i], scores[i + 1]));
      }
      highest = fmaxf(highest, shuffle_xor(highest, 1));
      highest = fmaxf(highest, shuffle_xor(highest, 2));
      shrink[r] = exp2_fast((maximum[r] - highest) * scale);
      maximum[r] = highest;
      const float shift = -highest * scale;
      float even = 0.0f, odd = 0.0f;
#pragma unroll
      for (int i = 2 * r; i < Count; i += 4) {
        scores[i] = exp2_fast(fmaf(scores[i], scale, shift));
        scores[i + 1] = exp2_fast(fmaf(scores[i + 1], scale, shift));
        even += scores[i];
        odd += scores[i + 1];
      }
      sum[r] = fmaf(sum[r], shrink[r], even + odd);
    }
  }

  __device__ __forceinline__ void rescale(const float (&factor)[2]) {
#pragma unroll
    for (int i = 0; i < 32; ++i) {
      o[i] *= factor[(i >> 1) & 1];
    }
  }

  __device__ __forceinline__ void park() {
#pragma unroll
    for (int i = 0; i < 32; ++i) {
      place.at(i) = o[i];
    }
    // One number more for maxima and sums: each lane of the quad keeps one of the four.
    add_up();
    const unsigned t = threadIdx.x % 4;
    place.at(32) = t == 0 ? maximum[0] : t == 1 ? maximum[1] : t == 2 ? sum[0] : sum[1];
    if (t != 0) {
      sum[0] = sum[1] = 0.0f;
    }
  }

  __device__ __forceinline__ void take_up_statistics() {
    const int lane = static_cast<int>(threadIdx.x % 32), first = lane & ~3;
    const float kept = place.at(32);
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      maximum[r] = shuffle(kept, first + r);
      sum[r] = shuffle(kept, first + 2 + r);
      sum[r] = lane == first ? sum[r] : 0.0f;
    }
  }

  /// Every lane of the quad gets the row's sum.
  __device__ __forceinline__ void add_up() {
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      sum[r] += shuffle_xor(sum[r], 1);
      sum[r] += shuffle_xor(sum[r], 2);
    }
  }

  /// gate / sum over all keys; 0 for a branch without any.
  __device__ __forceinline__ void shares(const float (&gate)[2], float (&share)[2]) {
    add_up();
#pragma unroll
    for (int r = 0; r < 2; ++r) {
      share[r] = sum[r] == 0.0f ? 0.0f : gate[r] / sum[r];
    }
  }

  /// The gated local result takes the place of the parked state.
  __device__ __forceinline__ void close_local(const float (&gate)[2]) {
    float share[2];
    shares(gate, share);
#pragma unroll
    for (int i = 0; i < 32; ++i) {
      const float local = o[i] * share[(i >> 1) & 1];
      o[i] = place.at(i);
      place.at(i) = local;
    }
    take_up_statistics();
  }

  /// o becomes the gated sum of both branches.
  __device__ __forceinline__ void close_selected(const float (&gate)[2]) {
    float share[2];
    shares(gate, share);
#pragma unroll
    for (int i = 0; i < 32; ++i) {
      o[i] = fmaf(o[i], share[(i >> 1) & 1], place.at(i));
    }
  }

  /// The exponentials of 16 keys (tile `group` of the scores) as the left operand of a product.
  template <class T, int Count>
  __device__ static __forceinline__ void weights(const float (&scores)[Count], int group,
                                                 std::uint32_t (&a)[4]) {
    const int i = 8 * group;
    a[0] = pack<T>(scores[i], scores[i + 1]);
    a[1] = pack<T>(scores[i + 2], scores[i + 3]);
    a[2] = pack<T>(scores[i + 4], scores[i + 5]);
    a[3] = pack<T>(scores[i + 6], scores[i + 7]);
  }
};

/// Of four words that each lane of a quad holds, lane t gets word t of all four, in the order of lanes.
__device__ __forceinline__ void transpose_quad(std::uint32_t (&w)[4], unsigned t) {
#pragma unroll
  for (unsigned mask = 1; mask <= 2; mask *= 2) {
#pragma unroll
    for (unsigned pair = 0; pair < 2; ++pair) {
      const unsigned low = mask == 1 ? 2 * pair : pair, high = low + mask;
      const bool upper = (t & mask) != 0;
      const std::uint32_t received = shuffle_xor(upper ? w[low] : w[high], static_cast<int>(mask));
      w[low] = upper ? received : w[low];
      w[high] = upper ? w[high] : received;
    }
  }
}

/// Writes o + gate compressed for rows `first_row` + g and + 8 of the item, 64 bytes of a quad at a time.
template <class T>
__device__ __forceinline__ void write_rows(const AttendWork& work, const AttendItem& item, unsigned first_row,
                                           unsigned lane, const float (&gate)[2], float (&o)[32]) {
  const unsigned t = lane % 4;
  const unsigned row[2] = {item.row(work, first_row + lane / 4), item.row(work, first_row + lane / 4 + 8)};
  if (work.compressed != nullptr) {
    const float* values = work.compressed + compressed_row(work, item) * 64 + 2 * t;
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float2 value = *reinterpret_cast<const float2*>(values + 8 * j);
#pragma unroll
      for (int r = 0; r < 2; ++r) {
        o[4 * j + 2 * r] = fmaf(gate[r], value.x, o[4 * j + 2 * r]);
        o[4 * j + 2 * r + 1] = fmaf(gate[r], value.y, o[4 * j + 2 * r + 1]);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < 2; ++r) {
    T* out = static_cast<T*>(work.out) + std::size_t(row[r]) * 64 + 8 * t;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      Words4 words;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int i = 16 * half + 4 * j + 2 * r;
        words.word[j] = pack<T>(o[i], o[i + 1]);
      }
      transpose_quad(words.word, t);
      store_words(out + 32 * half, words);
    }
  }
}

}  // namespace device
}  // namespace mosaic::kernels
