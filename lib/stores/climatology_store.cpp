#include "stores/climatology_store.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic {

namespace {

/// How far a stored quantile may be from the one that is asked for (WeatherBench 2).
constexpr double quantile_tolerance = 0.01;
constexpr double rounding = 1e-9;

std::size_t position(const std::vector<int>& values, int wanted) {
  return static_cast<std::size_t>(std::find(values.begin(), values.end(), wanted) - values.begin());
}

std::string suffix_of(ClimatologyPart part) {
  switch (part) {
    case ClimatologyPart::deviation:
      return "_std";
    case ClimatologyPart::quantile:
      return "_quantile";
    case ClimatologyPart::mean:
      break;
  }
  return "";
}

}  // namespace

ClimatologyStore::ClimatologyStore(const std::string& path, const ClimatologyOptions& options)
    : options_(options), arrays_(open_labelled_arrays(path, {options.rename, options.verify_checksums})) {
  for (const auto& [stored, name] : options.rename) {
    const auto& renamed = arrays_.file().renamed();
    require(std::find(renamed.begin(), renamed.end(), stored) != renamed.end(), ExitCode::missing_input,
            "{}: rename: there is no variable or dimension {} to be {}", path, stored, name);
  }
  find_axes();
  std::string text = arrays_.identity_text();
  for (const auto& [stored, name] : options.rename) {
    text += stored + " is " + name + "\n";
  }
  identity_ = sha256_of_text(text + fmt::format("hours {} days {} quantiles {}", fmt::join(hours_, " "),
                                                fmt::join(days_, " "), fmt::join(quantiles_, " ")));
}

bool ClimatologyStore::is_climatology(const GriddedArrays& arrays) {
  return !arrays.find_axis(AxisRole::day_of_year).empty();
}

std::vector<int> ClimatologyStore::whole_numbers(const std::string& axis, int lowest, int highest) {
  std::vector<int> values;
  std::set<int> seen;
  for (const double value : arrays_.file().read_coordinate(axis)) {
    require(value == std::round(value) && value >= lowest && value <= highest, ExitCode::corrupt_input,
            "{}: {} {} is no whole number {} ... {}", path(), axis, value, lowest, highest);
    values.push_back(static_cast<int>(value));
    require(seen.insert(values.back()).second, ExitCode::corrupt_input, "{}: {} {} occurs twice", path(),
            axis, value);
  }
  return values;
}

void ClimatologyStore::find_axes() {
  constexpr int last_day = 366;
  constexpr int last_hour = 23;
  const std::string days = arrays_.find_axis(AxisRole::day_of_year);
  require(!days.empty(), ExitCode::missing_input,
          "{}: is no climatology: the coordinate dayofyear is absent; where it has another name, rename it",
          path());
  days_ = whole_numbers(days, 1, last_day);
  arrays_.declare(days, AxisRole::day_of_year);
  if (const std::string hours = arrays_.find_axis(AxisRole::hour); !hours.empty()) {
    hours_ = whole_numbers(hours, 0, last_hour);
    arrays_.declare(hours, AxisRole::hour);
  }
  if (const std::string quantiles = arrays_.find_axis(AxisRole::quantile); !quantiles.empty()) {
    quantiles_ = arrays_.file().read_coordinate(quantiles);
    for (const double value : quantiles_) {
      require(value >= 0.0 && value <= 1.0, ExitCode::corrupt_input, "{}: quantile {} is outside 0 ... 1",
              path(), value);
    }
    arrays_.declare(quantiles, AxisRole::quantile);
  }
}

Channel ClimatologyStore::stored_channel(const Channel& channel, ClimatologyPart part) const {
  Channel stored{channel.variable + suffix_of(part), channel.level};
  if (part == ClimatologyPart::mean && !arrays_.has(stored.variable) &&
      arrays_.has(channel.variable + "_mean")) {
    stored.variable = channel.variable + "_mean";
  }
  return stored;
}

