#pragma once

#include <string>

#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

/// The values of metrics_document() or thresholds_document() one by one: metric, region, variable, level
/// [hPa], lead time [h], quantile (only the latter), value;
/// what is NaN because it does not exist is left out, as is level where there is none. Definitions, grid,
/// members and number of initial times come along: in the CSV as lines that begin with #, in the JSON as
/// "attributes".
std::string tidy_csv(const NetcdfDocument& metrics);
std::string tidy_json(const NetcdfDocument& metrics);

}  // namespace mosaic::eval
