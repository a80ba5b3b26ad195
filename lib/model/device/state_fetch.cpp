#include "model/device/state_fetch.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// Behind the channels that follow the one at `first` without a gap.
std::size_t end_of_run(std::span<const std::size_t> channels, std::size_t first) {
  std::size_t end = first + 1;
  while (end < channels.size() && channels[end] == channels[end - 1] + 1) {
    ++end;
  }
  return end;
}

}  // namespace

StateFetch::StateFetch(int members, std::size_t channels, std::size_t points)
    : members_(members),
      channels_(channels),
      points_(points),
      gathered_(static_cast<std::size_t>(members) * channels * points * sizeof(float)),
      host_(gathered_.bytes()) {}

void StateFetch::queue(const DeviceStates& states, int first_member, int members,
                       std::span<const std::size_t> channels) {
  require(!pending_, "state fetch: the copy before has not been waited for");
  require(first_member >= 0 && members >= 0 && first_member + members <= members_,
          "state fetch: members {} to {} of {}", first_member, first_member + members, members_);
  require(channels.size() <= channels_ &&
              std::all_of(channels.begin(), channels.end(), [&](std::size_t c) { return c < channels_; }),
          "state fetch: {} channels, some beyond the {} of a state", channels.size(), channels_);
  float* to = gathered_.as<float>();
  for (int member = first_member; member < first_member + members; ++member) {
    const float* state = states.first + member * states.member_stride;
    for (std::size_t first = 0, end = 0; first < channels.size(); first = end) {
      end = end_of_run(channels, first);
      const std::size_t numbers = (end - first) * points_;
      kernels::copy_on_device(to, state + channels[first] * points_, numbers * sizeof(float), *states.stream);
      to += numbers;
    }
  }
  numbers_ = static_cast<std::size_t>(to - gathered_.as<float>());
  kernels::order_streams(*states.stream, stream_);
  kernels::copy_to_host(host_.bytes().data(), gathered_.data(), numbers_ * sizeof(float), stream_);
  pending_ = true;
}

std::span<const float> StateFetch::wait() {
  require(pending_, "state fetch: nothing was asked for");
  stream_.wait();
  pending_ = false;
  return host_.as<float>().first(numbers_);
}

}  // namespace mosaic
