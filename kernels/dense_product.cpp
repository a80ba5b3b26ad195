#include "kernels/dense_product.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define MOSAIC_X86_VECTORS 1
#endif
#if defined(__clang__)
#define MOSAIC_NO_ALIAS _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define MOSAIC_NO_ALIAS _Pragma("GCC ivdep")
#else
#define MOSAIC_NO_ALIAS
#endif

namespace mosaic::kernels {
namespace {

/// R rows and D terms at once: each loaded b serves R sums, each sum takes D terms between load and store.
template <std::size_t R, std::size_t D>
[[gnu::always_inline]] inline void block(MatrixRows a, MatrixRows b, double* out, std::size_t out_stride,
                                         std::size_t columns) {
  MOSAIC_NO_ALIAS
  for (std::size_t c = 0; c < columns; ++c) {
#pragma GCC unroll 4
    for (std::size_t r = 0; r < R; ++r) {
      double sum = out[r * out_stride + c];
#pragma GCC unroll 4
      for (std::size_t d = 0; d < D; ++d) {
        sum += a.values[r * a.stride + d] * b.values[d * b.stride + c];
      }
      out[r * out_stride + c] = sum;
    }
  }
}

template <std::size_t R>
[[gnu::always_inline]] inline void row_block(MatrixRows a, MatrixRows b, double* out, std::size_t out_stride,
                                             std::size_t depth, std::size_t columns) {
  const auto terms = [&](std::size_t d) { return MatrixRows{a.values + d, a.stride}; };
  const auto factors = [&](std::size_t d) { return MatrixRows{b.values + d * b.stride, b.stride}; };
  std::size_t d = 0;
  for (; d + 4 <= depth; d += 4) {
    block<R, 4>(terms(d), factors(d), out, out_stride, columns);
  }
  switch (depth - d) {
    case 3:
      return block<R, 3>(terms(d), factors(d), out, out_stride, columns);
    case 2:
      return block<R, 2>(terms(d), factors(d), out, out_stride, columns);
    case 1:
      return block<R, 1>(terms(d), factors(d), out, out_stride, columns);
  }
}

[[gnu::always_inline]] inline void product(MatrixRows a, MatrixRows b, double* out, std::size_t out_stride,
                                           std::size_t rows, std::size_t depth, std::size_t columns) {
  const auto rest = [&](std::size_t r) { return MatrixRows{a.values + r * a.stride, a.stride}; };
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    row_block<4>(rest(r), b, out + r * out_stride, out_stride, depth, columns);
  }
  switch (rows - r) {
    case 3:
      return row_block<3>(rest(r), b, out + r * out_stride, out_stride, depth, columns);
    case 2:
      return row_block<2>(rest(r), b, out + r * out_stride, out_stride, depth, columns);
    case 1:
      return row_block<1>(rest(r), b, out + r * out_stride, out_stride, depth, columns);
  }
}

void product_plain(MatrixRows a, MatrixRows b, double* out, std::size_t out_stride, std::size_t rows,
                   std::size_t depth, std::size_t columns) {
  product(a, b, out, out_stride, rows, depth, columns);
}

#ifdef MOSAIC_X86_VECTORS
[[gnu::target("avx2")]] void product_avx2(MatrixRows a, MatrixRows b, double* out, std::size_t out_stride,
                                          std::size_t rows, std::size_t depth, std::size_t columns) {
  product(a, b, out, out_stride, rows, depth, columns);
}

[[gnu::target("avx512f")]] void product_avx512(MatrixRows a, MatrixRows b, double* out,
                                               std::size_t out_stride, std::size_t rows, std::size_t depth,
                                               std::size_t columns) {
  product(a, b, out, out_stride, rows, depth, columns);
}
#endif

using Product = decltype(&product_plain);

/// The widest vectors of this processor. Sums run along none of them, so bits are the same.
Product widest_product() {
#ifdef MOSAIC_X86_VECTORS
  if (__builtin_cpu_supports("avx512f")) {
    return product_avx512;
  }
  if (__builtin_cpu_supports("avx2")) {
    return product_avx2;
  }
#endif
  return product_plain;
}

}  // namespace

void dense_product(MatrixRows a, MatrixRows b, double* out, std::size_t out_stride, std::size_t rows,
                   std::size_t depth, std::size_t columns) {
  static const Product product = widest_product();
  product(a, b, out, out_stride, rows, depth, columns);
}

}  // namespace mosaic::kernels
