#include "kernels/device/device_code.hpp"
//
#include <algorithm>
#include <array>

#include "kernels/block_sparse_attention/attend_rows.hpp"

namespace mosaic::kernels {

namespace {

using namespace device;  // NOLINT: the names of device code

// A warpgroup that loads and two that multiply, 64 query rows each; keys and values in tiles of a whole block
// (16 KB), four stages of both (128 KB), query rows of two work items (32 KB), so that the next item's are
// there in time. Parked numbers stay in registers.
constexpr unsigned warpgroup = 128;
constexpr unsigned consumers = 2;
constexpr unsigned threads = (1 + consumers) * warpgroup;
constexpr unsigned stages = 4;
constexpr unsigned slots = 2;
constexpr unsigned row_bytes = 2 * device_head_width;
constexpr unsigned tile_bytes = device_block * row_bytes;
[[maybe_unused]] constexpr unsigned atom_bytes = 8 * row_bytes;  // eight rows in the 128-byte swizzle

/// What the loading thread hands over with the query rows.
struct Assignment {
  int place;  ///< column 4 I + block 4 + head of the group; -1: no more
  unsigned count[3];
};

struct Shared {
  unsigned char queries[slots][tile_bytes];
  unsigned char keys[stages][tile_bytes];
  unsigned char values[stages][tile_bytes];
  Assignment assignment[slots];
  TransferBarrier queries_full[slots], queries_empty[slots];
  TransferBarrier keys_full[stages], values_full[stages], empty[stages];
};

#if MOSAIC_HOPPER_CODE

/// Goes round the places of a ring; `parity` is that of the round.
template <unsigned Places>
struct RingPosition {
  unsigned place = 0, parity = 0;
  __device__ __forceinline__ void advance() {
    place = place == Places - 1 ? 0 : place + 1;
    parity ^= place == 0 ? 1u : 0u;
  }
};

/// The descriptor of what lies `bytes` further: its lower bits count 16 bytes. (Made anew for each product,
/// descriptors cost the loop 28 instructions more, of 485; a tile has time for about 512.)
__device__ __forceinline__ std::uint64_t moved(std::uint64_t descriptor, unsigned bytes) {
  constexpr std::uint64_t upper = 0xffffffff00000000u;
  return (descriptor & upper) | (static_cast<std::uint32_t>(descriptor) + (bytes >> 4));
}

__device__ __forceinline__ AttendItem item_at(const AttendWork& work, unsigned place) {
  const unsigned per_column = work.blocks * device_group;
  return AttendItem(work, place / per_column, place % per_column);
}

/// One thread: takes the next item, then loads its query rows and the tiles of its list.
__device__ __forceinline__ void produce(Shared& shared, const AttendWork& work, const TensorMap& q_map,
                                        const TensorMap& k_map, const TensorMap& v_map) {
  const int items = static_cast<int>(work.columns * work.blocks * device_group);
  RingPosition<slots> slot;
  RingPosition<stages> stage;
  int place = atomicAdd(work.tile_counter, 1);
  while (place < items) {
    const int next = atomicAdd(work.tile_counter, 1);  // known by the time it is wanted
    const AttendItem item = item_at(work, static_cast<unsigned>(place));
    const Words4 counts = load_words(work.counts + 4 * std::size_t(item.list));
    const std::int32_t* list = work.lists + std::size_t(item.list) * work.capacity;
    barrier_wait(shared.queries_empty[slot.place], slot.parity ^ 1u);
    shared.assignment[slot.place] = {place, {counts.word[0], counts.word[1], counts.word[2]}};
    barrier_arrive_expecting(shared.queries_full[slot.place], tile_bytes);
    copy_box(shared.queries[slot.place], q_map, shared.queries_full[slot.place], 0, place * device_block);
    slot.advance();
    const unsigned total = counts.word[0] + counts.word[1] + counts.word[2];
    for (unsigned i = 0; i < total; ++i) {
      const int row = (static_cast<int>(item.column * work.blocks) + list[i]) * device_block;
      barrier_wait(shared.empty[stage.place], stage.parity ^ 1u);
      barrier_arrive_expecting(shared.keys_full[stage.place], tile_bytes);
      copy_box(shared.keys[stage.place], k_map, shared.keys_full[stage.place], 0, row);
      barrier_arrive_expecting(shared.values_full[stage.place], tile_bytes);
      copy_box(shared.values[stage.place], v_map, shared.values_full[stage.place], 0, row);
      stage.advance();
    }
    place = next;
  }
  barrier_wait(shared.queries_empty[slot.place], slot.parity ^ 1u);
  shared.assignment[slot.place].place = -1;
  barrier_arrive(shared.queries_full[slot.place]);
}

struct RegisterPlace {
  float kept[33];
  __device__ __forceinline__ float& at(unsigned i) { return kept[i]; }
};

/// A warpgroup's part of an item. While it computes weights of one tile, the products of the tile before are
/// under way; the two warpgroups take turns at handing products in, so that one multiplies while the other
/// computes weights.
template <class T>
struct HopperBody {
  Shared& shared;
  const AttendWork& work;
  AttendRows<RegisterPlace> rows;
  float scores[64];  ///< then weights, of a tile
  RingPosition<stages> stage;
  const unsigned char* queries = nullptr;
  const Assignment* assignment = nullptr;
  unsigned total = 0;  ///< tiles of the list
  float gate[2];       ///< of the thread's two rows: lane t of a quad keeps that of branch t
  unsigned group, lane = threadIdx.x % 32;

