#include <cmath>

#include "kernels/block_sparse_attention/block_lists.hpp"
#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"
#include "kernels/device/device_code.hpp"
#include "kernels/device/eight_numbers.hpp"

// Scores of a few rows (query means) against all block means: a tile of 128 key means lies in shared memory,
// each thread has one key and all rows. The same tile serves selection (eight query blocks, the four heads
// that are averaged) and the compressed branch (four query blocks of the four heads that share keys). A
// selection is found without sorting: the n-th largest score bit by bit, by counting; then all
// above it and, of those equal to it, the lowest blocks. That is the order of 64-bit keys (ordered bits of
// the score, inverted block).

namespace mosaic::kernels {

namespace {

using namespace device;

constexpr int block_threads = 128;  // also keys of a tile
constexpr int warps = block_threads / 32;
constexpr int width = device_head_width;
constexpr int key_pitch = width + 4;  // 16-byte reads of neighbouring rows then fall into different banks
constexpr int key_floats = block_threads * key_pitch;
constexpr int score_queries =
    8;  // query blocks of a thread block, selection; fewer where many blocks are scored
constexpr int few_score_queries = 4;
constexpr int branch_queries = 4;                                      // and compressed branch
constexpr int branch_rows = branch_queries * device_group;             // query block, head of the group
constexpr int branch_pitch = branch_rows + 4;                          // as key_pitch
constexpr int branch_part = 1024;                                      // keys whose scores are held at a time
constexpr std::size_t largest_shared_bytes = 160 * std::size_t(1024);  // sm_80 has 163 KiB

struct SelectionParameters {
  BlockSelectionArgs args;
  int blocks, kv_heads, selected, local_blocks, capacity;
};

/// Copies 64 numbers of a row; 16 threads do it, of which this is `part`. Zeros where there is none.
__device__ __forceinline__ void copy_row(float* shared, const float* row, int part, bool there) {
  Words4 words = {};
  if (there) {
    words = load_constant_words(row + part * 4);
  }
  store_words(shared + part * 4, words);
}

/// Keys first_key ... + 127 of head `kv` to shared memory.
__device__ __forceinline__ void copy_keys(float* keys, const SelectionParameters& p, std::int64_t member,
                                          int first_key, int kv) {
  const int part = threadIdx.x % 16;
#pragma unroll 8
  for (int row = threadIdx.x / 16; row < block_threads; row += block_threads / 16) {
    const int key = first_key + row;
    copy_row(keys + row * key_pitch, p.args.k_mean + ((member * p.blocks + key) * p.kv_heads + kv) * width,
             part, key < p.blocks);
  }
}

/// sum[r] += queries[r, :] . key, channels in their order. Rows of the queries are `pitch` apart.
template <int Rows>
__device__ __forceinline__ void add_products(float (&sum)[Rows], const float* queries, int pitch,
                                             const float* key) {
#pragma unroll 4
  for (int c = 0; c < width; c += 4) {
    const Words4 k = load_words(key + c);
#pragma unroll
    for (int r = 0; r < Rows; ++r) {
      const Words4 q = load_words(queries + r * pitch + c);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        sum[r] = fmaf(float_of(q.word[i]), float_of(k.word[i]), sum[r]);
      }
    }
  }
}

// ---- Selection ----

/// How many of the keys are at least `limit`; by a warp.
__device__ __forceinline__ int count_at_least(const std::uint32_t* keys, int count, std::uint32_t limit) {
  int found = 0;
  for (int j = threadIdx.x % 32; j < count; j += 32) {
    found += keys[j] >= limit ? 1 : 0;
  }
  return sum_of_warp(found);
}

/// The set of the `selected` largest of the keys, of equal ones the lowest, as bits; by a warp.
__device__ __forceinline__ void choose_largest(const std::uint32_t* keys, int count, int selected,
                                               std::uint32_t* words) {
  const int lane = threadIdx.x % 32;
  std::uint32_t cut = 0;  // the largest number that `selected` keys reach
  for (int bit = 31; bit >= 0; --bit) {
    const std::uint32_t trial = cut | 1U << bit;
    cut = count_at_least(keys, count, trial) >= selected ? trial : cut;
  }
  int equal_left = selected;
  if (cut != 0xffffffffU) {
    equal_left -= count_at_least(keys, count, cut + 1);
  }
  for (int first = 0; first < count; first += 32) {
    const int j = first + lane;
    const std::uint32_t key = j < count ? keys[j] : 0;
    const std::uint32_t equal = ballot(j < count && key == cut);
    const bool chosen =
        j < count && (key > cut || (key == cut && bits_in(equal & low_bits(lane)) < equal_left));
    const std::uint32_t word = ballot(chosen);
    equal_left -= bits_in(equal);
    if (lane == 0) {
      words[first / 32] = word;
    }
  }
}

/// The list of a query block from the bits of its selection; by a warp.
__device__ __forceinline__ void write_list(const SelectionParameters& p, std::int64_t member, int kv,
                                           int query, const std::uint32_t* words) {
  const std::int64_t row = (member * p.kv_heads + kv) * p.blocks + query;
  write_block_list(words, (p.blocks + 31) / 32, query / p.local_blocks * p.local_blocks, p.local_blocks,
                   threadIdx.x % 32, p.args.lists + row * p.capacity, p.args.counts + row * 4);
}

/// Scores of the query blocks as ordered bits, keys [Queries, blocks]. The head mean's factor 1/4 is left
/// out: it changes no order.
template <int Queries>
__device__ __forceinline__ void score_queries_by_keys(const SelectionParameters& p, std::int64_t member,
                                                      int kv, int first_query, float* queries, float* keys,
                                                      std::uint32_t* scores) {
  constexpr int pitch = device_group * width;
  for (int row = threadIdx.x / 16; row < Queries * device_group; row += block_threads / 16) {
    const int query = first_query + row / device_group;
    const int head = kv + row % device_group * p.kv_heads;  // h, h + K, h + 2K, h + 3K
    copy_row(queries + row * width,
             p.args.q_mean + ((member * p.blocks + query) * p.kv_heads * device_group + head) * width,
             threadIdx.x % 16, query < p.blocks);
  }
  for (int first_key = 0; first_key < p.blocks; first_key += block_threads) {
    float sum[Queries] = {};
    for (int r = 0; r < device_group; ++r) {
      copy_keys(keys, p, member, first_key, (kv + r * p.kv_heads) / device_group);
      block_barrier();
      add_products(sum, queries + r * width, pitch, keys + threadIdx.x * key_pitch);
      block_barrier();
    }
    const int key = first_key + int(threadIdx.x);
    if (key < p.blocks) {
#pragma unroll
      for (int q = 0; q < Queries; ++q) {
        scores[q * p.blocks + key] = ordered_bits(bits_of(sum[q]));
      }
    }
  }
  block_barrier();
}

// Blocks (x, y, z): `Queries` query blocks, key/value head, member. A warp chooses for one query block after
// another.
template <int Queries>
__global__ void __launch_bounds__(block_threads) select_kernel(SelectionParameters p) {
  float* queries = reinterpret_cast<float*>(shared_memory());
  float* keys = queries + Queries * device_group * width;
  std::uint32_t* scores = reinterpret_cast<std::uint32_t*>(keys + key_floats);
  const int kv = blockIdx.y, first_query = blockIdx.x * Queries, warp = threadIdx.x / 32;
  score_queries_by_keys<Queries>(p, blockIdx.z, kv, first_query, queries, keys, scores);
  std::uint32_t* words = scores + Queries * p.blocks + warp * ((p.blocks + 31) / 32);
  for (int q = warp; q < Queries && first_query + q < p.blocks; q += warps) {
    choose_largest(scores + q * p.blocks, p.blocks, p.selected, words);
    warp_barrier();
    write_list(p, blockIdx.z, kv, first_query + q, words);
    warp_barrier();
  }
}

// Lists of given selections, or of the runs alone. Blocks (x, y, z): four query blocks (one per warp),
// key/value head, member.
__global__ void __launch_bounds__(block_threads) list_kernel(SelectionParameters p) {
  const int words = (p.blocks + 31) / 32, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  std::uint32_t* set = reinterpret_cast<std::uint32_t*>(shared_memory()) + warp * words;
  const int query = blockIdx.x * warps + warp;
  if (query >= p.blocks) {
    return;
  }
  const std::int64_t row = (std::int64_t(blockIdx.z) * p.blocks + query) * p.kv_heads + blockIdx.y;
  for (int w = lane; w < words; w += 32) {
    std::uint32_t bits = 0;
    for (int e = 0; e < p.selected; ++e) {
      const int block = p.args.given[row * p.selected + e];
      bits |= block / blocks_of_word == w ? 1U << block % blocks_of_word : 0U;
    }
    set[w] = bits;
  }
  warp_barrier();
  write_list(p, blockIdx.z, blockIdx.y, query, set);
}

// ---- Compressed branch ----

/// Of the rows of a thread block: the largest score so far, the sum of exponentials, and by what earlier sums
/// shrink.
struct BranchState {
  float largest[branch_rows], sum[branch_rows], shrink[branch_rows];
};

/// Turns scores [blocks, branch_pitch] of every row into exp((score - largest) / 8) and adds up their sums.
/// Rows are shared out among the warps.
__device__ __forceinline__ void exponentials(float* scores, int blocks, BranchState& state) {
  const int lane = threadIdx.x % 32;
  for (int r = threadIdx.x / 32; r < branch_rows; r += warps) {
    const float before = state.largest[r];
    float largest = before;
    for (int j = lane; j < blocks; j += 32) {
      largest = fmaxf(largest, scores[j * branch_pitch + r]);
    }
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2) {
      largest = fmaxf(largest, shuffle_xor(largest, mask));
    }
    float sum = 0;
    for (int j = lane; j < blocks; j += 32) {
      const float e = expf((scores[j * branch_pitch + r] - largest) * 0.125f);
      scores[j * branch_pitch + r] = e;
      sum += e;
    }
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2) {
      sum += shuffle_xor(sum, mask);
    }
    if (lane == 0) {
      const float shrink = expf((before - largest) * 0.125f);
      state.largest[r] = largest;
      state.shrink[r] = shrink;
      state.sum[r] = state.sum[r] * shrink + sum;
    }
  }
}

