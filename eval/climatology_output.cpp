#include "eval/climatology_output.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "eval/climatology_times.hpp"
#include "stores/zarr_folder.hpp"

namespace mosaic::eval {
namespace {

namespace fs = std::filesystem;
using Attributes = ZarrFolder::Attributes;

constexpr BloscCompressor compressor = BloscCompressor::lz4;

constexpr const char* recipe =
    "by hour of the day; years stacked on dayofyear 1 ... 366, dayofyear 366 of a year without it is its "
    "dayofyear 365; window over days of the periodic year with triangular weights, from 0 to 1 and back to "
    "0, divided by their mean; statistics over window and years";
constexpr const char* missing_rule =
    "missing values (NaN) are left out and the weights of the others count; a day without any value is NaN";

std::string definition(ClimatologyStatistic statistic, const std::string& suffix) {
  switch (statistic) {
    case ClimatologyStatistic::mean:
      return "weighted mean: sum w x / sum w";
    case ClimatologyStatistic::deviation:
      return "weighted standard deviation of the population: sqrt(sum w (x - mean)^2 / sum w)";
    case ClimatologyStatistic::quantile:
      return "weighted quantile, linear (type 7) with Kish's effective sample size, as xarray has it";
    case ClimatologyStatistic::seeps:
      break;
  }
  return suffix == "_seeps_threshold"
             ? "weighted 2/3 quantile of the values that are not dry"
             : "part of the values in the window (both ends included, without weights) that are dry";
}

Attributes attributes_of(const std::string& variable, const ClimatologyField& field, std::size_t window) {
  const VariableInfo* info = find_variable(variable);
  const std::string what = info == nullptr ? variable : info->long_name;
  static const std::map<std::string, std::string> names = {{"", "mean"},
                                                           {"_std", "standard deviation"},
                                                           {"_quantile", "quantile"},
                                                           {"_seeps_threshold", "light-heavy threshold"},
                                                           {"_seeps_dry_fraction", "dry fraction"}};
  Attributes attributes = {
      {"long_name", fmt::format("climatological {} of {}", names.at(field.suffix), what)},
      {"definition", fmt::format("{}; {} days", definition(field.statistic, field.suffix), window)}};
  if (field.statistic == ClimatologyStatistic::seeps) {
    attributes["dry"] = fmt::format("below {} mm", *dry_threshold(variable) * 1000.0);
  }
  if (field.suffix == "_seeps_dry_fraction") {
    attributes["units"] = "1";
  } else if (info != nullptr) {
    attributes["units"] = info->units;
    if (field.suffix.empty() && !info->standard_name.empty()) {
      attributes["standard_name"] = info->standard_name;
    }
  }
  return attributes;
}

Attributes group_attributes(const ClimatologyContents& contents) {
  return {{"title", "climatology by day of year and hour of day"},
          {"source", contents.source},
          {"recipe", recipe},
          {"missing_values", missing_rule},
          {"window_days", fmt::format("{}", contents.window)},
          {"years", fmt::format("{}-{}", contents.years.front(), contents.years.back())},
          {"times_left_out", fmt::format("{}", contents.missing_times)},
          {"references", "WeatherBench 2, Rasp et al. 2024, doi:10.1029/2023MS004019"}};
}

void add_coordinates(ZarrFolder& folder, const ClimatologyContents& contents) {
  std::vector<std::int64_t> days(climatology_days);
  std::iota(days.begin(), days.end(), std::int64_t{1});
  folder.add_coordinate("hour", std::vector<std::int64_t>(contents.hours.begin(), contents.hours.end()),
                        {{"long_name", "hour of the day, UTC"}});
  folder.add_coordinate("dayofyear", days, {{"long_name", "day of the year"}});
  if (const auto levels = contents.levels(); !levels.empty()) {
    folder.add_coordinate("level", std::vector<std::int64_t>(levels.begin(), levels.end()),
                          {{"standard_name", "air_pressure"}, {"units", "hPa"}, {"positive", "down"}});
  }
  if (!contents.quantiles.empty()) {
    folder.add_coordinate("quantile", contents.quantiles, {{"long_name", "probability of the quantile"}});
  }
  folder.add_coordinate("longitude", contents.grid->longitude,
                        {{"standard_name", "longitude"}, {"units", "degrees_east"}});
  folder.add_coordinate("latitude", contents.grid->latitude,
                        {{"standard_name", "latitude"}, {"units", "degrees_north"}});
}

void add_variable(ZarrFolder& folder, const ClimatologyContents& contents, const Channel& channel,
                  const ClimatologyField& field) {
  const LatLonGrid& grid = *contents.grid;
  std::vector<std::string> dimensions = {"hour", "dayofyear", "longitude", "latitude"};
  std::vector<std::size_t> shape = {contents.hours.size(), climatology_days, grid.longitude.size(),
                                    grid.latitude.size()};
  std::vector<std::size_t> chunks = {1, contents.chunk_days(), shape[2], shape[3]};
  if (channel.level) {
    dimensions.insert(dimensions.begin() + 2, "level");
    shape.insert(shape.begin() + 2, contents.levels().size());
    chunks.insert(chunks.begin() + 2, 1);
  }
  if (field.quantile) {
    dimensions.insert(dimensions.begin(), "quantile");
    shape.insert(shape.begin(), contents.quantiles.size());
    chunks.insert(chunks.begin(), 1);
  }
  folder.add_array(channel.variable + field.suffix, dimensions, shape, chunks,
                   attributes_of(channel.variable, field, contents.window));
}

}  // namespace

std::optional<double> dry_threshold(const std::string& variable) {
  constexpr double in_a_day = 0.25e-3;
  constexpr double in_six_hours = 0.1e-3;
  if (variable == "total_precipitation_24hr") {
    return in_a_day;
  }
  return variable == "total_precipitation_6hr" ? std::optional(in_six_hours) : std::nullopt;
}

std::vector<int> ClimatologyContents::levels() const {
  std::set<int> levels;
  for (const Channel& channel : channels) {
    if (channel.level) {
      levels.insert(*channel.level);
    }
  }
  return {levels.begin(), levels.end()};
}

std::vector<ClimatologyField> ClimatologyContents::fields(const std::string& variable) const {
  std::vector<ClimatologyField> fields;
  if (statistics.contains(ClimatologyStatistic::mean)) {
    fields.push_back({ClimatologyStatistic::mean, "", {}});
  }
  if (statistics.contains(ClimatologyStatistic::deviation)) {
    fields.push_back({ClimatologyStatistic::deviation, "_std", {}});
  }
  for (std::size_t q = 0; q < quantiles.size(); ++q) {
    fields.push_back({ClimatologyStatistic::quantile, "_quantile", q});
  }
  if (statistics.contains(ClimatologyStatistic::seeps) && dry_threshold(variable)) {
    fields.push_back({ClimatologyStatistic::seeps, "_seeps_threshold", {}});
    fields.push_back({ClimatologyStatistic::seeps, "_seeps_dry_fraction", {}});
  }
  return fields;
}

std::size_t ClimatologyContents::chunk_days() const {
  constexpr std::size_t chunk_bytes = std::size_t{8} << 20;
  return std::clamp<std::size_t>(chunk_bytes / (grid->points() * sizeof(float)), 1, climatology_days);
}

std::size_t ClimatologyContents::chunk_count() const {
  return (climatology_days + chunk_days() - 1) / chunk_days();
}

ClimatologyOutput::ClimatologyOutput(std::string path, ClimatologyContents contents)
    : path_(std::move(path)), contents_(std::move(contents)) {
  while (path_.size() > 1 && path_.back() == '/') {
    path_.pop_back();
  }
}

void ClimatologyOutput::create() const {
  require(!fs::exists(path_), ExitCode::cannot_create, "{}: exists already; remove it or choose another name",
          path_);
  require(!fs::exists(unfinished()), ExitCode::cannot_create,
          "{}: an interrupted run left it, or another run is writing it; remove it or choose another OUTPUT",
          unfinished());
  ZarrFolder folder(unfinished(), group_attributes(contents_), compressor);
  add_coordinates(folder, contents_);
  std::set<std::string> made;
  for (const Channel& channel : contents_.channels) {
    for (const ClimatologyField& field : contents_.fields(channel.variable)) {
      if (made.insert(channel.variable + field.suffix).second) {
        add_variable(folder, contents_, channel, field);
      }
    }
  }
  folder.close();
}

void ClimatologyOutput::write(const Channel& channel, const ClimatologyField& field, std::size_t hour,
                              std::size_t chunk, std::span<const float> values) const {
  const LatLonGrid& grid = *contents_.grid;
  const std::size_t rows = grid.latitude.size();
  const std::size_t columns = grid.longitude.size();
  std::vector<float> stored(contents_.chunk_days() * grid.points(), std::numeric_limits<float>::quiet_NaN());
  for (std::size_t k = 0; k < values.size(); ++k) {
    const std::size_t day = k / grid.points();
    const std::size_t point = k % grid.points();
    stored[(day * columns + point % columns) * rows + point / columns] = values[k];
  }
  std::vector<std::size_t> place = {hour, chunk, 0, 0};
  if (channel.level) {
    const std::vector<int> levels = contents_.levels();
    const auto level = std::lower_bound(levels.begin(), levels.end(), *channel.level) - levels.begin();
    place.insert(place.begin() + 2, static_cast<std::size_t>(level));
  }
  if (field.quantile) {
    place.insert(place.begin(), *field.quantile);
  }
  write_zarr_chunk(unfinished(), channel.variable + field.suffix, place, std::as_bytes(std::span(stored)),
                   sizeof(float), compressor);
}

void ClimatologyOutput::finish() const {
  std::error_code problem;
  fs::rename(unfinished(), path_, problem);
  require(!problem, ExitCode::io_error, "{}: cannot be renamed to {}: {}", unfinished(), path_,
          problem.message());
}

void ClimatologyOutput::discard() const {
  std::error_code unimportant;
  fs::remove_all(unfinished(), unimportant);
}

}  // namespace mosaic::eval
