#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "stores/axes.hpp"

namespace netCDF {
class NcFile;
}

namespace mosaic {

/// A gridded variable of a NetCDF file.
struct CatalogVariable {
  std::string name;             ///< in the file
  std::vector<AxisRole> roles;  ///< by dimension, slowest first
  std::vector<int> levels;      ///< [hPa] in stored order; of the scalar level coordinate if there is no axis
  double scale = 1.0;           ///< physical value = stored value * scale + offset
  double offset = 0.0;
  std::vector<double> missing;  ///< stored values of _FillValue and missing_value

  bool has_axis(AxisRole role) const;
};

/// What a NetCDF file holds, found by names and CF attributes of its coordinates: time or valid_time (a
/// dimension, a scalar, or along the step of cfgrib), level, isobaricInhPa, pressure_level (hPa or Pa),
/// latitude or lat, longitude or lon, number or realization. A forecast series over initial times is taken at
/// lead 0 if it has that, at its only lead otherwise.
struct NetcdfCatalog {
  std::string path;
  HorizontalAxes axes;
  std::vector<Time> times;  ///< valid times in stored order; empty if there are none
  std::size_t member = 0;   ///< index of the member that was asked for
  std::size_t lead = 0;     ///< index of the lead that is taken
  /// By WeatherBench name, or by the name in the file where the variable table does not know it.
  std::map<std::string, CatalogVariable> variables;
  std::string metadata;  ///< text that identifies the layout
};

/// Reads all coordinates; the caller holds a NetcdfLock. Errors: missing_input (coordinates, member),
/// corrupt_input; problems of the library are netCDF::exceptions::NcException.
NetcdfCatalog read_catalog(const std::string& path, const netCDF::NcFile& file,
                           std::optional<std::int64_t> member);

}  // namespace mosaic
