#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "stores/field_store.hpp"
#include "stores/inspect.hpp"

namespace mosaic {

namespace {

/// Variables in the order of the channel table, each with its levels [hPa] (none for a surface variable).
std::vector<std::pair<std::string, std::vector<int>>> variables_of(const FieldStore& store) {
  std::vector<std::pair<std::string, std::vector<int>>> variables;
  for (const auto& channel : mosaic_channels()) {
    if (!store.has(channel)) {
      continue;
    }
    if (variables.empty() || variables.back().first != channel.variable) {
      variables.emplace_back(channel.variable, std::vector<int>{});
    }
    if (channel.level) {
      variables.back().second.push_back(*channel.level);
    }
  }
  return variables;
}

std::string as_json(const FieldStore& store) {
  nlohmann::ordered_json times = nlohmann::ordered_json::array();
  for (const Time time : store.times()) {
    times.push_back(to_string(time));
  }
  nlohmann::ordered_json variables = nlohmann::ordered_json::object();
  for (const auto& [name, levels] : variables_of(store)) {
    variables[name] = levels;
  }
  const nlohmann::ordered_json document = {
      {"path", store.path()},
      {"kind", "fields"},
      {"grid", {{"latitude", store.grid().latitude}, {"longitude", store.grid().longitude}}},
      {"times", times},
      {"variables", variables},
      {"identity", store.identity()}};
  return document.dump() + "\n";
}

std::string as_text(const FieldStore& store) {
  const auto& [latitude, longitude] = store.grid();
  const auto& times = store.times();
  std::string text = fmt::format("{}: fields on {} latitudes x {} longitudes\n", store.path(),
                                 latitude.size(), longitude.size());
  if (!latitude.empty() && !longitude.empty()) {
    text += fmt::format("latitude {} to {} degrees, longitude {} to {} degrees\n", latitude.front(),
                        latitude.back(), longitude.front(), longitude.back());
  }
  text += times.empty() ? "no times\n"
                        : fmt::format("{} times, {} to {}\n", times.size(), to_string(times.front()),
                                      to_string(times.back()));
  for (const auto& [name, levels] : variables_of(store)) {
    text += levels.empty() ? fmt::format("  {}\n", name)
                           : fmt::format("  {}  [{}] hPa\n", name, fmt::join(levels, ", "));
  }
  return text;
}

}  // namespace

std::string inspect_fields(const std::string& path, InspectFormat format) {
  const auto store = open_field_store(path, {});
  return format == InspectFormat::json ? as_json(*store) : as_text(*store);
}

}  // namespace mosaic
