#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fields/state.hpp"
#include "stores/zarr_folder.hpp"

namespace mosaic {

struct ZarrWriterOptions {
  BloscCompressor compressor = BloscCompressor::lz4;
  ExistingStore existing = ExistingStore::refuse;
  ChunkSync sync = ChunkSync::each;
  std::map<std::string, std::string> attributes;  ///< of the group: title, source, license, ...
};

/// Writes fields by time as a Zarr v2 directory store in the WeatherBench2 layout: float32 variables over
/// (time, level, longitude, latitude) or (time, longitude, latitude), one chunk per variable and time, blosc
/// level 5 with byte shuffle, fill value NaN. Every file appears whole or not at all; .zgroup and .zmetadata
/// are written last, by close(), so that a store without them is unfinished.
class ZarrWriter {
 public:
  /// Creates the folder, the coordinates and the metadata of all variables. `times` ascend strictly; all
  /// variables with levels have the same levels. Errors: those of ZarrFolder; internal for channels that
  /// do not form such a table or are not known.
  ZarrWriter(std::string path, std::shared_ptr<const LatLonGrid> grid,
             std::shared_ptr<const ChannelSet> channels, std::vector<Time> times,
             ZarrWriterOptions options = {});

  /// Writes the chunks of one time. Errors: io_error; internal if the state has other channels or grid, or a
  /// time that was not announced. May be called for different times at once.
  void write(const State& state) const;

  /// A field without time; shape: [lat, lon]. Without attributes those of the table of variables are taken.
  /// Errors: io_error, internal for a wrong size or a variable that is not in the table.
  void write_static(const std::string& variable, std::span<const float> field,
                    std::map<std::string, std::string> attributes = {});

  /// Writes .zgroup and .zmetadata. Errors: io_error.
  void close();

 private:
  /// A variable and its channels in the order of levels_; one channel if it has no levels.
  struct Variable {
    std::string name;
    bool has_levels = false;
    std::vector<std::size_t> channels;
  };

  void make_variables();
  void write_coordinates();

  std::string path_;
  std::shared_ptr<const LatLonGrid> grid_;
  std::shared_ptr<const ChannelSet> channels_;
  std::vector<Time> times_;
  ZarrWriterOptions options_;
  std::vector<int> levels_;  ///< [hPa] ascending
  std::vector<Variable> variables_;
  std::optional<ZarrFolder> folder_;  ///< made once the channels are known to be a table
};

}  // namespace mosaic
