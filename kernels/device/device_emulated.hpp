#pragma once

// The names of device_hardware.hpp for a plain C++ compiler: kernels run on the host (emulation.hpp).
// Included by device_code.hpp only. Register layouts and swizzles follow the PTX ISA, sections "Matrix
// fragments for mma.m16n8k16", "ldmatrix", "Asynchronous warpgroup level matrix instructions" and "Tensor
// swizzling modes".

#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <string>
#include <tuple>
#include <type_traits>

#include "base/short_floats.hpp"
#include "kernels/device/emulation.hpp"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
#define threadIdx (::mosaic::kernels::emulation::place().thread)
#define blockIdx (::mosaic::kernels::emulation::place().block)
#define blockDim (::mosaic::kernels::emulation::place().block_size)
#define gridDim (::mosaic::kernels::emulation::place().grid_size)
#define MOSAIC_HOPPER_CODE 1

struct float2 {
  float x, y;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float rsqrtf(float x) { return 1.0F / std::sqrt(x); }
inline int atomicAdd(int* address, int value) {
  const int before = *address;
  *address += value;
  return before;
}

namespace mosaic::kernels::device {

// ---- Numbers ----

struct Half {
  std::uint16_t bits;
};
struct Bfloat16 {
  std::uint16_t bits;
};
struct alignas(16) Words4 {
  std::uint32_t word[4];
};

template <class T>
float to_float(T x) {
  if constexpr (std::is_same_v<T, Half>) {
    return emulation::half_value(x.bits);
  } else if constexpr (std::is_same_v<T, Bfloat16>) {
    return float_from_bfloat16(x.bits);
  } else {
    return x;
  }
}
template <class T>
T from_float(float x) {
  if constexpr (std::is_same_v<T, Half>) {
    return {half_from_float(x)};
  } else if constexpr (std::is_same_v<T, Bfloat16>) {
    return {bfloat16_from_float(x)};
  } else {
    return x;
  }
}
template <class T>
std::uint32_t pack(float first, float second) {
  return from_float<T>(first).bits | std::uint32_t(from_float<T>(second).bits) << 16;
}
template <class T>
float2 unpack(std::uint32_t word) {
  return {to_float(T{std::uint16_t(word)}), to_float(T{std::uint16_t(word >> 16)})};
}
inline float exp2_fast(float x) { return std::exp2(x); }
inline float reciprocal_fast(float x) { return 1 / x; }
inline std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }
inline float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }

// ---- Threads ----

inline void block_barrier() { emulation::barrier(0, blockDim.x, emulation::BarrierRole::wait); }
inline void warp_barrier() {
  emulation::collective("warp_barrier", 32, nullptr, [](void* const*) {});
}
inline void named_barrier(int id, int threads) {
  emulation::barrier(id, static_cast<unsigned>(threads), emulation::BarrierRole::wait);
}
inline void named_barrier_arrive(int id, int threads) {
  emulation::barrier(id, static_cast<unsigned>(threads), emulation::BarrierRole::arrive);
}

template <class T>
struct ShuffleSlot {
  T value;
  int source;
  T result;
};
template <class T>
T shuffle(T x, int source) {
  using Slot = ShuffleSlot<T>;
  Slot slot{x, source & 31, x};
  emulation::collective("shuffle", 32, &slot, [](void* const* slots) {
    for (int i = 0; i < 32; ++i) {
      Slot& mine = *static_cast<Slot*>(slots[i]);
      mine.result = static_cast<Slot*>(slots[mine.source])->value;
    }
  });
  return slot.result;
}
template <class T>
T shuffle_xor(T x, int mask) {
  return shuffle(x, static_cast<int>(threadIdx.x % 32) ^ mask);
}
inline std::uint32_t ballot(bool predicate) {
  struct Slot {
    bool predicate;
    std::uint32_t result;
  } slot{predicate, 0};
  emulation::collective("ballot", 32, &slot, [](void* const* slots) {
    std::uint32_t bits = 0;
    for (int i = 0; i < 32; ++i) {
      bits |= std::uint32_t(static_cast<Slot*>(slots[i])->predicate) << i;
    }
    for (int i = 0; i < 32; ++i) {
      static_cast<Slot*>(slots[i])->result = bits;
    }
  });
  return slot.result;
}
inline int sum_of_warp(int x) {
  emulation::collective("sum_of_warp", 32, &x, [](void* const* slots) {
    int sum = 0;
    for (int i = 0; i < 32; ++i) {
      sum += *static_cast<int*>(slots[i]);
    }
    for (int i = 0; i < 32; ++i) {
      *static_cast<int*>(slots[i]) = sum;
    }
  });
  return x;
}
inline int count_bits(std::uint32_t x) { return std::popcount(x); }

inline unsigned char* shared_memory() { return emulation::shared_memory(); }
inline std::uint32_t shared_address(const void* shared) { return emulation::shared_offset(shared); }

