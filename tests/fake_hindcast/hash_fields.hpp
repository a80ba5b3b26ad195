#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "stores/field_store.hpp"

namespace mosaic::test {

/// Bits that depend on every bit of both arguments (the finaliser of splitmix64, Steele et al. 2014).
std::uint64_t mixed(std::uint64_t bits, std::uint64_t more);

/// In [-1, 1).
double uniform(std::uint64_t bits);

/// A made-up climate of a channel, inside the bounds of the channel table; geopotential grows with height.
struct HashClimate {
  double mean = 0;
  double reach = 0;  ///< fields are mean +- reach
};
HashClimate climate_of(const Channel& channel);

/// Fields whose values are a hash of (variable, level, time, place): a swapped channel, level or date is
/// another field. Shape: [lat, lon] of hash_grid().
std::vector<float> hash_field(const Channel& channel, Time time);

/// 24 longitudes x 13 latitudes with poles.
std::shared_ptr<const LatLonGrid> hash_grid();

/// What is scored by default; the null model's channels.
std::shared_ptr<const ChannelSet> hash_channels();

/// hash_field() as a store without files.
class HashFields : public FieldStore {
 public:
  /// `times`: those that the store has, ascending.
  explicit HashFields(std::vector<Time> times);
  bool has(const Channel& channel) const override;
  State read(Time time, const std::shared_ptr<const ChannelSet>& channels) override;
  std::vector<float> read_static(const std::string& variable) override;
};

}  // namespace mosaic::test
