#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

/// Channels that are wanted of a store, and those that are read for them: a channel that the store has is
/// read, another one is derived from its sources (eval/derived_fields.hpp).
class DerivedChannels {
 public:
  /// `has`: what the store has. `levels` [hPa]: those that columns are made of. Sources are taken only where
  /// `may_use` allows it: a column of the forecast must have the levels of the truth's.
  DerivedChannels(const ChannelSet& wanted, std::shared_ptr<const LatLonGrid> grid,
                  const std::function<bool(const Channel&)>& has,
                  const std::function<bool(const Channel&)>& may_use, const std::vector<int>& levels);

  /// Wanted ones that can be neither read nor derived, by name.
  const std::vector<std::string>& missing() const { return missing_; }
  const ChannelSet& to_read() const { return to_read_; }
  /// Whether any is made of others.
  bool derives() const;
  /// One member or state from its channels. `field`: where a channel to read begins, [lat, lon]. Shape: [C
  /// wanted, lat, lon].
  std::vector<float> make(const std::function<const float*(const Channel&)>& field) const;
  /// Values of the channels to read to values of those wanted: [M, C read, lat, lon] -> [M, C wanted, lat,
  /// lon].
  std::vector<float> complete(std::vector<float> values, std::size_t members) const;

 private:
  struct Plan {
    Channel channel;
    ChannelSet sources;  ///< empty: read as it is
  };
  std::size_t place_of(const Channel& channel) const;

  std::shared_ptr<const LatLonGrid> grid_;
  std::vector<Plan> plans_;  // [C wanted]
  ChannelSet to_read_;
  std::vector<std::string> missing_;
};

}  // namespace mosaic
