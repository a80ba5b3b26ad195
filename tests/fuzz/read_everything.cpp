#include "fuzz/read_everything.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>

#include "base/files.hpp"
#include "forecast/hindcast_config.hpp"
#include "model/network_file.hpp"
#include "stores/climatology_store.hpp"
#include "stores/field_store.hpp"
#include "stores/forecast_store.hpp"
#include "stores/tensor_file.hpp"
#include "stores/zarr.hpp"

namespace mosaic::test {

namespace {

template <class Value>
void append(std::string& bytes, const std::vector<Value>& values) {
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
}

Contents describe(const LatLonGrid& grid) {
  return {fmt::format("latitude {} longitude {}\n", fmt::join(grid.latitude, " "),
                      fmt::join(grid.longitude, " ")),
          ""};
}

/// Adds those of `more` that are not in `channels`, and describes all.
void add_channels(const ChannelSet& more, ChannelSet& channels, Contents& contents) {
  for (const Channel& channel : more) {
    if (std::find(channels.begin(), channels.end(), channel) == channels.end()) {
      channels.push_back(channel);
    }
  }
  for (const Channel& channel : channels) {
    contents.structure += channel.name() + " ";
  }
}

/// `wanted` and every other channel that the store has, at every time.
Contents read_fields(FieldStore& store, const std::vector<std::string>& wanted) {
  auto channels = std::make_shared<ChannelSet>();
  for (const std::string& name : wanted) {
    channels->push_back(parse_channel(name));
  }
  ChannelSet known = mosaic_channels();
  std::erase_if(known, [&](const Channel& channel) { return !store.has(channel); });
  Contents contents = describe(store.grid());
  add_channels(known, *channels, contents);
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

Contents read_forecasts(const std::string& path) {
  const auto store = open_forecast_store(path, {});
  ChannelSet channels = {{"2m_temperature", {}}, {"geopotential", 850}, {"geopotential", 500}};
  Contents contents = describe(store->grid());
  add_channels(store->channels(), channels, contents);
  contents.structure += fmt::format("members {}\n", fmt::join(store->member_numbers(), " "));
  for (const Time time : store->initial_times()) {
    for (const Duration lead : store->leads()) {
      contents.structure += to_string(time) + " " + to_string(lead) + " ";
      append(contents.values, store->read(time, lead, channels));
    }
  }
  return contents;
}

Contents read_climatology(const std::string& path) {
  ClimatologyStore store(path, {});
  ChannelSet channels = {{"2m_temperature", {}}, {"temperature", 850}, {"temperature", 500}};
  Contents contents = describe(store.grid());
  add_channels(store.channels(ClimatologyPart::mean), channels, contents);
  contents.structure += fmt::format("days {} hours {} quantiles {}", fmt::join(store.days_of_year(), " "),
                                    fmt::join(store.hours(), " "), fmt::join(store.quantiles(), " "));
  for (const int day : store.days_of_year()) {
    for (const int hour : store.hours().empty() ? std::vector<int>{0} : store.hours()) {
      append(contents.values, store.read(day, hour, channels, ClimatologyPart::mean));
      append(contents.values, store.read(day, hour, {channels.front()}, ClimatologyPart::deviation));
      for (const double quantile : store.quantiles()) {
        append(contents.values, store.read_quantile(day, hour, channels.front(), quantile));
      }
    }
  }
  return contents;
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
