#pragma once

// What the bodies of swiglu share, and their entries. For *.cu files of this folder only.

#include <cstdint>

#include "kernels/device/device_code.hpp"
#include "kernels/swiglu/swiglu_device.hpp"

namespace mosaic::kernels {

/// 16-bit types, TMA and wgmma.
void swiglu_hopper(const SwigluArgs& args, const Stream& stream);
/// 16-bit types, matrix products of warps.
void swiglu_ampere(const SwigluArgs& args, const Stream& stream);
/// float32 without tensor cores.
void swiglu_float32(const SwigluArgs& args, const Stream& stream);

namespace device {

/// A tile of the product: `row` counts tiles of tokens (of all members), `column` tiles of weight rows.
struct SwigluTile {
  int row = 0, column = 0;
};

/// Tile `index` of row_tiles x column_tiles, `group` tiles of tokens at a time, those fastest: what runs at
/// the same time is then about as high as wide, and x is read from memory about once.
__device__ __forceinline__ SwigluTile swiglu_tile(int index, int row_tiles, int column_tiles, int group) {
  const int first = index / (group * column_tiles) * group;
  const int rows = row_tiles - first < group ? row_tiles - first : group;
  const int inside = index - first * column_tiles;
  return {first + inside % rows, inside / rows};
}

__device__ __forceinline__ float row_factor_at(const SwigluArgs& args, std::int64_t row) {
  return args.row_factor == nullptr ? 1.0f : args.row_factor[row];
}

/// The two shifts of a member from `column` (even) on.
__device__ __forceinline__ float2 shifts_at(const SwigluArgs& args, std::int64_t member, int column) {
  if (args.shift == nullptr) {
    return make_float2(0.0f, 0.0f);
  }
  return *reinterpret_cast<const float2*>(args.shift + member * args.shift_stride + column);
}

/// Two hidden numbers of a row, silu(r a + shift) * (r b), with one reciprocal for both: 1 / p = q / (p q).
/// The denominators 1 + e^-u are kept below 2^60 so that p q is finite; silu is then off by at most 4e-17.
template <class T>
__device__ __forceinline__ std::uint32_t gated_pair(float r, float2 shift, float a0, float a1, float b0,
                                                    float b1) {
  constexpr float log2_e = 1.44269504f;
  const float u0 = fmaf(r, a0, shift.x), u1 = fmaf(r, a1, shift.y);
  const float p = 1.0f + exp2_fast(fminf(-log2_e * u0, 60.0f));
  const float q = 1.0f + exp2_fast(fminf(-log2_e * u1, 60.0f));
  const float both = reciprocal_fast(p * q);
  return pack<T>(u0 * (both * q) * (r * b0), u1 * (both * p) * (r * b1));
}

}  // namespace device
}  // namespace mosaic::kernels
