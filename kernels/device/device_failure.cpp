#include "kernels/device/device_failure.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

void fail_on_device(DeviceFailure kind, const std::string& text) {
  fail(kind == DeviceFailure::configuration ? ExitCode::bad_configuration : ExitCode::internal, "{}", text);
}

void require_shape(bool condition, const std::string& text) { require(condition, "device kernel: {}", text); }

}  // namespace mosaic::kernels
