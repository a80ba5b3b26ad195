#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "stores/field_store.hpp"
#include "stores/inspect.hpp"
#include "stores/inspect_parts.hpp"

namespace mosaic {

namespace {

ChannelSet channels_of(const FieldStore& store) {
  ChannelSet channels;
  for (const Channel& channel : mosaic_channels()) {
    if (store.has(channel)) {
      channels.push_back(channel);
    }
  }
  return channels;
}

std::string as_json(const FieldStore& store) {
  const nlohmann::ordered_json document = {{"path", store.path()},
                                           {"kind", "fields"},
                                           {"grid", grid_as_json(store.grid())},
                                           {"times", texts_as_json(store.times())},
                                           {"variables", variables_as_json(channels_of(store))},
                                           {"identity", store.identity()}};
  return document.dump() + "\n";
}

std::string as_text(const FieldStore& store) {
  return fmt::format("{}: fields on {}{}{}", store.path(), grid_as_text(store.grid()),
                     range_as_text("times", store.times()), variables_as_text(channels_of(store)));
}

}  // namespace

std::string inspect_fields(const std::string& path, InspectFormat format) {
  const auto store = open_field_store(path, {});
  return format == InspectFormat::json ? as_json(*store) : as_text(*store);
}

}  // namespace mosaic