/// Scores of the keys first_part ... + part - 1 for all rows, [part, branch_pitch].
__device__ __forceinline__ void score_part(const SelectionParameters& p, std::int64_t member, int kv,
                                           int first_part, int part, const float* queries, float* keys,
                                           float* scores) {
  for (int first = 0; first < part; first += block_threads) {
    copy_keys(keys, p, member, first_part + first, kv);
    block_barrier();
    float sum[branch_rows] = {};
    add_products(sum, queries, width, keys + threadIdx.x * key_pitch);
    const int key = first + int(threadIdx.x);
    if (key < part) {
#pragma unroll
      for (int r = 0; r < branch_rows; r += 4) {
        store_words(scores + key * branch_pitch + r,
                    {bits_of(sum[r]), bits_of(sum[r + 1]), bits_of(sum[r + 2]), bits_of(sum[r + 3])});
      }
    }
    block_barrier();
  }
}

// Blocks (x, y, z): four query blocks, key/value head, member. Keys are scored in parts that shared memory
// holds, with the running softmax between parts; one part up to 1024 blocks.
__global__ void __launch_bounds__(block_threads) compress_kernel(SelectionParameters p) {
  float* queries = reinterpret_cast<float*>(shared_memory());
  float* keys = queries + branch_rows * width;
  BranchState& state = *reinterpret_cast<BranchState*>(keys + key_floats);
  float* scores = keys + key_floats + sizeof(BranchState) / sizeof(float);
  const int kv = blockIdx.y, first_query = blockIdx.x * branch_queries;
  const std::int64_t member = blockIdx.z;
  // The means of the four heads of a query block are neighbours: rows of q_mean [B I K, G, D].
  for (int row = threadIdx.x / 16; row < branch_rows; row += block_threads / 16) {
    const int query = first_query + row / device_group;
    const std::int64_t group = (member * p.blocks + query) * p.kv_heads + kv;
    copy_row(queries + row * width, p.args.q_mean + (group * device_group + row % device_group) * width,
             threadIdx.x % 16, query < p.blocks);
  }
  if (threadIdx.x < branch_rows) {
    state.largest[threadIdx.x] = -INFINITY;
    state.sum[threadIdx.x] = 0;
  }
  // A thread has one channel of eight rows, and adds the blocks in their order.
  constexpr int rows = branch_rows / 2;
  const int channel = threadIdx.x % width, first_row = threadIdx.x / width * rows;
  const float* values = p.args.v_mean + (member * p.blocks * p.kv_heads + kv) * width + channel;
  float total[rows] = {};
  for (int first_part = 0; first_part < p.blocks; first_part += branch_part) {
    const int part = p.blocks - first_part < branch_part ? p.blocks - first_part : branch_part;
    score_part(p, member, kv, first_part, part, queries, keys, scores);
    exponentials(scores, part, state);
    block_barrier();
#pragma unroll
    for (int r = 0; r < rows; ++r) {
      total[r] *= state.shrink[first_row + r];
    }
#pragma unroll 8
    for (int j = 0; j < part; ++j) {
      const float value = values[std::int64_t(first_part + j) * p.kv_heads * width];
      const float* weight = scores + j * branch_pitch + first_row;
#pragma unroll
      for (int r = 0; r < rows; r += 4) {
        const Words4 w = load_words(weight + r);
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          total[r + i] = fmaf(float_of(w.word[i]), value, total[r + i]);
        }
      }
    }
    block_barrier();  // before the next part's scores
  }
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    const int row = first_row + r, query = first_query + row / device_group;
    if (query < p.blocks) {
      const std::int64_t group = (member * p.blocks + query) * p.kv_heads + kv;
      p.args.compressed[(group * device_group + row % device_group) * width + channel] =
          total[r] / state.sum[row];
    }
  }
}

