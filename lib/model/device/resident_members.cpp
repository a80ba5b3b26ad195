#include "model/device/resident_members.hpp"

#include "base/error.hpp"
#include "kernels/state_packing/state_packing_device.hpp"

namespace mosaic {

ResidentMembers::ResidentMembers(DeviceStep& step, int members, Duration model_step, Calendar calendar)
    : step_(step),
      model_step_(model_step),
      calendar_(calendar),
      members_(step, members),
      fetch_(members, static_cast<std::size_t>(step.network().config().channels), step.points()),
      counts_(static_cast<std::size_t>(members) * sizeof(std::int32_t)),
      host_counts_(counts_.bytes()) {}

void ResidentMembers::start(Time initial_time, std::span<const float> history) {
  members_.load_same(history);
  initial_time_ = initial_time;
  steps_done_ = 0;
}

void ResidentMembers::advance(std::span<const float> noise) {
  require(steps_done_ >= 0, "resident members: a step before the start");
  members_.advance(noise, advanced_phases(initial_time_, steps_done_, model_step_, calendar_),
                   steps_done_ == 0 ? Members::same : Members::different);
  ++steps_done_;
}

std::vector<bool> ResidentMembers::out_of_range(double reach) {
  const DeviceStates states = newest();
  kernels::StateRangeArgs args;
  args.members = members_.count();
  args.channels = step_.network().config().channels;
  args.points = static_cast<std::int64_t>(step_.points());
  args.states = states.first;
  args.member_stride = states.member_stride;
  args.mean = step_.mean();
  args.deviation = step_.deviation();
  args.reach = reach;
  args.counts = counts_.as<std::int32_t>();
  kernels::count_out_of_range(args, step_.stream());
  kernels::copy_to_host(host_counts_.bytes().data(), counts_.data(), counts_.bytes(), step_.stream());
  step_.stream().wait();
  std::vector<bool> out;
  for (const std::int32_t count : host_counts_.as<std::int32_t>()) {
    out.push_back(count > 0);
  }
  return out;
}

void ResidentMembers::fetch(int first_member, int members, std::span<const std::size_t> channels) {
  fetch_.queue(newest(), first_member, members, channels);
}

}  // namespace mosaic
