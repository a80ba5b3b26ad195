#pragma once

#include <string_view>

#include "grid/lat_lon_grid.hpp"

namespace mosaic::world {

/// Errors: corrupt_input, saying what needs it, unless longitudes are uniform from 0 and latitudes symmetric
/// about the equator, within 1e-3 degrees.
void require_regular(const LatLonGrid& grid, std::string_view purpose);

}  // namespace mosaic::world