// ---- Host ----

unsigned parts_of(std::int64_t count, int size) { return unsigned((count + size - 1) / size); }

std::size_t selection_bytes(int queries, int blocks) {
  return (std::size_t(queries) * device_group * width + key_floats +
          std::size_t(queries) * std::size_t(blocks) + warps * parts_of(blocks, 32)) *
         sizeof(float);
}

std::size_t branch_bytes(int blocks) {
  const std::size_t part = std::size_t(blocks < branch_part ? blocks : branch_part);
  return (branch_rows * width + key_floats + branch_pitch * part) * sizeof(float) + sizeof(BranchState);
}

template <int Queries>
void launch_scored(const SelectionParameters& p, const DeviceAttentionShape& s, const Stream& stream) {
  launch(select_kernel<Queries>,
         LaunchShape{parts_of(p.blocks, Queries), unsigned(p.kv_heads), unsigned(s.members), block_threads,
                     selection_bytes(Queries, p.blocks)},
         stream, p);
}

void launch_selection(const SelectionParameters& p, const DeviceAttentionShape& s, const Stream& stream) {
  if (!s.selects() || p.args.given != nullptr) {
    launch(list_kernel,
           LaunchShape{parts_of(p.blocks, warps), unsigned(p.kv_heads), unsigned(s.members), block_threads,
                       warps * parts_of(p.blocks, 32) * sizeof(std::uint32_t)},
           stream, p);
  } else if (selection_bytes(score_queries, p.blocks) <= largest_shared_bytes / 2) {  // two thread blocks
    launch_scored<score_queries>(p, s, stream);
  } else {
    launch_scored<few_score_queries>(p, s, stream);
  }
}

}  // namespace

