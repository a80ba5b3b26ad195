#include "world/parameters.hpp"

#include <string_view>

#include "base/error.hpp"

namespace mosaic::world {

std::size_t Parameters::latitudes() const { return truncation == 21 ? 32 : 64; }

std::size_t Parameters::longitudes() const { return 2 * latitudes(); }

Parameters parameters_of(int truncation) {
  require(truncation == 21 || truncation == 42, ExitCode::bad_configuration,
          "truncation {}: the world has 21 and 42", truncation);
  Parameters parameters;
  if (truncation == 42) {
    parameters.truncation = 42;
    parameters.time_step = Duration{1800};
    // The finer world has stronger eddies: with the shear of T21 the 500 hPa height deviates by 193 m (zonal
    // mean, winter) and the kinetic energy is 27 % larger. With this one jets (45, 40, 32, 45 m/s) and
    // kinetic energy (429 m2 s-2) are those of T21, the deviations (155, 123, 99, 142 m) 7 to 17 % above.
    constexpr double weaker = 0.9;
    for (ForcedJet* jet : {&parameters.north_winter, &parameters.north_summer, &parameters.south_winter,
                           &parameters.south_summer}) {
      for (double& shear : jet->shear) {
        shear *= weaker;
      }
    }
  }
  return parameters;
}

std::map<std::string, std::string> named_values(const Parameters& parameters) {
  std::map<std::string, std::string> values;
  const auto add = [&](const std::string& name, double value) { values[name] = fmt::format("{}", value); };
  const auto add_layers = [&](const std::string& name, const std::array<double, layers>& value) {
    values[name] = fmt::format("{} {}", value[0], value[1]);
  };
  const auto add_jet = [&](const std::string& name, const ForcedJet& jet) {
    add_layers(name + "_shear_m_s", jet.shear);
    add(name + "_latitude_degrees", jet.latitude);
    add(name + "_width_degrees", jet.width);
  };
  add("truncation", parameters.truncation);
  add("time_step_s", static_cast<double>(parameters.time_step.seconds));
  add_layers("deformation_radius_m", parameters.deformation_radius);
  add("scale_height_m", parameters.scale_height);
  add("orography_factor", parameters.orography_factor);
  add("relaxation_days", parameters.relaxation_days);
  add("drag_days", parameters.drag_days);
  add("drag_of_land", parameters.drag_of_land);
  add("drag_of_mountains", parameters.drag_of_mountains);
  add("drag_height_m", parameters.drag_height);
  add("diffusion_days", parameters.diffusion_days);
  add("diffusion_power", parameters.diffusion_power);
  add_jet("north_winter", parameters.north_winter);
  add_jet("north_summer", parameters.north_summer);
  add_jet("south_winter", parameters.south_winter);
  add_jet("south_summer", parameters.south_summer);
  add_layers("tropical_shear_m_s", parameters.tropical_shear);
  add("tropical_width_degrees", parameters.tropical_width);
  add_layers("land_sea_contrast_m2_s", parameters.land_sea_contrast);
  add("peak_day", parameters.peak_day);
  return values;
}

}  // namespace mosaic::world
