#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels::emulation {

/// A device on the host, for tests: the threads of a block are fibers of one thread of the processor, blocks
/// run one after the other. Collective instructions of warps and warpgroups are carried out when their last
/// thread arrives, with the register layouts of the real ones. What it finds besides wrong numbers: threads
/// that do not arrive (deadlock, with the places where the others wait), collectives that a part of a warp
/// enters, reads of matrices outside of shared memory; with another order of threads, missing barriers; with
/// copies and products as late as permitted, missing waits; with the work of streams as late as permitted,
/// missing waits for streams and between them; with AddressSanitizer, accesses outside of arrays. Fresh
/// memory holds NaN.
enum class ThreadOrder { forward, backward, shuffled };

/// When copies in the background, products of warpgroups and the work of streams happen: at once, or as late
/// as their waits permit.
enum class Asynchrony { early, late };

struct Settings {
  ThreadOrder order = ThreadOrder::forward;
  std::uint64_t seed = 1;  ///< of the shuffled order
  Asynchrony asynchrony = Asynchrony::late;
  Asynchrony streams =
      Asynchrony::early;  ///< late: a stream's work waits until the host or another stream does
  int capability = 90;
  int processors = 3;                                        ///< what device_processors() says
  std::function<bool(unsigned, unsigned, unsigned)> blocks;  ///< which blocks (x, y, z) run; empty: all
};
Settings& settings();

// ---- For device_emulated.hpp ----

struct Index3 {
  unsigned x = 0, y = 0, z = 0;
};

/// Of the running thread.
struct ThreadPlace {
  Index3 thread, block, block_size, grid_size;
};
const ThreadPlace& place();

/// Shared memory of the running block.
unsigned char* shared_memory();
std::size_t shared_memory_bytes();
/// Offset of an address in it. Errors: internal outside.
std::uint32_t shared_offset(const void* address);

/// Runs `body` for every thread of the grid.
void run_grid(const Index3& grid, unsigned threads, std::size_t shared_bytes,
              const std::function<void()>& body);

/// Lets others run until `ready(context, value)`.
void wait_until(const char* what, bool (*ready)(const void* context, std::uint64_t value),
                const void* context, std::uint64_t value);

/// Each thread of a group (warp: 32, warpgroup: 128) brings its slot; the last one to come performs. `name`
/// must agree.
void collective(const char* name, unsigned group_size, void* slot, void (*perform)(void* const* slots));

/// A barrier of `threads` threads; those that only arrive do not wait.
enum class BarrierRole { wait, arrive };
void barrier(int id, unsigned threads, BarrierRole role);

/// Work of a queue of the running thread (copies) or warpgroup (products), in groups.
enum class QueueKind { thread, warpgroup };
void enqueue(QueueKind kind, std::function<void()> work);
void commit(QueueKind kind);
void wait_for_groups(QueueKind kind, std::size_t left);

/// Work that happens by itself between now and when nobody else can go on.
void enqueue_engine(std::function<void()> work);

/// Registers may be read by the products that follow. Errors: internal at a product without one since the
/// last full wait.
void warpgroup_fence();
void require_fence();

float half_value(std::uint16_t bits);
using Number = float (*)(std::uint16_t bits);

enum class Transposed { no, yes };
void load_matrices(std::uint32_t* registers, const void* shared_row, Transposed transposed);
void multiply_16x8x16(float* d, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1, Number number);

struct WarpgroupProduct {
  float* d = nullptr;
  int columns = 0;
  const std::uint32_t* a_registers = nullptr;  ///< null: `a`
  std::uint64_t a = 0, b = 0;                  ///< descriptors
  Transposed b_transposed = Transposed::no;
  bool accumulate = false;
  Number number = nullptr;
};
void multiply_warpgroup(const WarpgroupProduct& product);

/// A barrier of Hopper, in 8 bytes of shared memory.
struct BarrierState {
  std::int16_t expected, pending;
  std::int32_t bytes : 31;  ///< announced and not yet there
  std::uint32_t phase : 1;
};
void arrive(BarrierState& barrier, int announced_bytes);

/// What a tensor map says: a contiguous array of 16-bit numbers, cut into boxes; fastest dimension first.
struct Box {
  const unsigned char* array;
  int dimensions;
  std::array<std::int64_t, 4> extents;
  std::array<int, 4> box;
};
void copy_box(void* shared, const Box& box, BarrierState& barrier, const std::array<int, 4>& place);

/// Errors: internal for an address that is not a multiple of `bytes`.
void require_aligned(const void* address, std::size_t bytes);

/// Runs work now, or keeps it: in the recording, if there is one, or until the stream is waited for.
void submit(const Stream& stream, std::function<void()> work);

}  // namespace mosaic::kernels::emulation
