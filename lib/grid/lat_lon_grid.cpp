#include "grid/lat_lon_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"

namespace mosaic {

namespace {

std::vector<double> equidistant_longitudes(int n_lon) {
  require(n_lon >= 1, ExitCode::bad_configuration, "a grid needs at least 1 longitude, not {}", n_lon);
  std::vector<double> longitude(static_cast<std::size_t>(n_lon));
  for (int i = 0; i < n_lon; ++i) {
    longitude[static_cast<std::size_t>(i)] = 360.0 * i / n_lon;
  }
  return longitude;
}

void require_ascending_latitudes(const std::vector<double>& latitude) {
  require(!latitude.empty(), ExitCode::corrupt_input, "a grid without latitudes has no area weights");
  for (std::size_t j = 0; j < latitude.size(); ++j) {
    require(std::abs(latitude[j]) <= 90.0, ExitCode::corrupt_input,
            "latitude {} of the grid is {}; expected -90 ... 90 degrees", j, latitude[j]);
    require(j == 0 || latitude[j] > latitude[j - 1], ExitCode::corrupt_input,
            "latitudes must ascend: number {} is {} after {}; sort them from south to north", j, latitude[j],
            latitude[j == 0 ? 0 : j - 1]);
  }
}

}  // namespace

LatLonGrid LatLonGrid::with_poles(int n_lon, int n_lat) {
  require(n_lat >= 2, ExitCode::bad_configuration,
          "a grid with both poles needs at least 2 latitudes, not {}", n_lat);
  LatLonGrid grid{std::vector<double>(static_cast<std::size_t>(n_lat)), equidistant_longitudes(n_lon)};
  for (int j = 0; j < n_lat; ++j) {
    grid.latitude[static_cast<std::size_t>(j)] = -90.0 + 180.0 * j / (n_lat - 1);
  }
  return grid;
}

LatLonGrid LatLonGrid::without_poles(int n_lon, int n_lat) {
  require(n_lat >= 1, ExitCode::bad_configuration, "a grid needs at least 1 latitude, not {}", n_lat);
  LatLonGrid grid{std::vector<double>(static_cast<std::size_t>(n_lat)), equidistant_longitudes(n_lon)};
  for (int j = 0; j < n_lat; ++j) {
    grid.latitude[static_cast<std::size_t>(j)] = -90.0 + (j + 0.5) * 180.0 / n_lat;
  }
  return grid;
}

bool nearly_equal(const LatLonGrid& a, const LatLonGrid& b, double tolerance) {
  const auto near = [tolerance](double x, double y) { return std::abs(x - y) <= tolerance; };
  return std::ranges::equal(a.latitude, b.latitude, near) &&
         std::ranges::equal(a.longitude, b.longitude, near);
}

std::string to_string(const LatLonGrid& grid) {
  return fmt::format("{} x {}, latitudes {:g} ... {:g}", grid.longitude.size(), grid.latitude.size(),
                     grid.latitude.front(), grid.latitude.back());
}

std::vector<double> area_weights(const LatLonGrid& grid) {
  const std::vector<double>& latitude = grid.latitude;
  require_ascending_latitudes(latitude);
  const std::size_t rows = latitude.size();
  std::vector<double> weights(rows);
  double lower = -1.0;  // sine of the row's southern edge
  for (std::size_t j = 0; j < rows; ++j) {
    const double edge = j + 1 < rows ? 0.5 * (latitude[j] + latitude[j + 1]) : 90.0;
    const double upper = j + 1 < rows ? std::sin(edge * std::numbers::pi / 180.0) : 1.0;
    weights[j] = 0.5 * static_cast<double>(rows) * (upper - lower);
    lower = upper;
  }
  return weights;
}

void require_uniform_longitudes(const LatLonGrid& grid, std::string_view purpose) {
  const double step = 360.0 / static_cast<double>(grid.longitude.size());
  for (std::size_t i = 1; i < grid.longitude.size(); ++i) {
    const double distance = grid.longitude[i] - grid.longitude[i - 1];
    require(std::abs(distance - step) <= 1e-3, ExitCode::corrupt_input,
            "{} need longitudes {} degrees apart; between {} and {} there are {}", purpose, step,
            grid.longitude[i - 1], grid.longitude[i], distance);
  }
}

}  // namespace mosaic
