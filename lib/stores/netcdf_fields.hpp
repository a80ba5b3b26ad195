#pragma once

#include <memory>
#include <string>

#include "stores/field_store.hpp"

namespace mosaic {

/// Fields in one NetCDF-4 file or several (a glob pattern with * or a list separated by commas), with CF or
/// WeatherBench names. Errors: missing_input, corrupt_input.
std::unique_ptr<FieldStore> open_netcdf_fields(const std::string& path, const FieldStoreOptions& options);

}  // namespace mosaic
