#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mosaic {

/// What is known about a variable whatever its level.
struct VariableInfo {
  std::string name;           ///< WeatherBench name, e.g. geopotential
  std::string cf_name;        ///< short name in CF files, e.g. z
  std::string standard_name;  ///< CF standard name; empty where there is none
  std::string long_name;
  std::string units;             ///< UDUNITS, e.g. m2 s-2
  double lower;                  ///< smallest value that is believed in input, in units
  double upper;                  ///< largest value that is believed in input, in units
  std::optional<double> height;  ///< [m] scalar height coordinate: 2 for t2m, 10 for u10 and v10
};

/// The table of variables the suite knows; nullptr for an unknown name (WeatherBench or CF name).
const VariableInfo* find_variable(std::string_view name);

/// One field of a State: a variable at a pressure level, or without one.
struct Channel {
  std::string variable;      ///< WeatherBench name
  std::optional<int> level;  ///< [hPa]

  /// <variable> or <variable>_<level>
  std::string name() const;
  friend bool operator==(const Channel&, const Channel&) = default;
};

/// Channels in a fixed order. Which ones is configuration; the published 82 are mosaic_channels().
using ChannelSet = std::vector<Channel>;

/// Pressure levels [hPa] of items that may have one (channels, spectra), ascending, each once.
template <class Items>
std::vector<int> levels_of(const Items& items) {
  std::vector<int> levels;
  for (const auto& item : items) {
    if (item.level) {
      levels.push_back(*item.level);
    }
  }
  std::sort(levels.begin(), levels.end());
  levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
  return levels;
}

/// The 82 channels of Mosaic in their published order (model.md section 2).
ChannelSet mosaic_channels();

/// `geopotential_500` -> {geopotential, 500}; `2m_temperature` -> {2m_temperature, none}. Only names whose
/// variable is in the table (WeatherBench or CF name); errors: bad_configuration, with the nearest known
/// name.
Channel parse_channel(std::string_view name);

/// The known channel name with the fewest changed letters; a level at the end is kept:
/// `temprature_850` -> `temperature_850`.
std::string nearest_channel_name(std::string_view name);

}  // namespace mosaic
