#include "model/device/device_members.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mosaic {

namespace {

constexpr std::size_t time_numbers = 4;

}  // namespace

DeviceMembers::DeviceMembers(DeviceStep& step, int members)
    : step_(step),
      members_(members),
      window_(static_cast<std::size_t>(step.network().config().history) * step.state_size()) {
  const NetworkConfig& config = step.network().config();
  const int chunk = step.network().options().chunk;
  require(members > 0 && members % chunk == 0, "device members: {} are no whole chunks of {}", members,
          chunk);
  const std::size_t draws =
      config.noise == NoiseKind::none ? 0 : static_cast<std::size_t>(members * config.noise_width);
  states_ = kernels::DeviceMemory(static_cast<std::size_t>(members) * window_ * sizeof(float));
  input_ = kernels::DeviceMemory((time_numbers + draws) * sizeof(float));
  host_input_ = kernels::PinnedMemory(input_.bytes());
  for (int first = 0; first < members; first += chunk) {
    DeviceChunk& part = chunks_.emplace_back();
    part.states = states_.as<float>() + static_cast<std::size_t>(first) * window_;
    part.time = input_.as<float>();
    part.noise = draws == 0 ? nullptr : input_.as<float>() + time_numbers + first * config.noise_width;
  }
}

void DeviceMembers::load(std::span<const float> histories) {
  require(histories.size_bytes() == states_.bytes(), "device members: histories of {} values, expected {}",
          histories.size(), states_.bytes() / sizeof(float));
  kernels::copy_to_device(states_.data(), histories.data(), states_.bytes(), step_.stream());
  step_.stream().wait();
}

void DeviceMembers::load_same(std::span<const float> history) {
  require(history.size() == window_, "device members: a history of {} values, expected {}", history.size(),
          window_);
  kernels::copy_to_device(states_.data(), history.data(), history.size_bytes(), step_.stream());
  for (int member = 1; member < members_; ++member) {
    kernels::copy_on_device(states_.as<float>() + static_cast<std::size_t>(member) * window_, states_.data(),
                            history.size_bytes(), step_.stream());
  }
  step_.stream().wait();
}

void DeviceMembers::advance(std::span<const float> noise, const TimePhases& phases, Members members,
                            const DeviceObserver* observer) {
  put_input(noise, phases);
  for (DeviceChunk& chunk : chunks_) {
    step_.advance(chunk, members, observer);
  }
}

/// On a stream of its own: the host then waits for this copy (that is, until the step before could be read),
/// and not for the step that follows it.
void DeviceMembers::put_input(std::span<const float> noise, const TimePhases& phases) {
  const std::span<float> input = host_input_.as<float>();
  require(noise.size() == input.size() - time_numbers, "device members: {} noise draws, expected {}",
          noise.size(), input.size() - time_numbers);
  input_stream_.wait();
  const auto time = time_features(phases);
  std::copy(noise.begin(), noise.end(), std::copy(time.begin(), time.end(), input.begin()));
  kernels::order_streams(step_.stream(), input_stream_);  // the step before reads the device's copy
  kernels::copy_to_device(input_.data(), input.data(), input_.bytes(), input_stream_);
  kernels::order_streams(input_stream_, step_.stream());
}

DeviceStates DeviceMembers::newest() const {
  return {states_.as<float>() + (window_ - step_.state_size()), static_cast<std::int64_t>(window_),
          &step_.stream()};
}

}  // namespace mosaic
