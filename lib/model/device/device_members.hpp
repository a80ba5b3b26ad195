#pragma once

#include <span>
#include <vector>

#include "model/device/device_step.hpp"
#include "model/forecast_model.hpp"
#include "model/time_features.hpp"

namespace mosaic {

/// Members whose histories lie in a device's memory, advanced chunk by chunk. Letters: M members (whole
/// chunks), T history, C channels.
class DeviceMembers {
 public:
  /// Errors: internal if `members` are no whole chunks; bad_configuration where memory does not suffice.
  DeviceMembers(DeviceStep& step, int members);

  /// Copies histories [M, T, C, lat, lon] (physical units, oldest first) to the device, or one [T, C, lat,
  /// lon] for all members. Returns when they have been read.
  void load(std::span<const float> histories);
  void load_same(std::span<const float> history);

  /// Queues a step of all chunks, one after the other; noise [M, noise width] or empty; `phases` of the
  /// newest input state; `members` are the same only where their histories are. Waits for nothing but the
  /// step before the last.
  void advance(std::span<const float> noise, const TimePhases& phases, Members members,
               const DeviceObserver* observer = nullptr);

  DeviceStates newest() const;
  int count() const { return members_; }

 private:
  void put_input(std::span<const float> noise, const TimePhases& phases);

  DeviceStep& step_;
  int members_;
  std::size_t window_;            ///< numbers of a history
  kernels::DeviceMemory states_;  ///< [M, T, C, lat, lon]
  kernels::DeviceMemory input_;   ///< of a step: time features [4], noise [M, noise width]
  kernels::PinnedMemory host_input_;
  kernels::Stream input_stream_;
  std::vector<DeviceChunk> chunks_;
};

}  // namespace mosaic
