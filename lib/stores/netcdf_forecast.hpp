#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "stores/forecast_writer.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

/// A float32 variable of a forecast file and where its chunks come from.
struct ForecastVariable {
  NetcdfVariable declaration;         ///< without values
  std::vector<std::size_t> channels;  ///< by level: position in ForecastWriterOptions::channels
  bool has_level = false;
  bool has_realization = false;
  /// By realization (or one): member 0 ... M - 1, M = ensemble mean, M + 1 = ensemble spread.
  std::vector<std::size_t> sources;
};

/// Everything about one file except the fields themselves.
struct ForecastFile {
  std::string name;         ///< within the folder
  NetcdfDocument document;  ///< dimensions, coordinates with values, global attributes
  std::vector<ForecastVariable> variables;
};

/// The files of an initial time as the options ask for them. Level variables whose level sets differ have
/// level dimensions of their own: level, level_2, ... Errors: bad_configuration for a channel whose variable
/// is not in the table.
std::vector<ForecastFile> plan_forecast_files(const ForecastWriterOptions& options, const LatLonGrid& grid,
                                              int members, Time initial_time);

/// Mantissa bits that keep `digits` significant decimal digits: ceil(digits log2 10), so that the relative
/// error is below 0.5 10^-digits.
int mantissa_bits(int digits);

}  // namespace mosaic