void select_blocks(const BlockSelectionArgs& args, const Stream& stream) {
  const DeviceAttentionShape& s = args.shape;
  check_shape(s);
  const bool scored = (s.selects() && args.given == nullptr) || s.compresses();
  require_shape(!scored || selection_bytes(few_score_queries, int(s.blocks())) <= largest_shared_bytes,
                "select_blocks: " + std::to_string(s.blocks()) + " blocks are too many");
  require_shape(!scored || (args.q_mean != nullptr && args.k_mean != nullptr),
                "select_blocks: block means are missing");
  require_shape(!s.compresses() || (args.v_mean != nullptr && args.compressed != nullptr),
                "select_blocks: arrays of the compressed branch are missing");
  const SelectionParameters p{args,
                              int(s.blocks()),
                              int(s.kv_heads),
                              s.selects() ? int(s.pattern.selected_blocks) : 0,
                              int(s.local_blocks()),
                              int(s.list_capacity())};
  launch_selection(p, s, stream);
  if (s.compresses()) {
    launch(compress_kernel,
           LaunchShape{parts_of(p.blocks, branch_queries), unsigned(p.kv_heads), unsigned(s.members),
                       block_threads, branch_bytes(p.blocks)},
           stream, p);
  }
}

}  // namespace mosaic::kernels
