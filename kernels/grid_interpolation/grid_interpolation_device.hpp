#pragma once

#include <cstdint>

#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels {

/// grid_interpolation (see there) for the members of a chunk on a device: weights = softmax over the k
/// neighbours of rel . t / sqrt(D) in float32, out = weighted sum of v. B members, H heads, D = 64. All
/// arrays on the device, contiguous, aligned to 16 bytes.
struct DeviceInterpolationArgs {
  std::int64_t members = 0, sources = 0, targets = 0, neighbours = 0, heads = 0;
  const float* t = nullptr;  ///< [B, sources, t_stride], the first 3 H: [H, 3]
  std::int64_t t_stride = 0;
  ElementType type = ElementType::float16;
  const void* v = nullptr;              ///< [B, sources, H, D]
  const float* rel_pos = nullptr;       ///< [targets, k, 3]
  const std::int32_t* index = nullptr;  ///< [targets, k] sources
  void* out = nullptr;                  ///< [B, targets, H, D]
};
void grid_interpolation(const DeviceInterpolationArgs& args, const Stream& stream);

}  // namespace mosaic::kernels
