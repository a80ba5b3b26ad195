#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "grid/lat_lon_grid.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::eval {

/// Which part of a cell counts.
enum class Surface {
  all,
  land,      ///< its fraction of land: WeatherBench 2's land regions
  any_land,  ///< all of it where there is any land: WeatherBench-X's land regions
};

/// A part of the globe: latitude ranges times longitude ranges, inclusive at both ends [degrees], times a
/// surface. Longitudes are in 0 ... 360. Source: WeatherBench 2's boxes and five more of WeatherBench-X.
struct Region {
  using Range = std::pair<double, double>;

  std::string name;
  std::vector<Range> latitudes;   ///< a row is inside if any range holds it
  std::vector<Range> longitudes;  ///< likewise for a column
  Surface surface = Surface::all;
};

/// Every box the scores know by name: global, tropics, extra-tropics, the hemispheres, continents and oceans.
const std::vector<Region>& known_regions();

/// A known box; with `_land` or `_any_land` behind it, its land; or a box of one's own,
/// NAME=SOUTH:NORTH:WEST:EAST [degrees], WEST > EAST for a box over the meridian of 0; or
/// latitude-bins:DEGREES and boxes:DEGREES, parts of the globe that share no point: latitude_-90_-80, ...,
/// box_-90_-60_0_30 (south, north, west, east), .... Errors:
/// bad_configuration naming the unknown ones and the known ones.
std::vector<Region> regions_by_name(const std::vector<std::string>& names);

/// Where the region's values count: area_weights of the rows inside (weights of the whole grid, then cut), 0
/// outside; columns; cells by surface. `land_mask`: fraction of land [lat, lon], may be null where no region
/// needs it. Errors: bad_configuration if it is needed and null; corrupt_input if it holds a NaN.
kernels::AreaMask area_mask(const Region& region, const LatLonGrid& grid,
                            const std::shared_ptr<const std::vector<float>>& land_mask);

}  // namespace mosaic::eval
