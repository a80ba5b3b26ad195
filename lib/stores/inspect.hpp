#pragma once

#include <string>

namespace mosaic {

enum class InspectFormat { text, json };

/// A folder, a pattern or list of files, or a file that starts like NetCDF-4 or classic NetCDF.
bool is_field_store(const std::string& path);

/// What a file holds, for a person or (json) as one JSON object on one line. Tensor files, Zarr and NetCDF
/// stores of fields, forecasts or a climatology are told apart by content. Errors: those of open_tensor_file,
/// open_field_store, open_forecast_store and ClimatologyStore.
std::string inspect(const std::string& path, InspectFormat format);

/// Name, type, shape and bytes of every tensor, the number of values under `model.`, metadata.
std::string inspect_tensors(const std::string& path, InspectFormat format);

/// Grid, times, and the variables and levels among mosaic_channels(); others are not looked for.
std::string inspect_fields(const std::string& path, InspectFormat format);

/// Grid, initial times, leads, members, variables and levels.
std::string inspect_forecasts(const std::string& path, InspectFormat format);

/// Grid, days, hours, quantiles, and the variables and levels of mean, standard deviation and quantiles.
std::string inspect_climatology(const std::string& path, InspectFormat format);

}  // namespace mosaic
