#include "eval/regions.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <sstream>
#include <string_view>

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

/// NAME=SOUTH:NORTH:WEST:EAST.
Region parse_box(const std::string& text) {
  const std::size_t equals = text.find('=');
  std::array<double, 4> bounds{};
  std::istringstream fields(text.substr(equals + 1));
  bool good = equals > 0;
  for (double& bound : bounds) {
    std::string field;
    good = good && std::getline(fields, field, ':');
    const char* end = field.data() + field.size();
    const auto parsed = std::from_chars(field.data(), end, bound);
    good = good && parsed.ec == std::errc{} && parsed.ptr == end;
  }
  const auto [south, north, west, east] = bounds;
  require(good && fields.eof() && -90.0 <= south && south <= north && north <= 90.0 && -180.0 <= west &&
              west <= 360.0 && -180.0 <= east && east <= 360.0,
          ExitCode::bad_configuration,
          "region '{}' is no box: expected NAME=SOUTH:NORTH:WEST:EAST with -90 <= SOUTH <= NORTH <= 90 and "
          "longitudes in -180 ... 360 degrees",
          text);
  const double first = west < 0.0 ? west + 360.0 : west;
  const double last = east < 0.0 ? east + 360.0 : east;
  const auto longitudes = first <= last ? std::vector<Region::Range>{{first, last}}
                                        : std::vector<Region::Range>{{first, 360.0}, {0.0, last}};
  return {text.substr(0, equals), {{south, north}}, longitudes};
}

/// The number behind `prefix`, which must divide 180; nothing for a text without the prefix.
std::optional<int> bin_width(const std::string& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return std::nullopt;
  }
  int width = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + prefix.size(), end, width);
  require(parsed.ec == std::errc{} && parsed.ptr == end && width > 0 && 180 % width == 0,
          ExitCode::bad_configuration, "region '{}': expected {}DEGREES with a whole number that divides 180",
          text, prefix);
  return width;
}

/// From one bound up to the next, which belongs to the next bin unless it is `last`.
Region::Range bin(int lower, int width, int last) {
  constexpr double hair = 1e-6;  // [degrees]
  const double upper = lower + width;
  return {lower, lower + width == last ? upper : upper - hair};
}

void append_latitude_bins(int width, std::vector<Region>& regions) {
  for (int south = -90; south < 90; south += width) {
    regions.push_back(
        {fmt::format("latitude_{}_{}", south, south + width), {bin(south, width, 90)}, all_longitudes});
  }
}

void append_boxes(int width, std::vector<Region>& regions) {
  constexpr int no_last = 361;  // 360 degrees are 0
  for (int south = -90; south < 90; south += width) {
    for (int west = 0; west < 360; west += width) {
      regions.push_back({fmt::format("box_{}_{}_{}_{}", south, south + width, west, west + width),
                         {bin(south, width, 90)},
                         {bin(west, width, no_last)}});
    }
  }
}

std::optional<Region> find_region(const std::string& name) {
  static const std::pair<std::string, Surface> endings[] = {
      {"", Surface::all}, {"_any_land", Surface::any_land}, {"_land", Surface::land}};
  for (const auto& [ending, surface] : endings) {
    for (const Region& region : known_regions()) {
      if (name == region.name + ending) {
        Region found = region;
        found.name = name;
        found.surface = surface;
        return found;
      }
    }
  }
  return std::nullopt;
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
      {"northern-africa", {{5.0, 32.5}}, {{347.5, 360.0}, {0.0, 37.5}}},
      {"southern-africa", {{-30.0, 5.0}}, {{347.5, 360.0}, {0.0, 37.5}}},
      {"south-america", {{-40.0, 5.0}}, {{285.0, 315.0}}},
      {"west-asia", {{15.0, 60.0}}, {{42.5, 102.5}}},
      {"south-east-asia", {{-12.5, 25.0}}, {{95.0, 125.0}}},
  };
  return regions;
}

std::vector<Region> regions_by_name(const std::vector<std::string>& names) {
  std::vector<Region> found;
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    if (const auto width = bin_width(name, "latitude-bins:")) {
      append_latitude_bins(*width, found);
    } else if (const auto side = bin_width(name, "boxes:")) {
      append_boxes(*side, found);
    } else if (name.find('=') != std::string::npos) {
      found.push_back(parse_box(name));
    } else if (const auto region = find_region(name)) {
      found.push_back(*region);
    } else {
      unknown.push_back(name);
    }
  }
  std::vector<std::string> known_names;
  for (const Region& region : known_regions()) {
    known_names.push_back(region.name);
  }
  require(unknown.empty(), ExitCode::bad_configuration,
          "unknown regions: {}; known are: {}; each also with _land or _any_land; a box of your own is "
          "NAME=SOUTH:NORTH:WEST:EAST; latitude-bins:10 and boxes:30 cut the globe into parts",
          fmt::join(unknown, ", "), fmt::join(known_names, ", "));
  return found;
}

kernels::AreaMask area_mask(const Region& region, const LatLonGrid& grid,
                            const std::shared_ptr<const std::vector<float>>& land_mask) {
  kernels::AreaMask mask;
  mask.row_weight = area_weights(grid);
  for (std::size_t j = 0; j < mask.row_weight.size(); ++j) {
    mask.row_weight[j] = is_inside(region.latitudes, grid.latitude[j]) ? mask.row_weight[j] : 0.0;
  }
  for (const double longitude : grid.longitude) {
    mask.columns.push_back(is_inside(region.longitudes, longitude) ? 1 : 0);
  }
  if (region.surface == Surface::all) {
    return mask;
  }
  require(land_mask != nullptr, ExitCode::bad_configuration,
          "region {} needs a land-sea mask, and the truth has no land_sea_mask", region.name);
  require(std::none_of(land_mask->begin(), land_mask->end(), [](float part) { return std::isnan(part); }),
          ExitCode::corrupt_input, "the land-sea mask holds a NaN: region {} has no weights", region.name);
  mask.cell_weight = land_mask;
  if (region.surface == Surface::any_land) {
    auto any = std::make_shared<std::vector<float>>(*land_mask);
    std::replace_if(
        any->begin(), any->end(), [](float part) { return part > 0.0F; }, 1.0F);
    mask.cell_weight = any;
  }
  return mask;
}

}  // namespace mosaic::eval
