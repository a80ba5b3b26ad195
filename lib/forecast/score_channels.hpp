#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "fields/channel.hpp"
#include "stores/field_store.hpp"

namespace mosaic {

/// Channels of all lists in order, each once. Errors: those of parse_channel().
ChannelSet parse_channels(const std::vector<const std::vector<std::string>*>& lists);

/// Every channel that the scores or the spectra need, each once.
ChannelSet scored_channels(const eval::ScoreOptions& score);

/// Errors: corrupt_input with the remedy unless the two are the same within 1e-3 degrees, as WeatherBench 2
/// allows. `path` and `what` name the owner of `other`.
void require_same_grid(const LatLonGrid& truth, const LatLonGrid& other, const std::string& path,
                       const std::string& what);

/// The fraction of land [lat, lon] of the truth, if a region needs it; else null. Errors: those of
/// FieldStore::read_static().
std::shared_ptr<const std::vector<float>> land_mask_for(const std::vector<eval::Region>& regions,
                                                        FieldStore& truth);

}  // namespace mosaic
