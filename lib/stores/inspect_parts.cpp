#include "stores/inspect_parts.hpp"

#include <fmt/ranges.h>

#include <utility>

namespace mosaic {

namespace {

/// Variables in the order of the channels, each with its levels [hPa] (none for a surface variable).
std::vector<std::pair<std::string, std::vector<int>>> by_variable(const ChannelSet& channels) {
  std::vector<std::pair<std::string, std::vector<int>>> variables;
  for (const Channel& channel : channels) {
    if (variables.empty() || variables.back().first != channel.variable) {
      variables.emplace_back(channel.variable, std::vector<int>{});
    }
    if (channel.level) {
      variables.back().second.push_back(*channel.level);
    }
  }
  return variables;
}

}  // namespace

std::string grid_as_text(const LatLonGrid& grid) {
  const auto& [latitude, longitude] = grid;
  std::string text = fmt::format("{} latitudes x {} longitudes\n", latitude.size(), longitude.size());
  if (!latitude.empty() && !longitude.empty()) {
    text += fmt::format("latitude {} to {} degrees, longitude {} to {} degrees\n", latitude.front(),
                        latitude.back(), longitude.front(), longitude.back());
  }
  return text;
}

nlohmann::ordered_json grid_as_json(const LatLonGrid& grid) {
  return {{"latitude", grid.latitude}, {"longitude", grid.longitude}};
}

std::string variables_as_text(const ChannelSet& channels) {
  std::string text;
  for (const auto& [name, levels] : by_variable(channels)) {
    text += levels.empty() ? fmt::format("  {}\n", name)
                           : fmt::format("  {}  [{}] hPa\n", name, fmt::join(levels, ", "));
  }
  return text;
}

nlohmann::ordered_json variables_as_json(const ChannelSet& channels) {
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
  for (const auto& [name, levels] : by_variable(channels)) {
    variables[name] = levels;
  }
  return variables;
}

}  // namespace mosaic
