#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "fields/channel.hpp"
#include "kernels/seeps/seeps.hpp"

namespace mosaic::eval {

/// Which precipitation is scored by SEEPS.
struct SeepsOptions {
  ChannelSet channels;  ///< of the scored ones, those for which the climatology has what is needed
  kernels::SeepsVariant variant = kernels::SeepsVariant::corrected;
};

/// Area means: of the members' scores the mean, and the score of the forecast that is the members' mean.
using SeepsMeans = std::array<double, 2>;

/// SEEPS of one initial time, with its axis.
struct SeepsSums {
  ChannelSet channels;            // E
  std::vector<SeepsMeans> means;  // [L, E, R]

  std::size_t offset(std::size_t lead, std::size_t channel, std::size_t regions) const {
    return (lead * channels.size() + channel) * regions;
  }
};

}  // namespace mosaic::eval
