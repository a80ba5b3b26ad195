#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

/// Scores at every point of a run, from its maps.nc.
struct RunMaps {
  ChannelSet channels;              // C
  std::vector<Duration> leads;      // L, ascending
  std::vector<std::string> scores;  // S, "bias" ...
  std::vector<double> latitude, longitude;
  std::vector<double> values;  // [C, L, S, lat, lon]

  /// Where the field [lat, lon] of a score begins. Errors: corrupt_input for a score that is not there.
  const double* field(std::size_t channel, std::size_t lead, const std::string& score) const;
};

/// Empty if the folder has no maps.nc. Errors: corrupt_input naming the file.
RunMaps read_maps(const std::string& folder);

/// The reverse of MapMean::document(). Errors: corrupt_input.
RunMaps maps_of(const NetcdfDocument& document);

/// Fields for the eye: equal cells between the outermost cell edges of the grid.
struct Raster {
  double west = 0, east = 0, south = 0, north = 0;  ///< edges [degrees]
  std::size_t columns = 0, rows = 0;
  std::vector<double> values;  ///< [row S->N][column W->E]; NaN where all points of the cell are

  double column_centre(std::size_t column) const {
    return west + (static_cast<double>(column) + 0.5) * (east - west) / static_cast<double>(columns);
  }
  double row_centre(std::size_t row) const {
    return south + (static_cast<double>(row) + 0.5) * (north - south) / static_cast<double>(rows);
  }
};

/// At most `most_columns` x `most_rows`: each cell is the mean of the points in it without NaN, or, where it
/// holds none, the nearest point. `field`: [lat, lon] on ascending axes.
Raster raster_of(const double* field, const std::vector<double>& latitude,
                 const std::vector<double>& longitude, std::size_t most_columns, std::size_t most_rows);

}  // namespace mosaic::eval