inline Words4 load_words(const void* source) {
  emulation::require_aligned(source, 16);
  return *static_cast<const Words4*>(source);
}
inline void store_words(void* target, const Words4& words) {
  emulation::require_aligned(target, 16);
  *static_cast<Words4*>(target) = words;
}
inline Words4 load_constant_words(const void* source) { return load_words(source); }

// ---- Ampere ----

inline void copy_async(void* shared, const void* global) {
  emulation::require_aligned(shared, 16);
  emulation::require_aligned(global, 16);
  emulation::shared_offset(shared);
  emulation::enqueue(emulation::QueueKind::thread, [=] { std::memcpy(shared, global, 16); });
}
inline void copy_async_commit() { emulation::commit(emulation::QueueKind::thread); }
template <int Left>
void copy_async_wait() {
  emulation::wait_for_groups(emulation::QueueKind::thread, Left);
}

inline void load_matrices(std::uint32_t (&r)[4], const void* shared_row) {
  emulation::load_matrices(r, shared_row, emulation::Transposed::no);
}
inline void load_matrices_transposed(std::uint32_t (&r)[4], const void* shared_row) {
  emulation::load_matrices(r, shared_row, emulation::Transposed::yes);
}

template <class T>
constexpr emulation::Number number_of = std::is_same_v<T, Half> ? emulation::half_value : float_from_bfloat16;

template <class T>
void multiply_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  emulation::multiply_16x8x16(d, a, b0, b1, number_of<T>);
}

// ---- Hopper ----

struct alignas(64) TensorMap {
  emulation::Box box;
};
struct TransferBarrier {
  emulation::BarrierState state;
};

inline void barrier_init(TransferBarrier& barrier, int arrivals) {
  emulation::shared_offset(&barrier);
  barrier.state = {static_cast<std::int16_t>(arrivals), static_cast<std::int16_t>(arrivals), 0, 0};
}
inline void barrier_init_fence() {}
inline void barrier_arrive(TransferBarrier& barrier) { emulation::arrive(barrier.state, 0); }
inline void barrier_arrive_expecting(TransferBarrier& barrier, std::uint32_t bytes) {
  emulation::arrive(barrier.state, static_cast<int>(bytes));
}
inline void barrier_wait(TransferBarrier& barrier, std::uint32_t parity) {
  emulation::wait_until(
      "barrier_wait",
      [](const void* state, std::uint64_t waited) {
        return static_cast<const emulation::BarrierState*>(state)->phase != waited;
      },
      &barrier.state, parity);
}
inline void prefetch_map(const TensorMap&) {}
inline void copy_box(void* shared, const TensorMap& map, TransferBarrier& barrier, int c0, int c1) {
  emulation::copy_box(shared, map.box, barrier.state, {c0, c1, 0, 0});
}
template <int Registers>
void take_registers() {
  static_assert(Registers >= 24 && Registers <= 256 && Registers % 8 == 0);
}
template <int Registers>
void give_registers() {
  static_assert(Registers >= 24 && Registers <= 256 && Registers % 8 == 0);
}

inline std::uint64_t matrix_descriptor(const void* shared, std::uint32_t group_bytes,
                                       std::uint32_t leading_bytes = 16) {
  return emulation::shared_offset(shared) >> 4 | std::uint64_t(leading_bytes >> 4) << 16 |
         std::uint64_t(group_bytes >> 4) << 32 | std::uint64_t(1) << 62;
}
inline void warpgroup_fence() { emulation::warpgroup_fence(); }
inline void warpgroup_commit() { emulation::commit(emulation::QueueKind::warpgroup); }
template <int Left>
void warpgroup_wait() {
  emulation::wait_for_groups(emulation::QueueKind::warpgroup, Left);
}
template <int Count>
void hold_registers(float (&)[Count]) {}

template <class T>
void multiply_64x128x16(float (&d)[64], std::uint64_t a, std::uint64_t b, bool accumulate) {
  emulation::multiply_warpgroup({d, 128, nullptr, a, b, emulation::Transposed::no, accumulate, number_of<T>});
}
template <class T>
void multiply_64x256x16(float (&d)[128], std::uint64_t a, std::uint64_t b, bool accumulate) {
  emulation::multiply_warpgroup({d, 256, nullptr, a, b, emulation::Transposed::no, accumulate, number_of<T>});
}
template <class T>
void multiply_64x64x16_registers(float (&d)[32], const std::uint32_t (&a)[4], std::uint64_t b,
                                 bool accumulate) {
  emulation::multiply_warpgroup({d, 64, a, 0, b, emulation::Transposed::yes, accumulate, number_of<T>});
}

}  // namespace mosaic::kernels::device

namespace mosaic::kernels {

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, const Stream& stream,
            const Arguments&... arguments) {
  emulation::submit(stream, [kernel, shape, values = std::tuple<std::decay_t<Parameters>...>(arguments...)] {
    emulation::run_grid({shape.x, shape.y, shape.z}, shape.threads, shape.shared_bytes,
                        [&] { std::apply(kernel, values); });
  });
}

}  // namespace mosaic::kernels
