#include "fields/channel.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/edit_distance.hpp"
#include "base/error.hpp"

namespace mosaic {

namespace {

// Bounds are wide enough for every analysis and for regridding's overshoot, and narrow enough to refuse
// another unit: Celsius, hPa, g/kg, mm. For the geopotential they cover 1100 to 1 hPa.
const std::vector<VariableInfo>& variable_table() {
  // clang-format off
  static const std::vector<VariableInfo> table = {
      {"2m_temperature", "t2m", "air_temperature", "2 metre temperature", "K", 150.0, 350.0, 2.0},
      {"10m_u_component_of_wind", "u10", "eastward_wind",
       "10 metre eastward wind", "m s-1", -120.0, 120.0, 10.0},
      {"10m_v_component_of_wind", "v10", "northward_wind",
       "10 metre northward wind", "m s-1", -120.0, 120.0, 10.0},
      {"10m_wind_speed", "si10", "wind_speed", "10 metre wind speed", "m s-1", 0.0, 120.0, 10.0},
      {"mean_sea_level_pressure", "msl", "air_pressure_at_mean_sea_level",
       "mean sea level pressure", "Pa", 82000.0, 115000.0, {}},
      {"surface_pressure", "sp", "surface_air_pressure", "surface pressure", "Pa", 35000.0, 115000.0, {}},
      {"geopotential", "z", "geopotential", "geopotential", "m2 s-2", -15000.0, 520000.0, {}},
      {"specific_humidity", "q", "specific_humidity", "specific humidity", "1", -1e-3, 0.06, {}},
      {"relative_humidity", "r", "relative_humidity", "relative humidity", "%", -20.0, 200.0, {}},
      {"temperature", "t", "air_temperature", "temperature", "K", 130.0, 370.0, {}},
      {"upper_layer_temperature", "t_upper", "air_temperature",
       "mean temperature of the layer 200 to 500 hPa", "K", 130.0, 370.0, {}},
      {"lower_layer_temperature", "t_lower", "air_temperature",
       "mean temperature of the layer 500 to 800 hPa", "K", 130.0, 370.0, {}},
      {"u_component_of_wind", "u", "eastward_wind", "eastward wind", "m s-1", -250.0, 250.0, {}},
      {"v_component_of_wind", "v", "northward_wind", "northward wind", "m s-1", -250.0, 250.0, {}},
      {"wind_speed", "ws", "wind_speed", "wind speed", "m s-1", 0.0, 250.0, {}},
      {"vertical_velocity", "w", "lagrangian_tendency_of_air_pressure",
       "vertical velocity", "Pa s-1", -100.0, 100.0, {}},
      {"geopotential_at_surface", "zs", "geopotential",
       "geopotential at the surface", "m2 s-2", -6000.0, 90000.0, {}},
      {"land_sea_mask", "lsm", "land_area_fraction", "land-sea mask", "1", -0.05, 1.05, {}},
      {"soil_type", "slt", "soil_type", "soil type class", "1", -0.5, 8.0, {}},
      {"sea_surface_temperature", "sst", "sea_surface_temperature",
       "sea surface temperature", "K", 255.0, 325.0, {}},
      {"sea_ice_cover", "siconc", "sea_ice_area_fraction", "sea ice cover", "1", -0.05, 1.05, {}},
      {"total_column_water_vapour", "tcwv", "atmosphere_mass_content_of_water_vapor",
       "total column water vapour", "kg m-2", -1.0, 150.0, {}},
      {"total_precipitation", "tp", "lwe_thickness_of_precipitation_amount",
       "total precipitation", "m", -1e-3, 2.5, {}},
      {"total_precipitation_6hr", "tp6h", "lwe_thickness_of_precipitation_amount",
       "total precipitation of 6 hours", "m", -1e-3, 1.5, {}},
      {"total_precipitation_12hr", "tp12h", "lwe_thickness_of_precipitation_amount",
       "total precipitation of 12 hours", "m", -1e-3, 2.0, {}},
      {"total_precipitation_24hr", "tp24h", "lwe_thickness_of_precipitation_amount",
       "total precipitation of 24 hours", "m", -1e-3, 2.5, {}},
      {"vorticity", "vo", "atmosphere_upward_relative_vorticity",
       "relative vorticity", "s-1", -0.1, 0.1, {}},
      {"vorticity_wb2", "vo_wb2", "atmosphere_upward_relative_vorticity",
       "relative vorticity as WeatherBench 2 computes it", "s-1", -0.1, 0.1, {}},
      {"divergence", "d", "divergence_of_wind", "divergence of the wind", "s-1", -0.1, 0.1, {}},
      {"divergence_wb2", "d_wb2", "divergence_of_wind",
       "divergence of the wind as WeatherBench 2 computes it", "s-1", -0.1, 0.1, {}},
      {"u_component_of_geostrophic_wind", "ug", "geostrophic_eastward_wind",
       "geostrophic eastward wind", "m s-1", -1e5, 1e5, {}},
      {"u_component_of_geostrophic_wind_wb2", "ug_wb2", "geostrophic_eastward_wind",
       "geostrophic eastward wind as WeatherBench 2 computes it", "m s-1", -1e5, 1e5, {}},
      {"v_component_of_geostrophic_wind", "vg", "geostrophic_northward_wind",
       "geostrophic northward wind", "m s-1", -1e5, 1e5, {}},
      {"v_component_of_geostrophic_wind_wb2", "vg_wb2", "geostrophic_northward_wind",
       "geostrophic northward wind as WeatherBench 2 computes it", "m s-1", -1e5, 1e5, {}},
      {"geostrophic_wind_speed", "wsg", "", "geostrophic wind speed", "m s-1", 0.0, 1e5, {}},
      {"geostrophic_wind_speed_wb2", "wsg_wb2", "",
       "geostrophic wind speed as WeatherBench 2 computes it", "m s-1", 0.0, 1e5, {}},
      {"u_component_of_ageostrophic_wind", "ua", "",
       "ageostrophic eastward wind", "m s-1", -1e5, 1e5, {}},
      {"u_component_of_ageostrophic_wind_wb2", "ua_wb2", "",
       "ageostrophic eastward wind as WeatherBench 2 computes it", "m s-1", -1e5, 1e5, {}},
      {"v_component_of_ageostrophic_wind", "va", "",
       "ageostrophic northward wind", "m s-1", -1e5, 1e5, {}},
      {"v_component_of_ageostrophic_wind_wb2", "va_wb2", "",
       "ageostrophic northward wind as WeatherBench 2 computes it", "m s-1", -1e5, 1e5, {}},
      {"ageostrophic_wind_speed", "wsa", "", "ageostrophic wind speed", "m s-1", 0.0, 1e5, {}},
      {"ageostrophic_wind_speed_wb2", "wsa_wb2", "",
       "ageostrophic wind speed as WeatherBench 2 computes it", "m s-1", 0.0, 1e5, {}},
      {"relative_humidity_wb2", "r_wb2", "relative_humidity",
       "relative humidity as a fraction, as WeatherBench 2 computes it", "1", -0.2, 2.0, {}},
      {"lapse_rate", "lr", "", "derivative of temperature with respect to height", "K m-1", -1.0, 1.0, {}},
      {"vertical_velocity_wb2", "w_wb2", "lagrangian_tendency_of_air_pressure",
       "vertical velocity from WeatherBench 2's divergence", "Pa s-1", -100.0, 100.0, {}},
      {"total_column_water_vapour_wb2", "tcwv_wb2", "",
       "total column water vapour as WeatherBench 2 computes it", "100 kg m-2", -0.01, 1.5, {}},
      {"integrated_vapor_transport", "ivt", "",
       "integrated water vapour transport", "kg m-1 s-1", 0.0, 10000.0, {}},
      {"integrated_vapor_transport_wb2", "ivt_wb2", "",
       "integrated water vapour transport as WeatherBench 2 computes it", "100 kg m-1 s-1", 0.0, 100.0, {}},
      {"eddy_kinetic_energy", "eke", "", "eddy kinetic energy of the column", "J m-2", 0.0, 5e8, {}},
      {"eddy_kinetic_energy_wb2", "eke_wb2", "",
       "eddy kinetic energy as WeatherBench 2 computes it", "m2 s-2 hPa", 0.0, 5e7, {}},
  };
  // clang-format on
  return table;
}

constexpr std::array<int, 13> mosaic_levels{50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 850, 925, 1000};

/// A name without the `_<digits>` at its end, and those digits; no digits if there are none.
struct SplitName {
  std::string_view variable;
  std::string_view digits;
};

SplitName split_level(std::string_view name) {
  const std::size_t underscore = name.rfind('_');
  if (underscore == std::string_view::npos || underscore + 1 == name.size()) {
    return {name, {}};
  }
  const std::string_view digits = name.substr(underscore + 1);
  const bool number = std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return number ? SplitName{name.substr(0, underscore), digits} : SplitName{name, {}};
}

}  // namespace

const VariableInfo* find_variable(std::string_view name) {
  const auto& table = variable_table();
  const auto found = std::find_if(table.begin(), table.end(), [name](const VariableInfo& variable) {
    return variable.name == name || variable.cf_name == name;
  });
  return found == table.end() ? nullptr : &*found;
}

std::string Channel::name() const { return level ? fmt::format("{}_{}", variable, *level) : variable; }

ChannelSet mosaic_channels() {
  ChannelSet channels;
  for (const char* surface :
       {"2m_temperature", "10m_u_component_of_wind", "10m_v_component_of_wind", "mean_sea_level_pressure"}) {
    channels.push_back({surface, std::nullopt});
  }
  for (const char* variable : {"geopotential", "specific_humidity", "temperature", "u_component_of_wind",
                               "v_component_of_wind", "vertical_velocity"}) {
    for (const int level : mosaic_levels) {
      channels.push_back({variable, level});
    }
  }
  return channels;
}

std::string nearest_channel_name(std::string_view name) {
  const SplitName split = split_level(name);
  const VariableInfo* nearest = nullptr;
  std::size_t smallest = std::numeric_limits<std::size_t>::max();
  for (const VariableInfo& variable : variable_table()) {
    const std::size_t distance = edit_distance(split.variable, variable.name);
    if (distance < smallest) {
      smallest = distance;
      nearest = &variable;
    }
  }
  return split.digits.empty() ? nearest->name : fmt::format("{}_{}", nearest->name, split.digits);
}

Channel parse_channel(std::string_view name) {
  if (const VariableInfo* variable = find_variable(name)) {
    return {variable->name, std::nullopt};
  }
  const auto [variable_name, digits] = split_level(name);
  const VariableInfo* variable = digits.empty() ? nullptr : find_variable(variable_name);
  require(variable != nullptr, ExitCode::bad_configuration, "channel '{}' is unknown; did you mean '{}'?",
          name, nearest_channel_name(name));
  int level = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), level);
  require(parsed.ec == std::errc{} && level >= 1 && level <= 1100, ExitCode::bad_configuration,
          "channel '{}' has level {}; expected 1 ... 1100 hPa", name, digits);
  require(!variable->height.has_value(), ExitCode::bad_configuration,
          "channel '{}' has a pressure level, but {} is defined {} m above ground; write '{}'", name,
          variable->name, variable->height.value_or(0.0), variable->name);
  return {variable->name, level};
}

}  // namespace mosaic
