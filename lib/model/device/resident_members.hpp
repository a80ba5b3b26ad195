#pragma once

#include "model/device/device_members.hpp"
#include "model/device/state_fetch.hpp"

namespace mosaic {

/// The ensemble that stays on the device of a DeviceStep, which must live longer.
class ResidentMembers : public ResidentEnsemble {
 public:
  /// Errors: those of DeviceMembers and StateFetch.
  ResidentMembers(DeviceStep& step, int members, Duration model_step, Calendar calendar);

  void start(Time initial_time, std::span<const float> history) override;
  void advance(std::span<const float> noise) override;
  std::vector<bool> out_of_range(double reach) override;
  DeviceStates newest() const override { return members_.newest(); }
  void fetch(int first_member, int members, std::span<const std::size_t> channels) override;
  std::span<const float> fetched() override { return fetch_.wait(); }

 private:
  DeviceStep& step_;
  Duration model_step_;
  Calendar calendar_;
  DeviceMembers members_;
  StateFetch fetch_;
  kernels::DeviceMemory counts_;  ///< [M] int32, values out of range
  kernels::PinnedMemory host_counts_;
  Time initial_time_;
  int steps_done_ = -1;  ///< before the first start
};

}  // namespace mosaic