  __device__ __forceinline__ HopperBody(Shared& block_shared, const AttendWork& attend_work)
      : shared(block_shared), work(attend_work), group(threadIdx.x / warpgroup - 1) {}

  __device__ __forceinline__ unsigned count(unsigned which) const { return assignment->count[which]; }

  __device__ __forceinline__ void begin(unsigned slot) {
    queries = shared.queries[slot] + group * (tile_bytes / consumers);
    assignment = &shared.assignment[slot];
    const AttendItem item = item_at(work, static_cast<unsigned>(assignment->place));
    const int branch = static_cast<int>(lane % 4 < 3 ? lane % 4 : 0);
    gate[0] = gate_of(work, item.row(work, first_row() + lane / 4), branch);
    gate[1] = gate_of(work, item.row(work, first_row() + lane / 4 + 8), branch);
    total = count(0) + count(1) + count(2);
    rows.start();
  }
  /// Of this warp's 16.
  __device__ __forceinline__ unsigned first_row() const {
    return group * (device_block / consumers) + threadIdx.x % warpgroup / 32 * 16;
  }

  __device__ __forceinline__ void take_turn() const {
    named_barrier(static_cast<int>(1 + group), consumers * warpgroup);
  }
  __device__ __forceinline__ void pass_turn() const {
    named_barrier_arrive(static_cast<int>(2 - group), consumers * warpgroup);
  }

  __device__ __forceinline__ void multiply_keys(unsigned place) {
    const std::uint64_t q = matrix_descriptor(queries, atom_bytes);
    const std::uint64_t k = moved(matrix_descriptor(shared.keys, atom_bytes), place * tile_bytes);
    warpgroup_fence();
#pragma unroll
    for (unsigned step = 0; step < 4; ++step) {
      multiply_64x128x16<T>(scores, moved(q, 32 * step), moved(k, 32 * step), step != 0);
    }
    warpgroup_commit();
  }
  __device__ __forceinline__ void multiply_values(const std::uint32_t (&weights)[8][4], unsigned place) {
    const std::uint64_t v = moved(matrix_descriptor(shared.values, atom_bytes), place * tile_bytes);
    warpgroup_fence();
#pragma unroll
    for (unsigned step = 0; step < 8; ++step) {
      multiply_64x64x16_registers<T>(rows.o, weights[step], moved(v, 2 * atom_bytes * step), true);
    }
    warpgroup_commit();
  }
  __device__ __forceinline__ void pack_weights(std::uint32_t (&weights)[8][4]) const {
#pragma unroll
    for (int step = 0; step < 8; ++step) {
      rows.template weights<T>(scores, step, weights[step]);
    }
  }
  /// A branch that is never taken, on sums of all weights: without it ptxas moves the wait for the values'
  /// product up before the exponentials, and nothing overlaps.
  __device__ __forceinline__ void finish_weights() const {
    if (ballot(rows.sum[0] + rows.sum[1] < 0.0f) != 0) {
      warp_barrier();
    }
  }
  __device__ __forceinline__ void release(unsigned place) {
    if (lane == 0) {
      barrier_arrive(shared.empty[place]);
    }
  }

  /// The scores of the list's first tile.
  __device__ __forceinline__ void begin_list() {
    if (total != 0) {
      barrier_wait(shared.keys_full[stage.place], stage.parity);
      multiply_keys(stage.place);
      warpgroup_wait<0>();
      hold_registers(scores);
    }
  }

  /// Finds the scores of tile `first` done, and leaves those of tile `last`, if there is one: they are
  /// computed beside the last values of this group.
  __device__ __forceinline__ void multiply(unsigned first, unsigned last) {
    if (first == last) {
      return;
    }
    std::uint32_t weights[8][4];
    float shrink[2];
    rows.weigh(scores, shrink);
    rows.rescale(shrink);
    pack_weights(weights);
#pragma unroll 1
    for (unsigned tile = first + 1; tile < last; ++tile) {
      const RingPosition<stages> before = next_stage();
      take_turn();
      multiply_keys(stage.place);
      multiply_values(weights, before.place);
      pass_turn();
      warpgroup_wait<1>();
      hold_registers(scores);
      rows.weigh(scores, shrink);
      finish_weights();
      warpgroup_wait<0>();
      hold_registers(rows.o);
      release(before.place);
      rows.rescale(shrink);
      pack_weights(weights);
    }
    if (last < total) {
      const RingPosition<stages> before = next_stage();
      take_turn();
      multiply_keys(stage.place);
      multiply_values(weights, before.place);
      pass_turn();
      warpgroup_wait<0>();
      hold_registers(scores);
      hold_registers(rows.o);
      release(before.place);
    } else {
      barrier_wait(shared.values_full[stage.place], stage.parity);
      multiply_values(weights, stage.place);
      warpgroup_wait<0>();
      hold_registers(rows.o);
      release(stage.place);
      stage.advance();
    }
  }
  /// Goes on to the next tile when its keys and the values of the one before are here; returns that one.
  __device__ __forceinline__ RingPosition<stages> next_stage() {
    const RingPosition<stages> before = stage;
    stage.advance();
    barrier_wait(shared.keys_full[stage.place], stage.parity);
    barrier_wait(shared.values_full[before.place], before.parity);
    return before;
  }

