#pragma once

#include <string>
#include <vector>

#include "kernels/device/device.hpp"

namespace mosaic::kernels {

/// What device code is compiled for, see MosaicCuda.cmake.
inline constexpr const char* compiled_for = "compute capability 8.x (sm_80) and 9.0 (sm_90a)";
bool has_code_for(int major, int minor);

/// Errors: bad_configuration with what to do, if device `number` is not among the visible ones (`why`: what
/// visible_devices() says of none) or there is no code for it.
void require_usable(const std::vector<DeviceInfo>& visible, const std::string& why, int number);

/// The device that a rank of this host takes: ranks take the visible ones in turn. Errors: bad_configuration
/// if none is visible.
const DeviceInfo& device_of_rank(const std::vector<DeviceInfo>& visible, const std::string& why,
                                 int rank_on_node);

}  // namespace mosaic::kernels
