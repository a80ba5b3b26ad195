#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

/// Channels on a grid at a time, in physical units. Layout: [channel][lat S->N][lon 0->360) float32.
struct State {
  Time time;
  std::shared_ptr<const LatLonGrid> grid;
  std::shared_ptr<const ChannelSet> channels;
  std::vector<float> values;  // [C, lat, lon]

  std::span<float> field(std::size_t channel) {
    return std::span(values).subspan(channel * grid->points(), grid->points());
  }
  std::span<const float> field(std::size_t channel) const {
    return std::span(values).subspan(channel * grid->points(), grid->points());
  }
};

}  // namespace mosaic
