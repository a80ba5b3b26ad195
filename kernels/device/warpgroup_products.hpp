#pragma once

// The wgmma forms that the kernels use. Their operands must be listed one by one. Included by
// device_hardware.hpp only.

#define MOSAIC_ACCUMULATE_8(i)                                                                          \
  "+f"(d[i]), "+f"(d[(i) + 1]), "+f"(d[(i) + 2]), "+f"(d[(i) + 3]), "+f"(d[(i) + 4]), "+f"(d[(i) + 5]), \
      "+f"(d[(i) + 6]), "+f"(d[(i) + 7])
#define MOSAIC_ACCUMULATE_32(i)                                                        \
  MOSAIC_ACCUMULATE_8(i), MOSAIC_ACCUMULATE_8((i) + 8), MOSAIC_ACCUMULATE_8((i) + 16), \
      MOSAIC_ACCUMULATE_8((i) + 24)

namespace mosaic::kernels::device {

#define MOSAIC_PRODUCT_128(TYPE)                                                         \
  asm volatile(                                                                          \
      "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"                                       \
      "wgmma.mma_async.sync.aligned.m64n128k16.f32." TYPE "." TYPE                       \
      " {"                                                                               \
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "           \
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"   \
      "}, %64, %65, p, 1, 1, 0, 0;\n}\n"                                                 \
      : MOSAIC_ACCUMULATE_32(0), MOSAIC_ACCUMULATE_32(32)                                \
      : "l"(a), "l"(b), "r"(int(accumulate)))
/// d (+)= a b^T of a warpgroup, a [64, 16], b [128, 16] in shared memory, rows along k (matrix_descriptor).
template <class T>
__device__ __forceinline__ void multiply_64x128x16(float (&d)[64], std::uint64_t a, std::uint64_t b,
                                                   bool accumulate) {
  if constexpr (std::is_same_v<T, Half>) {
    MOSAIC_PRODUCT_128("f16");
  } else {
    MOSAIC_PRODUCT_128("bf16");
  }
}
#undef MOSAIC_PRODUCT_128

#define MOSAIC_PRODUCT_256(TYPE)                                                                       \
  asm volatile(                                                                                        \
      "{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\n"                                                    \
      "wgmma.mma_async.sync.aligned.m64n256k16.f32." TYPE "." TYPE                                     \
      " {"                                                                                             \
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "                         \
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "               \
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "               \
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "               \
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "               \
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "               \
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "   \
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127" \
      "}, %128, %129, p, 1, 1, 0, 0;\n}\n"                                                             \
      : MOSAIC_ACCUMULATE_32(0), MOSAIC_ACCUMULATE_32(32), MOSAIC_ACCUMULATE_32(64),                   \
        MOSAIC_ACCUMULATE_32(96)                                                                       \
      : "l"(a), "l"(b), "r"(int(accumulate)))
/// d (+)= a b^T of a warpgroup, a [64, 16], b [256, 16] in shared memory, rows along k (matrix_descriptor).
template <class T>
__device__ __forceinline__ void multiply_64x256x16(float (&d)[128], std::uint64_t a, std::uint64_t b,
                                                   bool accumulate) {
  if constexpr (std::is_same_v<T, Half>) {
    MOSAIC_PRODUCT_256("f16");
  } else {
    MOSAIC_PRODUCT_256("bf16");
  }
}
#undef MOSAIC_PRODUCT_256

#define MOSAIC_PRODUCT_64(TYPE)                                                        \
  asm volatile(                                                                        \
      "{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"                                     \
      "wgmma.mma_async.sync.aligned.m64n64k16.f32." TYPE "." TYPE                      \
      " {"                                                                             \
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "         \
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31" \
      "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1;\n}\n"                                 \
      : MOSAIC_ACCUMULATE_32(0)                                                        \
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(int(accumulate)))
/// d (+)= a b of a warpgroup, a [64, 16] in registers (of each warp 16 rows, as in multiply_16x8x16), b [16,
/// 64] in shared memory, rows along n (matrix_descriptor).
template <class T>
__device__ __forceinline__ void multiply_64x64x16_registers(float (&d)[32], const std::uint32_t (&a)[4],
                                                            std::uint64_t b, bool accumulate) {
  if constexpr (std::is_same_v<T, Half>) {
    MOSAIC_PRODUCT_64("f16");
  } else {
    MOSAIC_PRODUCT_64("bf16");
  }
}
#undef MOSAIC_PRODUCT_64
#undef MOSAIC_ACCUMULATE_32
#undef MOSAIC_ACCUMULATE_8

}  // namespace mosaic::kernels::device
