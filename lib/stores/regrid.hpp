#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grid/lat_lon_grid.hpp"
#include "stores/field_store.hpp"

namespace mosaic {

/// `240x121`: longitudes x latitudes of a global grid that begins at longitude 0; an odd number of latitudes
/// has both poles, an even one neither. Errors: bad_configuration, quoting the text.
LatLonGrid parse_grid(std::string_view text);

/// What was written.
struct Regridded {
  std::size_t times = 0;
  ChannelSet channels;
  std::vector<std::string> statics;
  std::vector<std::string> left_out;  ///< `name (why)`: unknown variables, dimensions that are not supported
};

/// Brings every variable, level and time of a store, and its statics, to another grid by
/// ConservativeRegridding, one time after the other, and writes them as a Zarr v2 store in the WeatherBench 2
/// layout (see ZarrWriter). A store that was not finished has no .zmetadata. Errors: those of
/// open_field_store(), FieldStore::read() and ZarrWriter; corrupt_input if there is no time, nothing to
/// regrid, or if variables have different levels.
Regridded regrid_store(const std::string& input, const std::string& output, const LatLonGrid& grid,
                       const FieldStoreOptions& options);

}  // namespace mosaic
