#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stores/field_store.hpp"

namespace mosaic {

/// Fields in one NetCDF-4 file or several (a glob pattern with * or a list separated by commas), with CF or
/// WeatherBench names. Errors: missing_input, corrupt_input.
std::unique_ptr<FieldStore> open_netcdf_fields(const std::string& path, const FieldStoreOptions& options);

/// The files of such a pattern or list. Errors: missing_input naming every part that is not there.
std::vector<std::string> netcdf_files(const std::string& path);

/// These files as one store, which calls itself `name`.
std::unique_ptr<FieldStore> open_netcdf_files(const std::vector<std::string>& files, const std::string& name,
                                              const FieldStoreOptions& options);

}  // namespace mosaic
