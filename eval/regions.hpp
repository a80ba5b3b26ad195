#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

/// A part of the globe: latitude ranges times longitude ranges, inclusive at both ends [degrees]. Longitudes
/// are in 0 ... 360. Source: WeatherBench 2's boxes.
struct Region {
  using Range = std::pair<double, double>;

  std::string name;
  std::vector<Range> latitudes;   ///< a row is inside if any range holds it
  std::vector<Range> longitudes;  ///< likewise for a column
};

/// Every region the scores know: global, tropics, extra-tropics, the hemispheres and the boxes.
const std::vector<Region>& known_regions();

/// Errors: bad_configuration naming the unknown ones and the known ones.
std::vector<Region> regions_by_name(const std::vector<std::string>& names);

/// area_weights of the rows inside, 0 outside: weights of the whole grid, then cut. Shape: [lat].
std::vector<double> row_weights(const Region& region, const LatLonGrid& grid);

/// 1 for columns inside, 0 outside. Shape: [lon].
std::vector<std::uint8_t> columns_inside(const Region& region, const LatLonGrid& grid);

}  // namespace mosaic::eval
