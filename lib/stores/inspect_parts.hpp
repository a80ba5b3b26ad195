#pragma once

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

// What descriptions of stores have in common. Texts end with a new line.

std::string grid_as_text(const LatLonGrid& grid);
nlohmann::ordered_json grid_as_json(const LatLonGrid& grid);

/// A line for each variable, with its levels [hPa], in the order of the channels.
std::string variables_as_text(const ChannelSet& channels);
/// Variable -> levels [hPa], none for a surface variable.
nlohmann::ordered_json variables_as_json(const ChannelSet& channels);

/// Times or leads as an array of texts.
template <class Value>
nlohmann::ordered_json texts_as_json(const std::vector<Value>& values) {
  nlohmann::ordered_json texts = nlohmann::ordered_json::array();
  for (const Value value : values) {
    texts.push_back(to_string(value));
  }
  return texts;
}

/// "3 times, 2020-01-01T00 to 2020-01-03T00"
template <class Value>
std::string range_as_text(const std::string& what, const std::vector<Value>& values) {
  return values.empty() ? fmt::format("no {}\n", what)
                        : fmt::format("{} {}, {} to {}\n", values.size(), what, to_string(values.front()),
                                      to_string(values.back()));
}

}  // namespace mosaic
