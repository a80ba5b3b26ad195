#pragma once

#include <cstddef>

namespace mosaic::kernels {

/// Columns that are sorted side by side: one AVX-512 register of float32.
inline constexpr std::size_t sorting_lanes = 16;

/// The values of 16 columns, of `count` rows from `first` on, each column in ascending order; -0 becomes 0. A
/// NaN comes first if its sign bit is set, else last. Up to 64 values go through a sorting network in
/// registers, more through the same network in memory. Shape of sorted: [count, 16]; a row may be the same
/// place in it, with `first` 0.
void sort_columns(const float* const* rows, std::size_t first, std::size_t count, float* sorted);

}  // namespace mosaic::kernels