  __device__ __forceinline__ void park() { rows.park(); }
  __device__ __forceinline__ void close_local() {
    const float local[2] = {branch_gate(0, 0), branch_gate(1, 0)};
    rows.close_local(local);
  }
  __device__ __forceinline__ void close_selected() {
    const float selected[2] = {branch_gate(0, 2), branch_gate(1, 2)};
    rows.close_selected(selected);
  }
  __device__ __forceinline__ float branch_gate(int row, int branch) const {
    return shuffle(gate[row], static_cast<int>(lane & ~3u) + branch);
  }
};

template <class T>
__device__ __forceinline__ void consume(Shared& shared, const AttendWork& work) {
  HopperBody<T> body(shared, work);
  RingPosition<slots> slot;
  if (body.group == 1) {
    body.pass_turn();  // the first turn is the first warpgroup's
  }
  while (true) {
    barrier_wait(shared.queries_full[slot.place], slot.parity);
    const int place = shared.assignment[slot.place].place;
    if (place < 0) {
      break;
    }
    body.begin(slot.place);
    body.begin_list();
    walk_list(body);
    warp_barrier();  // all lanes have read the assignment
    if (body.lane == 0) {
      barrier_arrive(shared.queries_empty[slot.place]);
    }
    slot.advance();
    const float gate[2] = {body.branch_gate(0, 1), body.branch_gate(1, 1)};
    write_rows<T>(work, item_at(work, static_cast<unsigned>(place)), body.first_row(), body.lane, gate,
                  body.rows.o);
  }
  if (body.group == 0) {
    body.take_turn();  // the last one passed to it
  }
}

__device__ __forceinline__ void prepare_barriers(Shared& shared) {
  for (unsigned i = 0; i < slots; ++i) {
    barrier_init(shared.queries_full[i], 1);
    barrier_init(shared.queries_empty[i], consumers * warpgroup / 32);
  }
  for (unsigned i = 0; i < stages; ++i) {
    barrier_init(shared.keys_full[i], 1);
    barrier_init(shared.values_full[i], 1);
    barrier_init(shared.empty[i], consumers * warpgroup / 32);
  }
  barrier_init_fence();
}

#endif  // MOSAIC_HOPPER_CODE

template <class T>
__global__ void __launch_bounds__(threads, 1)
    attend_hopper_kernel(const __grid_constant__ TensorMap q_map, const __grid_constant__ TensorMap k_map,
                         const __grid_constant__ TensorMap v_map, AttendWork work) {
#if MOSAIC_HOPPER_CODE
  Shared& shared = *reinterpret_cast<Shared*>(shared_memory());
  if (threadIdx.x == 0) {
    prefetch_map(q_map);
    prefetch_map(k_map);
    prefetch_map(v_map);
    prepare_barriers(shared);
  }
  block_barrier();
  if (threadIdx.x < warpgroup) {
    give_registers<40>();
    if (threadIdx.x == 0) {
      produce(shared, work, q_map, k_map, v_map);
    }
  } else {
    take_registers<232>();
    consume<T>(shared, work);
  }
#endif
}

}  // namespace

void attend_hopper(const AttendArgs& args, const Stream& stream) {
  const AttendWork work = attend_work(args);
  const std::int64_t rows = args.shape.members * args.shape.kv_heads * args.shape.tokens;
  const std::array<int, 2> box{device_head_width, device_block};
  const std::array<std::int64_t, 2> keys{device_head_width, rows},
      queries{device_head_width, rows * device_group};
  const TensorMap q_map = make_tensor_map(args.q, args.type, queries, box);
  const TensorMap k_map = make_tensor_map(args.k, args.type, keys, box);
  const TensorMap v_map = make_tensor_map(args.v, args.type, keys, box);
  fill_bytes(args.tile_counter, 0, sizeof(std::int32_t), stream);
  const unsigned items = work.columns * work.blocks * device_group;
  const LaunchShape shape{.x = std::min(items, static_cast<unsigned>(device_processors())),
                          .threads = threads,
                          .shared_bytes = sizeof(Shared)};
  if (args.type == ElementType::float16) {
    launch(attend_hopper_kernel<Half>, shape, stream, q_map, k_map, v_map, work);
  } else {
    launch(attend_hopper_kernel<Bfloat16>, shape, stream, q_map, k_map, v_map, work);
  }
}

}  // namespace mosaic::kernels
