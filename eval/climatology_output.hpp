#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

enum class ClimatologyStatistic {
  mean,       ///< VAR
  deviation,  ///< VAR_std
  quantile,   ///< VAR_quantile
  seeps       ///< VAR_seeps_threshold, VAR_seeps_dry_fraction, of precipitation of 24 and 6 hours
};

/// Below this [m] precipitation of a variable counts as dry in SEEPS: 0.25 mm in 24 hours, 0.1 mm in 6 hours.
/// Nothing for other variables. Source: WeatherBench 2.
std::optional<double> dry_threshold(const std::string& variable);

/// One field by day of the year that is made of a channel at an hour.
struct ClimatologyField {
  ClimatologyStatistic statistic = ClimatologyStatistic::mean;
  std::string suffix;                   ///< of the name of the variable
  std::optional<std::size_t> quantile;  ///< index in the quantiles
};

/// What a climatology is to hold.
struct ClimatologyContents {
  std::shared_ptr<const LatLonGrid> grid;
  std::vector<int> hours;
  ChannelSet channels;  ///< variable by variable; all variables with levels have the same
  std::set<ClimatologyStatistic> statistics;
  std::vector<double> quantiles;
  std::size_t window = 61;
  std::vector<int> years;
  std::size_t missing_times = 0;
  std::string source;

  /// Pressure levels [hPa], ascending.
  std::vector<int> levels() const;
  /// In the order of the statistics.
  std::vector<ClimatologyField> fields(const std::string& variable) const;
  /// Days of the year in a chunk: as many as make about 8 MiB of the whole grid, 1 ... 366.
  std::size_t chunk_days() const;
  std::size_t chunk_count() const;
};

/// Writes a climatology as a Zarr v2 store in the layout of WeatherBench 2: [quantile], hour, dayofyear,
/// [level], longitude, latitude; a chunk has one hour, level and quantile and some days. Several ranks may
/// write chunks. The store grows under another name, `path`.unfinished, and gets its own in finish(): what is
/// called `path` is complete.
class ClimatologyOutput {
 public:
  ClimatologyOutput(std::string path, ClimatologyContents contents);

  /// Makes the folder with all but the chunks; by one rank, before the others write. Errors: cannot_create if
  /// `path` or the unfinished store exists.
  void create() const;
  /// The days [d, points] of chunk `chunk` (the last has fewer) of a field of a channel at an hour.
  /// Errors: io_error.
  void write(const Channel& channel, const ClimatologyField& field, std::size_t hour, std::size_t chunk,
             std::span<const float> values) const;
  /// By one rank, after all. Errors: io_error.
  void finish() const;
  /// Removes the unfinished store, silently if it cannot.
  void discard() const;

  const ClimatologyContents& contents() const { return contents_; }

 private:
  std::string unfinished() const { return path_ + ".unfinished"; }

  std::string path_;
  ClimatologyContents contents_;
};

}  // namespace mosaic::eval
