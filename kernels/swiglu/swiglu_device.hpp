#pragma once

#include <cstdint>

#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels {

/// The hidden layer of the conditional SwiGLU (model.md section 3): with [a, b] = W13 x and r the row's
/// factor,
///   h = silu(r a + shift_member) * (r b),
/// float32 accumulation and epilogue, one rounding. B members, N tokens, W width, F = hidden width. All
/// arrays on the device, contiguous, aligned to 16 bytes; W a multiple of 64, F of 128.
struct SwigluArgs {
  std::int64_t members = 0, tokens = 0, width = 0, hidden = 0;
  ElementType type = ElementType::float16;
  const void* x = nullptr;            ///< [B, N, W]
  const float* row_factor = nullptr;  ///< [B, N]; null: 1
  const void* weight = nullptr;       ///< [2 F, W], interleaved: interleaved_row()
  const float* shift = nullptr;       ///< [B, shift_stride], the first F of each; null: 0
  std::int64_t shift_stride = 0;
  void* hidden_out = nullptr;  ///< [B, N, F]
};

/// Where row `row` of W13 (a: rows 0 ... F - 1, b: F ... 2 F - 1) stands in the device's weight: eight of a,
/// the eight of b that belong to them, and so on, so that a thread of a matrix product holds both.
constexpr std::int64_t interleaved_row(std::int64_t row, std::int64_t hidden) {
  const std::int64_t half = row / hidden, i = row % hidden;
  return i / 8 * 16 + half * 8 + i % 8;
}

/// `automatic` takes hopper on compute capability 9.0, else ampere; float32 has one body for all.
enum class SwigluBody { automatic, ampere, hopper };
void swiglu(const SwigluArgs& args, SwigluBody body, const Stream& stream);

}  // namespace mosaic::kernels
