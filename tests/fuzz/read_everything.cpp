#include "fuzz/read_everything.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "base/files.hpp"
#include "forecast/hindcast_config.hpp"
#include "model/network_file.hpp"
#include "stores/field_store.hpp"
#include "stores/tensor_file.hpp"
#include "stores/zarr.hpp"

namespace mosaic::test {

namespace {

template <class Value>
void append(std::string& bytes, const std::vector<Value>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
}

/// `wanted` and every other channel that the store has, at every time.
Contents read_fields(FieldStore& store, const std::vector<std::string>& wanted) {
  Contents contents;
  auto channels = std::make_shared<ChannelSet>();
  for (const std::string& name : wanted) {
    channels->push_back(parse_channel(name));
  }
  for (const Channel& channel : mosaic_channels()) {
    if (store.has(channel) && std::find(channels->begin(), channels->end(), channel) == channels->end()) {
      channels->push_back(channel);
    }
  }
  for (const Channel& channel : *channels) {
    contents.structure += channel.name() + " ";
  }
  contents.structure += fmt::format("\nlatitude {} longitude {}\n", fmt::join(store.grid().latitude, " "),
                                    fmt::join(store.grid().longitude, " "));
  for (const Time time : store.times()) {
    contents.structure += to_string(time) + " ";
    append(contents.values, store.read(time, channels).values);
  }
  return contents;
}

void read_array(const ZarrStore& store, const std::string& name, Contents& contents) {
  const ZarrArray& array = store.array(name);
  contents.structure += fmt::format("\n{} [{}] kind {} units {}", name, fmt::join(array.shape, ", "),
                                    static_cast<int>(array.type.kind), array.attribute("units"));
  const bool text = array.type.kind == ZarrKind::bytes || array.type.kind == ZarrKind::unicode ||
                    array.type.kind == ZarrKind::variable_text;
  if (text) {
    contents.values += fmt::format("{}", fmt::join(store.read_strings(name), "\n"));
  } else {
    append(contents.values, store.read_double(name, ZarrBox::all(array), 1));
  }
}

}  // namespace

Contents read_tensors(const std::string& path) {
  const auto file = open_tensor_file(path);
  Contents contents;
  for (const auto& [name, view] : file->tensors()) {
    contents.structure +=
        fmt::format("{} {} [{}]\n", name, to_string(view.type), fmt::join(view.shape, ", "));
    contents.values.append(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
    view.to_float();
    view.to_double();
  }
  for (const auto& [key, value] : file->metadata()) {
    contents.structure += key + " = " + value + "\n";
  }
  return contents;
}

Contents read_zarr(const std::string& path, const std::vector<std::string>& channels) {
  const auto fields = open_field_store(path, {});
  Contents contents = read_fields(*fields, channels);
  const ZarrStore store(path);
  for (const std::string& name : store.names()) {
    read_array(store, name, contents);
  }
  return contents;
}

Contents read_netcdf_file(const std::string& path, const std::vector<std::string>& channels) {
  const auto store = open_field_store(path, {});
  return read_fields(*store, channels);
}

Contents read_configuration(const std::string& path) {
  HindcastConfig config;
  ConfigSchema schema;
  add_hindcast_keys(schema, config);
  schema.read(read_text(path), path);
  schema.check();
  return {schema.print(), ""};
}

Contents read_network(const std::string& path) {
  return {print_network_file(parse_network_file(read_text(path), path)), ""};
}

}  // namespace mosaic::test
