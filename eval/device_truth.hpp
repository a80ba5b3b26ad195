#pragma once

#include <array>

#include "eval/device_scores.hpp"
#include "eval/device_transfers.hpp"
#include "fields/channel.hpp"

namespace mosaic::eval {

/// What forecasts are compared with, on its way to the device: of one lead time after another the truth of
/// every scored channel and the climatology of some. While scores read one lead's fields the next one's are
/// sent, beside whatever the device does.
class DeviceTruth {
 public:
  /// `channels`: the truth's; the climatology has the first `in_climatology` of them.
  DeviceTruth(ChannelSet channels, std::size_t in_climatology, std::size_t points);

  /// Sends a lead's fields; returns when `truth` and `climatology` have been read. Those of an earlier call
  /// that nobody took are forgotten.
  void send(const DeviceScores::FieldOf& truth, const DeviceScores::FieldOf& climatology);

  /// What was sent last is there for all later work in `stream`, until the next but one is sent: what reads
  /// it must be done by then.
  void take(const kernels::Stream& stream);

  /// [lat, lon] of the channel at a place of `channels`, and of all behind it; of what was taken last.
  const float* truth(std::size_t place) const { return set().device() + place * points_; }
  /// [in_climatology, lat, lon] NaN where there is none; null without climatology.
  const float* climatology() const { return in_climatology_ == 0 ? nullptr : truth(channels_.size()); }

 private:
  const Transfer<float>& set() const { return sets_[current_]; }

  ChannelSet channels_;
  std::size_t in_climatology_, points_;
  std::array<Transfer<float>, 2> sets_;
  std::size_t current_ = 0;
  bool sent_ = false;
  kernels::Stream stream_;
};

}  // namespace mosaic::eval
