#include "eval/device_truth.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"

namespace mosaic::eval {

DeviceTruth::DeviceTruth(ChannelSet channels, std::size_t in_climatology, std::size_t points)
    : channels_(std::move(channels)), in_climatology_(in_climatology), points_(points) {
  const std::size_t numbers = (channels_.size() + in_climatology_) * points_;
  std::generate(sets_.begin(), sets_.end(), [numbers] { return Transfer<float>(numbers); });
}

void DeviceTruth::send(const DeviceScores::FieldOf& truth, const DeviceScores::FieldOf& climatology) {
  if (!sent_) {  // scores may read what was taken
    current_ = 1 - current_;
  }
  sent_ = false;
  stream_.wait();  // before pinned memory is written again
  float* target = set().host().data();
  for (const Channel& channel : channels_) {
    target = std::copy_n(truth(channel), points_, target);
  }
  for (std::size_t c = 0; c < in_climatology_; ++c) {
    const float* field = climatology(channels_[c]);
    // Anomalies from a field that is not there are NaN.
    target = field == nullptr ? std::fill_n(target, points_, std::numeric_limits<float>::quiet_NaN())
                              : std::copy_n(field, points_, target);
  }
  set().send(stream_);
  sent_ = true;
}

void DeviceTruth::take(const kernels::Stream& stream) {
  require(sent_, "scores on a device: no truth was sent");
  kernels::order_streams(stream_, stream);
  sent_ = false;
}

}  // namespace mosaic::eval
