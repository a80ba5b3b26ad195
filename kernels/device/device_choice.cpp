#include "kernels/device/device_choice.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

bool has_code_for(int major, int minor) { return major == 8 || (major == 9 && minor == 0); }

void require_usable(const std::vector<DeviceInfo>& visible, const std::string& why, int number) {
  require(number >= 0 && number < static_cast<int>(visible.size()), ExitCode::bad_configuration,
          "GPU {} is not there: {} visible{}; look at nvidia-smi and CUDA_VISIBLE_DEVICES, or run with "
          "model.device: cpu",
          number, visible.size(), why.empty() ? "" : " (" + why + ")");
  const DeviceInfo& device = visible[static_cast<std::size_t>(number)];
  require(has_code_for(device.major, device.minor), ExitCode::bad_configuration,
          "GPU {} ({}) has compute capability {}.{}; this program has code for {}: run with model.device: "
          "cpu, or on another GPU",
          number, device.name, device.major, device.minor, compiled_for);
}

const DeviceInfo& device_of_rank(const std::vector<DeviceInfo>& visible, const std::string& why,
                                 int rank_on_node) {
  require(!visible.empty(), ExitCode::bad_configuration,
          "model.device: cuda, but no GPU can be used: {}; look at nvidia-smi, CUDA_VISIBLE_DEVICES and the "
          "driver, or run with model.device: cpu",
          why);
  return visible[static_cast<std::size_t>(rank_on_node) % visible.size()];
}

}  // namespace mosaic::kernels
