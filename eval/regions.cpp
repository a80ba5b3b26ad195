#include "eval/regions.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"

namespace mosaic::eval {
namespace {

const std::vector<Region::Range> all_latitudes = {{-90.0, 90.0}};
const std::vector<Region::Range> all_longitudes = {{0.0, 360.0}};

bool is_inside(const std::vector<Region::Range>& ranges, double value) {
  return std::any_of(ranges.begin(), ranges.end(), [value](const Region::Range& range) {
    return range.first <= value && value <= range.second;
  });
}

}  // namespace

const std::vector<Region>& known_regions() {
  static const std::vector<Region> regions = {
      {"global", all_latitudes, all_longitudes},
      {"tropics", {{-20.0, 20.0}}, all_longitudes},
      {"extra-tropics", {{-90.0, -20.0}, {20.0, 90.0}}, all_longitudes},
      {"northern-hemisphere", {{20.0, 90.0}}, all_longitudes},
      {"southern-hemisphere", {{-90.0, -20.0}}, all_longitudes},
      {"europe", {{35.0, 75.0}}, {{347.5, 360.0}, {0.0, 42.5}}},
      {"north-america", {{25.0, 60.0}}, {{240.0, 285.0}}},
      {"north-atlantic", {{25.0, 65.0}}, {{290.0, 350.0}}},
      {"north-pacific", {{25.0, 60.0}}, {{145.0, 230.0}}},
      {"east-asia", {{25.0, 60.0}}, {{102.5, 150.0}}},
      {"ausnz", {{-45.0, -12.5}}, {{120.0, 175.0}}},
      {"arctic", {{60.0, 90.0}}, all_longitudes},
      {"antarctic", {{-90.0, -60.0}}, all_longitudes},
  };
  return regions;
}

std::vector<Region> regions_by_name(const std::vector<std::string>& names) {
  const std::vector<Region>& known = known_regions();
  std::vector<Region> found;
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    const auto region = std::find_if(known.begin(), known.end(),
                                     [&](const Region& candidate) { return candidate.name == name; });
    if (region == known.end()) {
      unknown.push_back(name);
    } else {
      found.push_back(*region);
    }
  }
  std::vector<std::string> known_names;
  for (const Region& region : known) {
    known_names.push_back(region.name);
  }
  require(unknown.empty(), ExitCode::bad_configuration, "unknown regions: {}; known are: {}",
          fmt::join(unknown, ", "), fmt::join(known_names, ", "));
  return found;
}

std::vector<double> row_weights(const Region& region, const LatLonGrid& grid) {
  std::vector<double> weights = area_weights(grid);
  for (std::size_t j = 0; j < weights.size(); ++j) {
    weights[j] = is_inside(region.latitudes, grid.latitude[j]) ? weights[j] : 0.0;
  }
  return weights;
}

std::vector<std::uint8_t> columns_inside(const Region& region, const LatLonGrid& grid) {
  std::vector<std::uint8_t> columns;
  for (const double longitude : grid.longitude) {
    columns.push_back(is_inside(region.longitudes, longitude) ? 1 : 0);
  }
  return columns;
}

}  // namespace mosaic::eval
