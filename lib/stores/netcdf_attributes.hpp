#pragma once

#include <netcdf>
#include <optional>
#include <string>

namespace mosaic {

// The caller holds a NetcdfLock; problems of the library are netCDF::exceptions::NcException.

/// A text attribute of a variable, empty if it is absent or no text.
std::string text_of(const netCDF::NcVar& variable, const std::string& name);

/// A numeric attribute with one value.
std::optional<double> number_of(const netCDF::NcVar& variable, const std::string& name);

}  // namespace mosaic
