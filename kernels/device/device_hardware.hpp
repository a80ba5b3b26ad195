#pragma once

// What device code is made of, as nvcc compiles it: intrinsics and PTX behind names. Included by
// device_code.hpp only; device_emulated.hpp has the same names for the host.

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <span>
#include <type_traits>

#include "kernels/device/device.hpp"

/// True where instructions of Hopper (sm_90a: TMA, wgmma, setmaxnreg) may be used.
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
#define MOSAIC_HOPPER_CODE 1
#else
#define MOSAIC_HOPPER_CODE 0
#endif

namespace mosaic::kernels::device {

using Half = __half;
using Bfloat16 = __nv_bfloat16;

struct alignas(16) Words4 {
  std::uint32_t word[4];
};

// ---- Numbers ----

template <class T>
__device__ __forceinline__ float to_float(T x) {
  if constexpr (std::is_same_v<T, Half>) {
    return __half2float(x);
  } else if constexpr (std::is_same_v<T, Bfloat16>) {
    return __bfloat162float(x);
  } else {
    return x;
  }
}

template <class T>
__device__ __forceinline__ T from_float(float x) {
  if constexpr (std::is_same_v<T, Half>) {
    return __float2half_rn(x);
  } else if constexpr (std::is_same_v<T, Bfloat16>) {
    return __float2bfloat16_rn(x);
  } else {
    return x;
  }
}

/// Two numbers of 16 bits in a word, the first in the lower half.
template <class T>
__device__ __forceinline__ std::uint32_t pack(float first, float second) {
  std::uint32_t word;
  if constexpr (std::is_same_v<T, Half>) {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  } else {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(second), "f"(first));
  }
  return word;
}

template <class T>
__device__ __forceinline__ float2 unpack(std::uint32_t word) {
  if constexpr (std::is_same_v<T, Half>) {
    return __half22float2(*reinterpret_cast<const __half2*>(&word));
  } else {
    return make_float2(__uint_as_float(word << 16), __uint_as_float(word & 0xffff0000u));
  }
}

__device__ __forceinline__ float exp2_fast(float x) {  // 2 ulp; exp2(-inf) = 0
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ float reciprocal_fast(float x) {  // 1 ulp
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
__device__ __forceinline__ std::uint32_t bits_of(float x) { return __float_as_uint(x); }
__device__ __forceinline__ float float_of(std::uint32_t bits) { return __uint_as_float(bits); }

// ---- Threads ----

__device__ __forceinline__ void block_barrier() { __syncthreads(); }
__device__ __forceinline__ void warp_barrier() { __syncwarp(); }
/// Barrier `id` (1 to 15; 0 is block_barrier) of `threads` threads.
__device__ __forceinline__ void named_barrier(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
__device__ __forceinline__ void named_barrier_arrive(int id, int threads) {
  asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
template <class T>
__device__ __forceinline__ T shuffle(T x, int lane) {
  return __shfl_sync(0xffffffffu, x, lane);
}
template <class T>
__device__ __forceinline__ T shuffle_xor(T x, int mask) {
  return __shfl_xor_sync(0xffffffffu, x, mask);
}
__device__ __forceinline__ std::uint32_t ballot(bool predicate) {
  return __ballot_sync(0xffffffffu, predicate);
}
/// The sum over the warp, in each of its lanes.
__device__ __forceinline__ int sum_of_warp(int x) { return __reduce_add_sync(0xffffffffu, x); }
__device__ __forceinline__ int count_bits(std::uint32_t x) { return __popc(x); }

/// The dynamic shared memory of the block, aligned to 1024 bytes.
__device__ __forceinline__ unsigned char* shared_memory() {
  extern __shared__ __align__(1024) unsigned char mosaic_shared_memory[];
  return mosaic_shared_memory;
}
__device__ __forceinline__ std::uint32_t shared_address(const void* shared) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
}

__device__ __forceinline__ Words4 load_words(const void* source) {
  return *static_cast<const Words4*>(source);
}
__device__ __forceinline__ void store_words(void* target, const Words4& words) {
  *static_cast<Words4*>(target) = words;
}
/// For memory that no thread of the kernel writes.
__device__ __forceinline__ Words4 load_constant_words(const void* source) {
  Words4 w;
  asm("ld.global.nc.v4.u32 {%0, %1, %2, %3}, [%4];"
      : "=r"(w.word[0]), "=r"(w.word[1]), "=r"(w.word[2]), "=r"(w.word[3])
      : "l"(source));
  return w;
}

// ---- Ampere: copies in the background, matrix products of a warp ----

/// 16 bytes from global to shared memory, both aligned.
__device__ __forceinline__ void copy_async(void* shared, const void* global) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared_address(shared)), "l"(global)
               : "memory");
}
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
/// Until at most `Left` of this thread's latest groups are under way; others need a barrier to see the bytes.
template <int Left>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Left) : "memory");
}

