#pragma once

#include <cstdint>

#include "kernels/device/device.hpp"

namespace mosaic::kernels {

/// out[m, i] = sum_j weight[i, j] x[m, j], float32 in the order of j, so that a member's numbers do not
/// depend on the others. All arrays on the device.
struct DeviceProjectionArgs {
  std::int64_t members = 0, inputs = 0, outputs = 0;
  const float* weight = nullptr;  ///< [outputs, inputs]
  const float* x = nullptr;       ///< [members, inputs]
  float* out = nullptr;           ///< [members, outputs]
};
void member_projection(const DeviceProjectionArgs& args, const Stream& stream);

}  // namespace mosaic::kernels
