#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"
#include "stores/gridded_arrays.hpp"

namespace mosaic {

struct ClimatologyOptions {
  int threads = 1;                    ///< chunk decoding
  bool allow_missing_chunks = false;  ///< an absent chunk whose fill value is not NaN is the fill value
  bool verify_checksums = false;      ///< compare all that is read with the checksum manifest
  /// Name in the file -> name of axis_names(), WeatherBench name (with _std or _quantile where it is that).
  std::map<std::string, std::string> rename;
};

/// mean is the variable VAR, or VAR_mean where there is no VAR; deviation is VAR_std; quantile VAR_quantile.
enum class ClimatologyPart { mean, deviation, quantile };

/// What a store keeps of chunks that hold several days and hours. A larger request is read without keeping
/// anything.
constexpr std::size_t climatology_cache_bytes = std::size_t{512} << 20;

/// A climatology in the WeatherBench 2 layout, Zarr v2 or NetCDF: dayofyear (1 ... 366), [hour], [quantile],
/// [level], latitude, longitude in any order. Fields come south-north, 0..360, physical, float32; an absent
/// chunk whose fill value is NaN gives NaN. A store without `hour` has one field a day, whatever the hour.
/// One call at a time.
class ClimatologyStore {
 public:
  /// Reads all coordinates. Errors: missing_input naming what is absent, corrupt_input.
  ClimatologyStore(const std::string& path, const ClimatologyOptions& options);

  const std::string& path() const { return arrays_.path(); }
  const LatLonGrid& grid() const { return arrays_.axes().grid; }
  /// A sha256 over metadata and coordinates, hex.
  const std::string& identity() const { return identity_; }
  /// As stored; empty if the store has days only.
  const std::vector<int>& hours() const { return hours_; }
  const std::vector<int>& days_of_year() const { return days_; }
  /// Stored quantiles (0 ... 1), in stored order; empty if there are none.
  const std::vector<double>& quantiles() const { return quantiles_; }
  bool has(const Channel& channel, ClimatologyPart part) const;
  /// All channels with this part.
  ChannelSet channels(ClimatologyPart part) const;

  /// `part`: mean or deviation. Shape: [C, lat, lon]. Errors: missing_input naming everything that is absent
  /// (day, hour, variables, levels, chunks) and what is stored, corrupt_input.
  std::vector<float> read(int day_of_year, int hour, const ChannelSet& channels, ClimatologyPart part);

  /// The stored quantile nearest to `quantile`, within 0.01. Shape: [lat, lon]. Errors as read().
  std::vector<float> read_quantile(int day_of_year, int hour, const Channel& channel, double quantile);

  /// Whether a file has a dimension of days of the year.
  static bool is_climatology(const GriddedArrays& arrays);

 private:
  std::vector<int> whole_numbers(const std::string& axis, int lowest, int highest);
  void find_axes();
  Channel stored_channel(const Channel& channel, ClimatologyPart part) const;
  std::string obstacle(const Channel& channel, ClimatologyPart part) const;
  std::vector<float> read_at(int day_of_year, int hour, const ChannelSet& channels, ClimatologyPart part,
                             FieldPlace place, std::vector<std::string> missing);

  ClimatologyOptions options_;
  GriddedArrays arrays_;
  std::vector<int> hours_;
  std::vector<int> days_;
  std::vector<double> quantiles_;
  std::string identity_;
  BoxCache cache_{climatology_cache_bytes};
};

}  // namespace mosaic
