#pragma once

#include <string>

namespace mosaic::kernels {

/// What a failed call of a device's runtime means. nvcc cannot read base/error.hpp, so *.cu files fail
/// through here.
enum class DeviceFailure { internal, configuration };

/// Throws Error(internal or bad_configuration, text).
[[noreturn]] void fail_on_device(DeviceFailure kind, const std::string& text);

/// Errors: internal with `text`, where `condition` does not hold.
void require_shape(bool condition, const std::string& text);

}  // namespace mosaic::kernels
