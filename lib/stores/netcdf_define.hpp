#pragma once

#include <cstddef>
#include <map>
#include <netcdf>
#include <string>
#include <vector>

#include "stores/netcdf_document.hpp"

/// What the document writer and the forecast writer share. The caller holds a NetcdfLock; problems of the
/// library are netCDF::exceptions::NcException.
namespace mosaic::netcdf {

using Dimensions = std::map<std::string, netCDF::NcDim>;

/// How a variable lies on disk; applies to numbers with at least one dimension.
struct Storage {
  int deflate = 1;                 ///< with byte shuffle; 0 = neither
  std::vector<std::size_t> chunk;  ///< by dimension; empty = the library chooses
};

/// Errors: internal for a length of 0, which NetCDF would take as unlimited.
Dimensions define_dimensions(netCDF::NcGroup& file, const NetcdfDocument& document);

/// A variable with its attributes, no values yet; fletcher32 always. Errors: internal for an unknown
/// dimension.
netCDF::NcVar define_variable(netCDF::NcGroup& file, const Dimensions& dimensions,
                              const NetcdfVariable& variable, const Storage& storage);

void put_attributes(netCDF::NcGroup& file, const NetcdfAttributes& attributes);

/// Errors: internal if the number of values does not fit the dimensions.
void put_values(const netCDF::NcVar& target, const NetcdfVariable& variable);

}  // namespace mosaic::netcdf
