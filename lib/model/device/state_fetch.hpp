#pragma once

#include <span>

#include "kernels/device/device.hpp"
#include "model/forecast_model.hpp"

namespace mosaic {

/// Copies fields from a device to the host beside the steps that follow: they are gathered in the order of
/// the steps, and travel on a stream of their own.
class StateFetch {
 public:
  /// Room for all fields of `members` members. Errors: bad_configuration where memory does not suffice.
  StateFetch(int members, std::size_t channels, std::size_t points);

  /// Queues a copy of the channels of `members` members from `first_member`. Errors: internal for members or
  /// channels that are not there, and while a copy has not been waited for.
  void queue(const DeviceStates& states, int first_member, int members,
             std::span<const std::size_t> channels);

  /// Waits for it. [members, channels, lat, lon], valid until the next queue().
  std::span<const float> wait();

 private:
  int members_;
  std::size_t channels_, points_;
  kernels::DeviceMemory gathered_;
  kernels::PinnedMemory host_;
  kernels::Stream stream_;
  std::size_t numbers_ = 0;  ///< of the latest copy
  bool pending_ = false;
};

}  // namespace mosaic
