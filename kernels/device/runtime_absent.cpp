// device.hpp in programs without device code: there is no device, and nothing else may be called.

#include "base/error.hpp"
#include "kernels/device/device.hpp"

namespace mosaic::kernels {

namespace {

constexpr const char* reason = "this program was built without CUDA (cmake -C cmake/cache/cuda.cmake)";

}  // namespace

bool built_with_devices() { return false; }

std::vector<DeviceInfo> visible_devices(std::string* why) {
  if (why != nullptr) {
    *why = reason;
  }
  return {};
}

void use_device(int number) {
  fail(ExitCode::bad_configuration, "GPU {} cannot be used: {}; run with model.device: cpu", number, reason);
}

}  // namespace mosaic::kernels