/// Four 8 x 8 matrices of 16-bit numbers; lane l gives the address of row l % 8 of matrix l / 8, and gets of
/// each matrix the pair (row l / 4, columns 2 (l % 4) and the next).
__device__ __forceinline__ void load_matrices(std::uint32_t (&r)[4], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(shared_row))
               : "memory");
}
/// Likewise, each matrix transposed.
__device__ __forceinline__ void load_matrices_transposed(std::uint32_t (&r)[4], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(shared_row))
               : "memory");
}

/// d += a b, a [16, 16], b [16, 8] of T, d float32, by a warp. With g = lane / 4, t = lane % 4: a holds the
/// pairs at (g, 2t), (g + 8, 2t), (g, 2t + 8), (g + 8, 2t + 8), b the pairs along k at (2t, g), (2t + 8, g),
/// d the numbers (g, 2t), (g, 2t + 1), (g + 8, 2t), (g + 8, 2t + 1).
template <class T>
__device__ __forceinline__ void multiply_16x8x16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                                 std::uint32_t b1) {
  if constexpr (std::is_same_v<T, Half>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

// ---- Hopper: barriers in shared memory, tensor copies, matrix products of a warpgroup ----

/// A box of an array of up to four dimensions in global memory, as the copy engine knows it (CUtensorMap).
/// Kernel parameters of this type must be `const __grid_constant__`.
struct alignas(128) TensorMap {
  unsigned char bytes[128];
};

/// In shared memory, 8 bytes.
struct TransferBarrier {
  std::uint64_t state;
};

#if MOSAIC_HOPPER_CODE

__device__ __forceinline__ void barrier_init(TransferBarrier& barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(&barrier)), "r"(arrivals)
               : "memory");
}
/// After barrier_init by one thread, before the block barrier that shows it to the others.
__device__ __forceinline__ void barrier_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void barrier_arrive(TransferBarrier& barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(&barrier)) : "memory");
}
/// Arrives and announces `bytes` that the copy engine will bring.
__device__ __forceinline__ void barrier_arrive_expecting(TransferBarrier& barrier, std::uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(&barrier)),
               "r"(bytes)
               : "memory");
}
/// Waits for the end of the phase of that parity (0 for the first).
__device__ __forceinline__ void barrier_wait(TransferBarrier& barrier, std::uint32_t parity) {
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n"
      "}\n" ::"r"(shared_address(&barrier)),
      "r"(parity)
      : "memory");
}

__device__ __forceinline__ void prefetch_map(const TensorMap& map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(reinterpret_cast<std::uint64_t>(&map)) : "memory");
}
/// Copies the box at the coordinates, fastest dimension first; one thread. Bytes beyond the array are zero.
__device__ __forceinline__ void copy_box(void* shared, const TensorMap& map, TransferBarrier& barrier, int c0,
                                         int c1) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, "
      "%4}], [%2];" ::"r"(shared_address(shared)),
      "l"(reinterpret_cast<std::uint64_t>(&map)), "r"(shared_address(&barrier)), "r"(c0), "r"(c1)
      : "memory");
}

template <int Registers>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers));
}
template <int Registers>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers));
}

/// A matrix in shared memory, rows of 128 bytes in the 128-byte swizzle, as wgmma reads it. `shared` is where
/// it begins (inside an atom: a multiple of 32 bytes along k); atoms of 8 rows are `group_bytes` apart. For a
/// transposed operand (rows along k) `leading_bytes` lies between atoms of 64 columns.
__device__ __forceinline__ std::uint64_t matrix_descriptor(const void* shared, std::uint32_t group_bytes,
                                                           std::uint32_t leading_bytes = 16) {
  const std::uint64_t start = (shared_address(shared) & 0x3ffffu) >> 4;
  return start | std::uint64_t(leading_bytes >> 4) << 16 | std::uint64_t(group_bytes >> 4) << 32 |
         std::uint64_t(1) << 62;
}

__device__ __forceinline__ void warpgroup_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void warpgroup_commit() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int Left>
__device__ __forceinline__ void warpgroup_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Left) : "memory");
}
/// Keeps the compiler from moving accesses of accumulators over this place.
template <int Count>
__device__ __forceinline__ void hold_registers(float (&d)[Count]) {
#pragma unroll
  for (int i = 0; i < Count; ++i) {
    asm volatile("" : "+f"(d[i])::"memory");
  }
}

#endif  // MOSAIC_HOPPER_CODE

}  // namespace mosaic::kernels::device

#if MOSAIC_HOPPER_CODE
#include "kernels/device/warpgroup_products.hpp"
#endif

namespace mosaic::kernels {

/// Errors: internal, or bad_configuration for out of memory and devices that no code fits, with the call and
/// the runtime's words.
void check(cudaError_t result, const char* call);

/// Queues a kernel.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const LaunchShape& shape, const Stream& stream,
            const Arguments&... arguments) {
  if (shape.shared_bytes > 48 * 1024) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shape.shared_bytes)),
          "cudaFuncSetAttribute");
  }
  kernel<<<dim3(shape.x, shape.y, shape.z), shape.threads, shape.shared_bytes,
           static_cast<cudaStream_t>(stream.handle())>>>(static_cast<Parameters>(arguments)...);
  check(cudaGetLastError(), "kernel launch");
}

}  // namespace mosaic::kernels
