#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "stores/netcdf_chunks.hpp"
#include "stores/netcdf_forecast.hpp"

namespace mosaic {

/// The files of one initial time while they are written, under temporary names. Destroyed before commit():
/// nothing is left.
class ForecastOutput {
 public:
  /// Creates all files with headers and coordinates. Errors: cannot_create, io_error.
  ForecastOutput(const ForecastWriterOptions& options, std::vector<ForecastFile> files);
  ~ForecastOutput();
  ForecastOutput(const ForecastOutput&) = delete;
  ForecastOutput& operator=(const ForecastOutput&) = delete;

  /// Compresses and stores the fields of one lead. `fields`: [source, channel, lat, lon], sources as in
  /// ForecastVariable, channels as selected. Errors: io_error.
  void write_lead(std::size_t time_index, std::span<const float> fields, std::size_t channels,
                  std::size_t points);

  /// Closes, fsyncs and renames all files. Returns their sizes, summed. Errors: io_error.
  std::uint64_t commit();

 private:
  struct OpenFile {
    std::string path;       ///< final
    std::string temporary;  ///< while it is written
    ForecastFile contents;
    std::unique_ptr<ChunkedNetcdfFile> chunks;
  };
  /// One chunk to write.
  struct Task {
    ChunkedNetcdfFile* file;
    std::size_t variable;
    std::vector<std::size_t> offset;
    std::size_t first_value;
  };

  void create(OpenFile& file) const;
  std::vector<Task> tasks_of_lead(std::size_t time_index, std::size_t channels, std::size_t points) const;

  ForecastWriterOptions options_;
  std::vector<OpenFile> files_;
};

}  // namespace mosaic
