#pragma once

#include <cstdint>

#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels {

/// factor_i = 1 / sqrt(mean(x_i^2) + 2^-23), statistics in float32 (model.md section 3, RMSNorm). All arrays
/// on the device, contiguous, aligned to 16 bytes; the width is a multiple of 8, at most 10240.
struct RowFactorsArgs {
  std::int64_t rows = 0, width = 0;
  ElementType type = ElementType::float16;
  const void* x = nullptr;  ///< [rows, width]
  float* factor = nullptr;  ///< [rows]
};
void row_factors(const RowFactorsArgs& args, const Stream& stream);

enum class Activation { none, silu };

/// out_i = activation(norm(x_i + position_(i mod period) + skip_i)) in float32, rounded once. norm is RMSNorm
/// applied `norms` times (0, 1 or 2: some layers normalise what has just been normalised).
struct RowNormArgs {
  std::int64_t rows = 0, width = 0;
  ElementType in_type = ElementType::float32;
  const void* x = nullptr;          ///< [rows, width]
  const float* position = nullptr;  ///< [period, width]; may be null
  std::int64_t period = 1;
  ElementType skip_type = ElementType::float16;
  const void* skip = nullptr;  ///< [rows, width]; may be null
  int norms = 1;
  Activation activation = Activation::none;
  ElementType out_type = ElementType::float16;
  void* out = nullptr;  ///< [rows, width]; may be x or skip where the types are the same
};
void row_norm(const RowNormArgs& args, const Stream& stream);

}  // namespace mosaic::kernels
