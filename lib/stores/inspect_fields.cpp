#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "stores/field_store.hpp"
#include "stores/inspect.hpp"
#include "stores/inspect_parts.hpp"

namespace mosaic {

namespace {

std::string as_json(const FieldStore& store) {
  const StoreContents contents = store.contents();
  const nlohmann::ordered_json document = {{"path", store.path()},
                                           {"kind", "fields"},
                                           {"grid", grid_as_json(store.grid())},
                                           {"times", texts_as_json(store.times())},
                                           {"variables", variables_as_json(contents.channels)},
                                           {"statics", contents.statics},
                                           {"identity", store.identity()}};
  return document.dump() + "\n";
}

std::string as_text(const FieldStore& store) {
  const StoreContents contents = store.contents();
  std::string text = fmt::format("{}: fields on {}{}{}", store.path(), grid_as_text(store.grid()),
                                 range_as_text("times", store.times()), variables_as_text(contents.channels));
  for (const std::string& name : contents.statics) {
    text += fmt::format("  {}  without time\n", name);
  }
  return text;
}

}  // namespace

std::string inspect_fields(const std::string& path, InspectFormat format) {
  const auto store = open_field_store(path, {});
  return format == InspectFormat::json ? as_json(*store) : as_text(*store);
}

}  // namespace mosaic
