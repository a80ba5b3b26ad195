#include "stores/zarr_writer.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>

#include "base/error.hpp"

namespace mosaic {
namespace {

using Attributes = ZarrFolder::Attributes;

/// The times of the public WeatherBench2 stores count from here.
constexpr std::string_view reference_time = "1959-01-01";

/// Appends a field [lat, lon] as [lon, lat].
void append_transposed(const LatLonGrid& grid, std::span<const float> field, std::vector<float>& out) {
  const std::size_t columns = grid.longitude.size();
  for (std::size_t i = 0; i < columns; ++i) {
    for (std::size_t j = 0; j < grid.latitude.size(); ++j) {
      out.push_back(field[j * columns + i]);
    }
  }
}

Attributes variable_attributes(const std::string& name) {
  const VariableInfo* info = find_variable(name);
  require(info != nullptr, "variable {} is not in the channel table", name);
  Attributes attributes = {{"long_name", info->long_name}, {"units", info->units}};
  if (!info->standard_name.empty()) {
    attributes["standard_name"] = info->standard_name;
  }
  return attributes;
}

}  // namespace

ZarrWriter::ZarrWriter(std::string path, std::shared_ptr<const LatLonGrid> grid,
                       std::shared_ptr<const ChannelSet> channels, std::vector<Time> times,
                       ZarrWriterOptions options)
    : path_(std::move(path)),
      grid_(std::move(grid)),
      channels_(std::move(channels)),
      times_(std::move(times)),
      options_(std::move(options)) {
  const auto not_ascending = [](Time a, Time b) { return a >= b; };
  require(!times_.empty() && std::adjacent_find(times_.begin(), times_.end(), not_ascending) == times_.end(),
          "the times of {} do not ascend strictly", path_);
  make_variables();
  folder_.emplace(path_, options_.attributes, options_.compressor, options_.existing);
  write_coordinates();
  for (const Variable& variable : variables_) {
    std::vector<std::size_t> shape{times_.size(), grid_->longitude.size(), grid_->latitude.size()};
    std::vector<std::string> dimensions{"time", "longitude", "latitude"};
    if (variable.has_levels) {
      shape.insert(shape.begin() + 1, levels_.size());
      dimensions.insert(dimensions.begin() + 1, "level");
    }
    std::vector<std::size_t> chunks = shape;
    chunks.front() = 1;
    folder_->add_array(variable.name, dimensions, shape, chunks, variable_attributes(variable.name));
  }
}

void ZarrWriter::make_variables() {
  std::set<int> levels;
  for (const Channel& channel : *channels_) {
    if (channel.level) {
      levels.insert(*channel.level);
    }
  }
  levels_.assign(levels.begin(), levels.end());
  for (std::size_t c = 0; c < channels_->size(); ++c) {
    const Channel& channel = (*channels_)[c];
    const auto same_name = [&](const Variable& v) { return v.name == channel.variable; };
    auto variable = std::find_if(variables_.begin(), variables_.end(), same_name);
    if (variable == variables_.end()) {
      const bool has_levels = channel.level.has_value();
      variables_.push_back({channel.variable, has_levels,
                            std::vector<std::size_t>(has_levels ? levels_.size() : 1, SIZE_MAX)});
      variable = variables_.end() - 1;
    }
    require(variable->has_levels == channel.level.has_value(),
            "{} is among the channels of {} with and without a level", channel.variable, path_);
    const auto level =
        channel.level ? std::lower_bound(levels_.begin(), levels_.end(), *channel.level) - levels_.begin()
                      : 0;
    std::size_t& place = variable->channels[static_cast<std::size_t>(level)];
    require(place == SIZE_MAX, "{} is among the channels of {} twice", channel.variable, path_);
    place = c;
  }
  for (const Variable& variable : variables_) {
    require(
        std::find(variable.channels.begin(), variable.channels.end(), SIZE_MAX) == variable.channels.end(),
        "{} lacks some of the levels {} of {}", variable.name, fmt::join(levels_, ", "), path_);
  }
}

void ZarrWriter::write_coordinates() {
  const Time reference = parse_time(reference_time);
  const bool whole_hours =
      std::all_of(times_.begin(), times_.end(), [&](Time t) { return (t - reference).seconds % 3600 == 0; });
  std::vector<std::int64_t> times;
  for (const Time time : times_) {
    times.push_back((time - reference).seconds / (whole_hours ? 3600 : 1));
  }
  folder_->add_coordinate(
      "time", times,
      {{"standard_name", "time"},
       {"units", fmt::format("{} since {}", whole_hours ? "hours" : "seconds", reference_time)},
       {"calendar", "proleptic_gregorian"}});
  if (!levels_.empty()) {
    folder_->add_coordinate("level", std::vector<std::int64_t>(levels_.begin(), levels_.end()),
                            {{"standard_name", "air_pressure"}, {"units", "hPa"}, {"positive", "down"}});
  }
  folder_->add_coordinate("longitude", grid_->longitude,
                          {{"standard_name", "longitude"}, {"units", "degrees_east"}});
  folder_->add_coordinate("latitude", grid_->latitude,
                          {{"standard_name", "latitude"}, {"units", "degrees_north"}});
}

void ZarrWriter::write(const State& state) const {
  const auto found = std::lower_bound(times_.begin(), times_.end(), state.time);
  require(found != times_.end() && *found == state.time, "{}: the time {} was not announced", path_,
          to_string(state.time));
  require(*state.channels == *channels_ && *state.grid == *grid_,
          "{}: the state of {} has other channels or another grid than the store", path_,
          to_string(state.time));
  const auto time = static_cast<std::size_t>(found - times_.begin());
  for (const Variable& variable : variables_) {
    std::vector<float> values;
    values.reserve(variable.channels.size() * grid_->points());
    for (const std::size_t channel : variable.channels) {
      append_transposed(*grid_, state.field(channel), values);
    }
    std::vector<std::size_t> place(variable.has_levels ? 4 : 3, 0);
    place.front() = time;
    write_zarr_chunk(path_, variable.name, place, std::as_bytes(std::span(values)), sizeof(float),
                     options_.compressor, options_.sync);
  }
}

void ZarrWriter::write_static(const std::string& variable, std::span<const float> field,
                              std::map<std::string, std::string> attributes) {
  require(field.size() == grid_->points(), "{}: {} has {} values, the grid {}", path_, variable, field.size(),
          grid_->points());
  std::vector<float> values;
  values.reserve(field.size());
  append_transposed(*grid_, field, values);
  const std::vector<std::size_t> shape{grid_->longitude.size(), grid_->latitude.size()};
  folder_->add_array(variable, {"longitude", "latitude"}, shape, shape,
                     attributes.empty() ? variable_attributes(variable) : attributes);
  write_zarr_chunk(path_, variable, {0, 0}, std::as_bytes(std::span(values)), sizeof(float),
                   options_.compressor);
}

void ZarrWriter::close() { folder_->close(); }

}  // namespace mosaic