std::string ClimatologyStore::obstacle(const Channel& channel, ClimatologyPart part) const {
  std::set<AxisRole> axes = {AxisRole::day_of_year};
  if (!hours_.empty()) {
    axes.insert(AxisRole::hour);
  }
  if (part == ClimatologyPart::quantile) {
    axes.insert(AxisRole::quantile);
  }
  return arrays_.obstacle(stored_channel(channel, part), axes);
}

bool ClimatologyStore::has(const Channel& channel, ClimatologyPart part) const {
  return obstacle(channel, part).empty();
}

ChannelSet ClimatologyStore::channels(ClimatologyPart part) const {
  const std::string suffix = part == ClimatologyPart::mean ? "_mean" : suffix_of(part);
  ChannelSet all;
  for (Channel channel : arrays_.channels()) {
    if (part == ClimatologyPart::mean && channel.variable.ends_with(suffix_of(ClimatologyPart::deviation))) {
      continue;
    }
    if (channel.variable.ends_with(suffix)) {
      channel.variable.resize(channel.variable.size() - suffix.size());
    }
    if (has(channel, part) && std::find(all.begin(), all.end(), channel) == all.end()) {
      all.push_back(std::move(channel));
    }
  }
  return all;
}

std::vector<float> ClimatologyStore::read_at(int day_of_year, int hour, const ChannelSet& channels,
                                             ClimatologyPart part, FieldPlace place,
                                             std::vector<std::string> missing) {
  const std::size_t day = position(days_, day_of_year);
  if (day == days_.size()) {
    missing.push_back(fmt::format("day {} of the year (there are {} from {} to {})", day_of_year,
                                  days_.size(), *std::min_element(days_.begin(), days_.end()),
                                  *std::max_element(days_.begin(), days_.end())));
  }
  place.at[AxisRole::day_of_year] = day;
  if (!hours_.empty()) {
    const std::size_t index = position(hours_, hour);
    if (index == hours_.size()) {
      missing.push_back(fmt::format("hour {} (there are {})", hour, fmt::join(hours_, ", ")));
    }
    place.at[AxisRole::hour] = index;
  }
  ChannelSet stored;
  for (const Channel& channel : channels) {
    stored.push_back(stored_channel(channel, part));
    if (std::string reason = obstacle(channel, part); !reason.empty()) {
      missing.push_back(std::move(reason));
    }
  }
  require(missing.empty(), ExitCode::missing_input, "{}: missing: {}", path(), fmt::join(missing, "; "));
  std::vector<float> values(channels.size() * grid().points());
  const FieldReadOptions how{options_.threads,
                             options_.allow_missing_chunks,
                             {AxisRole::day_of_year, AxisRole::hour, AxisRole::quantile}};
  arrays_.read(stored, place, how, cache_, values.data());
  return values;
}

std::vector<float> ClimatologyStore::read(int day_of_year, int hour, const ChannelSet& channels,
                                          ClimatologyPart part) {
  require(part != ClimatologyPart::quantile, "quantiles of a climatology are read by read_quantile()");
  return read_at(day_of_year, hour, channels, part, {}, {});
}

std::vector<float> ClimatologyStore::read_quantile(int day_of_year, int hour, const Channel& channel,
                                                   double quantile) {
  FieldPlace place;
  std::vector<std::string> missing;
  const auto nearest = std::min_element(quantiles_.begin(), quantiles_.end(), [&](double a, double b) {
    return std::fabs(a - quantile) < std::fabs(b - quantile);
  });
  if (nearest == quantiles_.end() || std::fabs(*nearest - quantile) > quantile_tolerance + rounding) {
    missing.push_back(
        fmt::format("quantile {} (there are {})", quantile,
                    quantiles_.empty() ? "none" : fmt::format("{}", fmt::join(quantiles_, ", "))));
  }
  place.at[AxisRole::quantile] = static_cast<std::size_t>(nearest - quantiles_.begin());
  return read_at(day_of_year, hour, {channel}, ClimatologyPart::quantile, std::move(place),
                 std::move(missing));
}

}  // namespace mosaic
