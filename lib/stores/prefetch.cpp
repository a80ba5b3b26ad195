#include "stores/prefetch.hpp"

#include <filesystem>
#include <utility>

#include "base/error.hpp"
#include "base/standard_exceptions.hpp"

namespace mosaic {

void ReadAhead::request(std::vector<Time> times, std::shared_ptr<const ChannelSet> channels) {
  require(!pending(), "a read-ahead of {} is still under way", store_.path());
  states_ = std::async(std::launch::async, [this, times = std::move(times), channels = std::move(channels)] {
    std::vector<State> states;
    states.reserve(times.size());
    for (const Time time : times) {
      states.push_back(store_.read(time, channels));
    }
    return states;
  });
}

std::vector<State> ReadAhead::take() {
  require(pending(), "no read-ahead of {} was requested", store_.path());
  try {
    return states_.get();
  } catch (const std::filesystem::filesystem_error& problem) {
    throw as_error(problem);
  }
}

}  // namespace mosaic
