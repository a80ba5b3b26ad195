#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace mosaic::kernels {
class Stream;
}

namespace mosaic::eval {

/// Members whose states lie in the memory of this thread's device, all channels of the model.
struct DeviceMembers {
  const float* first = nullptr;             ///< [C, lat, lon] of the first member
  std::int64_t stride = 0;                  ///< from one member to the next [numbers]
  const kernels::Stream* stream = nullptr;  ///< in which they are written
};

/// The forecast of a lead time: [C, lat, lon] of every member, on the host, in the memory of a device or in
/// both; which channels there are is agreed upon before.
struct EnsembleFields {
  EnsembleFields(std::vector<const float*> on_host,  // NOLINT(google-explicit-constructor)
                 std::optional<DeviceMembers> on_device = std::nullopt)
      : host(std::move(on_host)), device(on_device) {}

  std::vector<const float*> host;  ///< [M]; empty where no field is needed on the host
  std::optional<DeviceMembers> device;
};

}  // namespace mosaic::eval
