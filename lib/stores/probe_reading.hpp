#pragma once

#include <string>
#include <vector>

#include "stores/climatology_store.hpp"
#include "stores/field_store.hpp"
#include "stores/forecast_store.hpp"

namespace mosaic {

/// What a trial reading of NetCDF files is told, as text for the command line of the child.
struct ProbeRequest {
  std::string path;
  std::string options;  ///< JSON: the kind of store and what its reader needs to know
};

ProbeRequest request_fields(const std::string& path, const FieldStoreOptions& options);
ProbeRequest request_forecasts(const std::string& path, const ForecastStoreOptions& options);
ProbeRequest request_climatology(const std::string& path, const ClimatologyOptions& options);
/// As whatever it is, see kind_of_store().
ProbeRequest request_any(const std::string& path);

/// The NetCDF files among those of a request; none for Zarr and .npz. Errors: missing_input.
std::vector<std::string> files_to_probe(const ProbeRequest& request);

/// Opens one file of a request and reads states, the first, the last, and ever finer between them, while
/// `seconds` last. Errors: those of the reader.
void read_for_probe(const ProbeRequest& request, const std::string& file, double seconds);

}  // namespace mosaic
