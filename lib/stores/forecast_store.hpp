#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

struct ForecastStoreOptions {
  int threads = 1;                    ///< chunk decoding
  bool allow_missing_chunks = false;  ///< an absent chunk whose fill value is not NaN is the fill value
  bool verify_checksums = false;      ///< compare all that is read with the checksum manifests
  /// Members to take, by the value of their coordinate, in this order; empty: all, as stored (members that
  /// are spread over files: ascending).
  std::vector<std::int64_t> members;
  /// Name in the file -> WeatherBench name, of variables and dimensions: {"Z500", "geopotential"},
  /// {"init", "time"}.
  std::map<std::string, std::string> rename;
};

/// Forecasts by initial time and lead time, whatever the file format. Latitudes are brought to south-north
/// and longitudes to 0..360 by coordinate value; values are physical (scale_factor and add_offset applied),
/// float32. Files need not hold every initial time, lead and member: has_time() tells.
class ForecastStore {
 public:
  virtual ~ForecastStore() = default;
  ForecastStore(const ForecastStore&) = delete;
  ForecastStore& operator=(const ForecastStore&) = delete;

  const std::string& path() const { return path_; }
  const LatLonGrid& grid() const { return *grid_; }
  /// What identifies the data for a resume: a sha256 over all metadata (layout, coordinates, shapes) and the
  /// chosen members, hex.
  const std::string& identity() const { return identity_; }
  /// Ascending; those of all files.
  const std::vector<Time>& initial_times() const { return initial_times_; }
  /// Ascending; those of all initial times.
  const std::vector<Duration>& leads() const { return leads_; }
  /// Those that read() returns, in its order; {0} where the files number none.
  const std::vector<std::int64_t>& member_numbers() const { return member_numbers_; }
  int members() const { return static_cast<int>(member_numbers_.size()); }
  /// Whether all members are there at this initial time and lead.
  virtual bool has_time(Time initial_time, Duration lead) const = 0;
  /// Whether read() knows the channel, at every time that is there.
  virtual bool has(const Channel& channel) const = 0;
  /// Channels that has() answers with yes: variables by name, levels as stored.
  virtual ChannelSet channels() const = 0;

  /// All members at one initial time and lead: [M, C, lat, lon]. Reads the chosen levels and members only,
  /// every chunk once; where a chunk holds several leads they are kept for the next call (at most
  /// forecast_cache_bytes). One call at a time. NaN passes through. Errors: missing_input naming everything
  /// that is absent (initial time, lead, members, variables, levels, chunks), corrupt_input.
  virtual std::vector<float> read(Time initial_time, Duration lead, const ChannelSet& channels) = 0;

 protected:
  explicit ForecastStore(std::string path) : path_(std::move(path)) {}

  // Filled by the constructors of the formats.
  std::string path_;
  std::shared_ptr<const LatLonGrid> grid_;
  std::vector<Time> initial_times_;
  std::vector<Duration> leads_;
  std::vector<std::int64_t> member_numbers_;
  std::string identity_;
};

/// What a store keeps of chunks that hold several leads. A larger request is read without keeping anything.
constexpr std::size_t forecast_cache_bytes = std::size_t{256} << 20;

/// Opens forecasts: one path, a glob pattern with * or a list separated by commas, of
///  - Zarr v2 stores and NetCDF files over initial time, [member], lead time, [level], latitude, longitude in
///    any order, with the names of axis_names(), variables with WeatherBench or CF short names;
///  - NetCDF files of this suite (ForecastWriter, both layouts and namings), or the folder of a run with
///  them;
///  - `.npz` files of Mosaic's published inference script.
/// Opening reads coordinates only. NetCDF from elsewhere: probe_forecasts() first. Errors: missing_input;
/// corrupt_input, among them an initial time, lead and member that is stored twice.
std::unique_ptr<ForecastStore> open_forecast_store(const std::string& path,
                                                   const ForecastStoreOptions& options);

/// The files that such a path stands for. Errors: missing_input.
std::vector<std::string> forecast_files(const std::string& path);

}  // namespace mosaic
