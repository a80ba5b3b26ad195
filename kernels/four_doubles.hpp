#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

// Four doubles as one value, for loops that GCC 12 leaves scalar: they fill a register of AVX2, and a
// processor with AVX-512 does two at a time in the time of one of eight or little more. To be inlined into
// functions marked MOSAIC_EACH_INSTRUCTION_SET, hence always inlined and by reference.

namespace mosaic::kernels {

using FourDoubles [[gnu::vector_size(4 * sizeof(double))]] = double;
using FourBits [[gnu::vector_size(4 * sizeof(double))]] = std::int64_t;

[[gnu::always_inline]] inline void load(const double* from, FourDoubles& to) {
  std::memcpy(&to, from, sizeof(to));
}

/// One instruction this way; __builtin_convertvector takes four.
[[gnu::always_inline]] inline void load(const float* from, FourDoubles& to) {
  to = FourDoubles{from[0], from[1], from[2], from[3]};
}

[[gnu::always_inline]] inline void store(const FourDoubles& from, double* to) {
  std::memcpy(to, &from, sizeof(from));
}

/// `value` where the bits of `mask` are set, else 0, whatever the value is.
[[gnu::always_inline]] inline void keep(const FourBits& mask, FourDoubles& value) {
  FourBits bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bits &= mask;
  std::memcpy(&value, &bits, sizeof(bits));
}

[[gnu::always_inline]] inline void make_absolute(FourDoubles& value) {
  keep(FourBits{} + std::numeric_limits<std::int64_t>::max(), value);
}

}  // namespace mosaic::kernels
