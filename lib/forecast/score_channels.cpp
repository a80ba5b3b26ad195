#include "forecast/score_channels.hpp"

#include <algorithm>

namespace mosaic {

ChannelSet parse_channels(const std::vector<const std::vector<std::string>*>& lists) {
  ChannelSet channels;
  for (const auto* names : lists) {
    for (const std::string& name : *names) {
      const Channel channel = parse_channel(name);
      if (std::find(channels.begin(), channels.end(), channel) == channels.end()) {
        channels.push_back(channel);
      }
    }
  }
  return channels;
}

ChannelSet scored_channels(const eval::ScoreOptions& score) {
  ChannelSet channels = score.channels;
  for (const Channel& channel : score.spectra_channels) {
    if (std::find(channels.begin(), channels.end(), channel) == channels.end()) {
      channels.push_back(channel);
    }
  }
  return channels;
}

}  // namespace mosaic
