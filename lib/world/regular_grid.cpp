#include "world/regular_grid.hpp"

#include <cmath>

#include "base/error.hpp"

namespace mosaic::world {

void require_regular(const LatLonGrid& grid, std::string_view purpose) {
  constexpr double tolerance = 1e-3;
  require_uniform_longitudes(grid, purpose);
  require(std::abs(grid.longitude.front()) <= tolerance, ExitCode::corrupt_input,
          "{}: longitudes must begin at 0, these begin at {}", purpose, grid.longitude.front());
  for (std::size_t j = 0; j < grid.latitude.size(); ++j) {
    const double mirror = -grid.latitude[grid.latitude.size() - 1 - j];
    require(std::abs(grid.latitude[j] - mirror) <= tolerance, ExitCode::corrupt_input,
            "{}: latitudes must be symmetric about the equator, there is {} and no {}", purpose,
            grid.latitude[j], -grid.latitude[j]);
  }
}

}  // namespace mosaic::world
