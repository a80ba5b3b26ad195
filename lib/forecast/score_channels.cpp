#include "forecast/score_channels.hpp"

#include <algorithm>

#include "base/error.hpp"

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

void require_same_grid(const LatLonGrid& truth, const LatLonGrid& other, const std::string& path,
                       const std::string& what) {
  constexpr double tolerance = 1e-3;  // [degrees]
  require(nearly_equal(truth, other, tolerance), ExitCode::corrupt_input,
          "{}: the {} is on another grid ({}) than the truth ({}); bring one to the other's with mosaic_data "
          "regrid",
          path, what, to_string(other), to_string(truth));
}

std::shared_ptr<const std::vector<float>> land_mask_for(const std::vector<eval::Region>& regions,
                                                        FieldStore& truth) {
  const bool needed = std::any_of(regions.begin(), regions.end(), [](const eval::Region& region) {
    return region.surface != eval::Surface::all;
  });
  return needed ? std::make_shared<const std::vector<float>>(truth.read_static("land_sea_mask")) : nullptr;
}

}  // namespace mosaic
