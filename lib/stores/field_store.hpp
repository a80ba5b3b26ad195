#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "fields/state.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

struct FieldStoreOptions {
  int threads = 1;  ///< chunk decoding
  bool allow_missing_chunks =
      false;  ///< an absent chunk whose fill value is not NaN is the fill value, not an error
  std::optional<std::int64_t>
      member;  ///< for stores with a `number`/`realization` dimension: which coordinate value
  bool verify_checksums = false;  ///< compare all that is read with the checksum manifest of the store
  /// What a Zarr store keeps of decoded chunks that hold several times [bytes]: worth it for reading times in
  /// order; 0 reads the one time out of the chunk.
  std::size_t chunk_cache = 0;
  bool frozen_state = false;  ///< every time is answered with the store's only state: for demonstrations
};

/// What a store holds.
struct StoreContents {
  ChannelSet channels;               ///< by time, for read(); names may be unknown to the table of variables
  std::vector<std::string> statics;  ///< without time, for read_static()
  std::vector<std::string> others;   ///< gridded variables that neither can read: `name (why)`
};

/// Gridded fields by time, whatever the file format. Latitudes are brought to south-north and longitudes to
/// 0..360 by coordinate value; values are physical (scale_factor and add_offset applied), float32.
class FieldStore {
 public:
  virtual ~FieldStore() = default;
  FieldStore& operator=(const FieldStore&) = delete;

  const std::string& path() const { return path_; }
  const LatLonGrid& grid() const { return *grid_; }
  /// Valid times, ascending.
  const std::vector<Time>& times() const { return times_; }
  /// What identifies the data for a resume: a sha256 over all metadata (layout, coordinates, shapes), hex.
  const std::string& identity() const { return identity_; }
  /// Whether read() has an answer for `time`: it is one of times(), or the store is frozen.
  virtual bool has_time(Time time) const { return std::binary_search(times().begin(), times().end(), time); }
  virtual bool has(const Channel& channel) const = 0;
  /// Variable by variable, levels ascending. Errors: internal for a kind of store that cannot list what it
  /// holds (one without files).
  virtual StoreContents contents() const;

  /// Reads `channels` at `time`; state.values is [C, lat, lon]. Errors: missing_input naming everything that
  /// is absent (time, variables, levels, chunks), corrupt_input for damaged chunks. NaN passes through.
  virtual State read(Time time, const std::shared_ptr<const ChannelSet>& channels) = 0;

  /// A field without time (statics such as land_sea_mask). Shape: [lat, lon]. Errors as read().
  virtual std::vector<float> read_static(const std::string& variable) = 0;

 protected:
  explicit FieldStore(std::string path) : path_(std::move(path)) {}
  FieldStore(const FieldStore&) = default;

  // Filled by the constructors of the formats.
  std::string path_;
  std::shared_ptr<const LatLonGrid> grid_;
  std::vector<Time> times_;
  std::string identity_;
};

/// Opens a Zarr v2 directory store in the WeatherBench2 layout, or one NetCDF-4 file, or several (a glob
/// pattern with * or a list separated by commas). Errors: missing_input, corrupt_input (also for frozen_state
/// with a store of several times).
std::unique_ptr<FieldStore> open_field_store(const std::string& path, const FieldStoreOptions& options);

}  // namespace mosaic
