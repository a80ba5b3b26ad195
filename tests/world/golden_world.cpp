#include "world/golden_world.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/files.hpp"

namespace mosaic::test {

world::Parameters golden_parameters(const std::string& json_path) {
  const nlohmann::json json = nlohmann::json::parse(read_text(json_path)).at("parameters");
  const auto number = [&](const char* name) { return json.at(name).get<double>(); };
  const auto pair = [](const nlohmann::json& values) {
    return std::array<double, 2>{values.at(0).get<double>(), values.at(1).get<double>()};
  };
  const auto jet = [&](const char* season, std::size_t hemisphere) {
    const std::string name = season;
    return world::ForcedJet{pair(json.at("shear_" + name).at(hemisphere)),
                            json.at("lat_" + name).at(hemisphere).get<double>(),
                            json.at("width_" + name).at(hemisphere).get<double>()};
  };
  constexpr double day = 86400;
  world::Parameters parameters;
  parameters.truncation = json.at("N").get<int>();
  parameters.time_step = Duration{static_cast<std::int64_t>(number("dt"))};
  parameters.deformation_radius = {number("R1"), number("R2")};
  parameters.scale_height = number("H0");
  parameters.orography_factor = number("oro_factor");
  parameters.relaxation_days = number("tau_R") / day;
  parameters.drag_days = number("tau_E") / day;
  parameters.drag_of_land = number("alpha_land");
  parameters.drag_of_mountains = number("alpha_oro");
  parameters.drag_height = number("h_drag");
  parameters.diffusion_days = number("tau_H") / day;
  parameters.diffusion_power = json.at("hyper_power").get<int>();
  parameters.north_winter = jet("winter", 0);
  parameters.south_winter = jet("winter", 1);
  parameters.north_summer = jet("summer", 0);
  parameters.south_summer = jet("summer", 1);
  parameters.tropical_shear = pair(json.at("shear_tropics"));
  parameters.tropical_width = number("width_tropics");
  parameters.land_sea_contrast = pair(json.at("land_sea"));
  parameters.peak_day = number("peak_day");
  return parameters;
}

std::vector<double> packed(const TensorView& golden) {
  const std::vector<double> values = golden.to_double();
  const auto orders = static_cast<std::size_t>(golden.shape.at(0));
  const std::size_t columns = golden.shape.size() == 4 ? static_cast<std::size_t>(golden.shape[2]) : 1;
  std::vector<double> spectrum;
  for (std::size_t m = 0; m < orders; ++m) {
    for (std::size_t n = m; n < orders; ++n) {
      for (std::size_t part = 0; part < 2; ++part) {
        for (std::size_t c = 0; c < columns; ++c) {
          spectrum.push_back(values.at(((m * orders + n) * columns + c) * 2 + part));
        }
      }
    }
  }
  return spectrum;
}

std::vector<double> paired(const std::vector<double>& grid, std::size_t latitudes) {
  const std::size_t longitudes = grid.size() / latitudes;
  std::vector<double> values;
  for (std::size_t p = 0; p < (latitudes + 1) / 2; ++p) {
    for (std::size_t l = 0; l < longitudes; ++l) {
      values.push_back(grid.at(p * longitudes + l));
      values.push_back(grid.at((latitudes - 1 - p) * longitudes + l));
    }
  }
  return values;
}

double largest_difference(const std::vector<double>& ours, const std::vector<double>& golden) {
  if (ours.size() != golden.size()) {
    throw std::runtime_error("sizes " + std::to_string(ours.size()) + " and " +
                             std::to_string(golden.size()));
  }
  double largest = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const double difference = std::abs(ours[i] - golden[i]);
    largest =
        std::isfinite(difference) ? std::max(largest, difference) : std::numeric_limits<double>::infinity();
  }
  return largest;
}

double relative_difference(const std::vector<double>& ours, const std::vector<double>& golden) {
  double size = 0;
  for (const double value : golden) {
    size = std::max(size, std::abs(value));
  }
  return largest_difference(ours, golden) / size;
}

}  // namespace mosaic::test
