#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"
#include "stores/zarr.hpp"

namespace mosaic::test {

/// A forecast or truth store of the golden set. What it holds and in which order its dimensions lie is read
/// from the store.
class GoldenStore {
 public:
  explicit GoldenStore(const std::filesystem::path& path);

  std::shared_ptr<const LatLonGrid> grid;
  std::vector<Time> times;      ///< initial times of a forecast, valid times of a truth
  std::vector<Duration> leads;  ///< empty for a truth
  std::size_t members = 1;      ///< 1 where there is no member dimension
  ChannelSet channels;          ///< all that depend on time

  std::size_t time_index(Time time) const;
  /// All members at a time (and lead): [M, latitude, longitude].
  std::vector<float> read(const Channel& channel, std::size_t time, std::size_t lead = 0) const;

 private:
  ZarrStore store_;
  std::vector<std::int64_t> levels_;
};

}  // namespace mosaic::test
