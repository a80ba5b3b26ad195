#pragma once

#include <string>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "fields/channel.hpp"

namespace mosaic {

/// Channels of all lists in order, each once. Errors: those of parse_channel().
ChannelSet parse_channels(const std::vector<const std::vector<std::string>*>& lists);

/// Every channel that the scores or the spectra need, each once.
ChannelSet scored_channels(const eval::ScoreOptions& score);

}  // namespace mosaic
