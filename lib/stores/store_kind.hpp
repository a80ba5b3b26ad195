#pragma once

#include <string>

namespace mosaic {

enum class StoreKind { fields, forecasts, climatology };

/// What a Zarr store, NetCDF file, pattern, list or folder of results holds, by the coordinates of its first
/// file: several lead times, or an initial time beside valid times, make forecasts, days of the year a
/// climatology; anything else, also what cannot be read, is taken for fields by valid time. Errors:
/// missing_input if there is nothing.
StoreKind kind_of_store(const std::string& path);

}  // namespace mosaic
