#pragma once

#include <cstddef>

namespace mosaic::kernels {

/// Columns that are sorted side by side: one AVX-512 register of float32.
inline constexpr std::size_t sorting_lanes = 16;

/// Puts the `count` values of each of 16 columns into ascending order, in place; -0 becomes 0. A NaN comes
/// first if its sign bit is set, else last. Layout: [count, 16]. Up to 64 values go through a sorting network
/// in registers, more through the same network in memory.
void sort_columns(float* values, std::size_t count);

}  // namespace mosaic::kernels
