#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mosaic {

/// A small NetCDF-4 file held in memory: metrics, spectra, sums. (Forecast fields have their own streaming
/// writer.)
using NetcdfValues = std::variant<std::vector<double>, std::vector<float>, std::vector<std::int32_t>,
                                  std::vector<std::int64_t>, std::vector<std::string>>;
using NetcdfAttribute =
    std::variant<std::string, double, std::int64_t, std::vector<double>, std::vector<std::int64_t>>;
using NetcdfAttributes = std::vector<std::pair<std::string, NetcdfAttribute>>;

struct NetcdfVariable {
  std::string name;
  std::vector<std::string> dimensions;  ///< slowest first; empty = scalar
  NetcdfValues values;                  ///< C order
  NetcdfAttributes attributes;
};

struct NetcdfDocument {
  std::vector<std::pair<std::string, std::size_t>> dimensions;
  std::vector<NetcdfVariable> variables;
  NetcdfAttributes attributes;

  /// Errors: corrupt_input naming what is absent.
  const NetcdfVariable& variable(const std::string& name) const;
  std::size_t dimension(const std::string& name) const;
};

/// Writes atomically (temporary file, fsync, rename); numeric variables with fletcher32 and deflate 1.
/// Errors: cannot_create, io_error; internal if a size does not fit its dimensions.
void write_netcdf(const std::string& path, const NetcdfDocument& document);

/// Errors: missing_input, io_error, corrupt_input.
NetcdfDocument read_netcdf(const std::string& path);

}  // namespace mosaic
