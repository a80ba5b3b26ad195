#include "stores/netcdf_attributes.hpp"

#include <netcdf.h>

#include <vector>

namespace mosaic {

std::string text_of(const netCDF::NcVar& variable, const std::string& name) {
  const auto attributes = variable.getAtts();
  const auto found = attributes.find(name);
  std::string text;
  if (found != attributes.end() && found->second.getType() == netCDF::ncChar) {
    found->second.getValues(text);
  } else if (found != attributes.end() && found->second.getType() == netCDF::ncString) {
    std::vector<char*> parts(found->second.getAttLength());
    found->second.getValues(parts.data());
    text = parts.empty() || parts[0] == nullptr ? "" : parts[0];
    nc_free_string(parts.size(), parts.data());
  }
  return text.substr(0, text.find('\0'));
}

std::optional<double> number_of(const netCDF::NcVar& variable, const std::string& name) {
  const auto attributes = variable.getAtts();
  const auto found = attributes.find(name);
  if (found == attributes.end() || found->second.getAttLength() != 1 ||
      found->second.getType() == netCDF::ncChar || found->second.getType() == netCDF::ncString) {
    return std::nullopt;
  }
  double value = 0;
  found->second.getValues(&value);
  return value;
}

}  // namespace mosaic
