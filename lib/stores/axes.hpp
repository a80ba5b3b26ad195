#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "grid/lat_lon_grid.hpp"

namespace mosaic {

/// What an axis of a gridded variable stands for.
enum class AxisRole {
  time,  ///< of states: valid times; of forecasts: initial times
  lead,
  member,
  level,
  latitude,
  longitude,
  hour,         ///< of the day, in climatologies
  day_of_year,  ///< 1 ... 366, in climatologies
  quantile,     ///< in climatologies
  single        ///< one value without a meaning
};

/// Longest coordinate that is believed.
constexpr std::size_t longest_coordinate = 10'000'000;

/// Names that coordinates of this role have in files, the usual first; for time those of initial times.
const std::vector<std::string>& axis_names(AxisRole role);
bool is_axis_name(AxisRole role, const std::string& name);

/// A regular grid and where its rows and columns lie in a file.
struct HorizontalAxes {
  LatLonGrid grid;                            ///< south-north, 0 ... 360
  std::vector<std::size_t> stored_latitude;   ///< grid row -> index in the file
  std::vector<std::size_t> stored_longitude;  ///< grid column -> index in the file

  friend bool operator==(const HorizontalAxes&, const HorizontalAxes&) = default;

  /// Copies one field to `field` ([lat, lon] of the grid). `stored` points at the stored latitude 0 and
  /// longitude 0, whose neighbours are the strides away.
  void gather(const float* stored, std::size_t latitude_stride, std::size_t longitude_stride,
              float* field) const;
};

/// Brings coordinates in degrees, in any order, to south-north and 0 ... 360. `where` names the file. Errors:
/// corrupt_input for values that are not finite, outside -90 ... 90 or -360 ... 720, or occur twice, and for
/// a grid of more than 2^31 points.
HorizontalAxes normalise_axes(const std::string& where, const std::vector<double>& latitude,
                              const std::vector<double>& longitude);

/// Pressure levels [hPa] in stored order. `units` is a name of hPa, Pa or empty (hPa); `where` names file and
/// coordinate. Errors: corrupt_input for other units, values that are no whole hPa below 2000, and
/// repetitions.
std::vector<int> decode_levels(const std::vector<double>& values, const std::string& units,
                               const std::string& where);

}  // namespace mosaic
