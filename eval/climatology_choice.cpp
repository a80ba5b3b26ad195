#include "eval/climatology_choice.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "fields/same_levels.hpp"
#include "stores/path_list.hpp"

namespace mosaic::eval {
namespace {

template <class Value>
bool contains(const std::vector<Value>& values, const Value& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// The channels that were asked for, in the order of the store. Errors: missing_input naming all that are not
/// there.
ChannelSet chosen_channels(const ClimatologyRequest& request, const FieldStore& store) {
  const ChannelSet all = store.contents().channels;
  if (request.variables.empty() && request.channels.empty()) {
    return all;
  }
  ChannelSet chosen;
  std::set<std::string> found;
  for (const Channel& channel : all) {
    if (contains(request.variables, channel.variable) || contains(request.channels, channel.name())) {
      chosen.push_back(channel);
      found.insert({channel.variable, channel.name()});
    }
  }
  std::vector<std::string> absent;
  for (const auto* list : {&request.variables, &request.channels}) {
    std::copy_if(list->begin(), list->end(), std::back_inserter(absent),
                 [&](const std::string& name) { return !found.contains(name); });
  }
  std::set<std::string> names;
  for (const Channel& channel : all) {
    names.insert(channel.variable);
  }
  require(absent.empty(), ExitCode::missing_input, "{}: missing: {}; variables by time are {}", request.input,
          fmt::join(absent, ", "), fmt::join(names, ", "));
  return chosen;
}

ClimatologyPeriod period_of(const ClimatologyRequest& request, const std::vector<Time>& times) {
  ClimatologyPeriod period;
  const auto new_year = [](int year) { return parse_time(fmt::format("{:04d}-01-01", year)); };
  period.first = request.first.value_or(new_year(calendar(times.front()).year));
  period.last = request.last.value_or(new_year(calendar(times.back()).year + 1) - Duration{1});
  require(period.first <= period.last, ExitCode::bad_configuration,
          "the climatology ends {} before it begins {}", to_string(period.last), to_string(period.first));
  period.hours = request.hours.empty() ? hours_of_day(times, request.input) : request.hours;
  std::sort(period.hours.begin(), period.hours.end());
  period.hours.erase(std::unique(period.hours.begin(), period.hours.end()), period.hours.end());
  return period;
}

void require_times(const ClimatologyRequest& request, const ClimatologyTimes& times) {
  const std::size_t all = times.present.size() + times.missing.size();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < std::min<std::size_t>(times.missing.size(), 9); ++i) {
    names.push_back(to_string(times.missing[i]));
  }
  require(!times.present.empty(), ExitCode::missing_input,
          "{}: has none of the {} times of {}-{} at the hours {}", request.input, all, times.years.front(),
          times.years.back(), fmt::join(times.hours, ", "));
  require(
      times.missing.empty() || request.allow_missing, ExitCode::missing_input,
      "{}: {} of {} times of the whole years {}-{} at the hours {} are missing: {}; choose other years or "
      "hours, or leave missing times out (--allow-missing)",
      request.input, times.missing.size(), all, times.years.front(), times.years.back(),
      fmt::join(times.hours, ", "), some_of(names));
}

}  // namespace

ClimatologyTimes chosen_times(const ClimatologyRequest& request, const FieldStore& store) {
  ClimatologyTimes times = climatology_times(store.times(), period_of(request, store.times()));
  require_times(request, times);
  return times;
}

ClimatologyContents chosen_contents(const ClimatologyRequest& request, const FieldStore& store,
                                    const ClimatologyTimes& times) {
  ClimatologyContents contents;
  contents.grid = std::make_shared<const LatLonGrid>(store.grid());
  contents.hours = times.hours;
  contents.channels = chosen_channels(request, store);
  require(!contents.channels.empty(), ExitCode::corrupt_input, "{}: holds no variable by time",
          request.input);
  require_same_levels(contents.channels, ExitCode::bad_configuration, request.input,
                      "variables of one climatology must have the same: make one for each");
  contents.statistics = request.statistics;
  contents.quantiles = request.quantiles;
  contents.window = request.window;
  contents.years = times.years;
  contents.missing_times = times.missing.size();
  contents.source = std::filesystem::path(request.input).filename().string();
  const bool has_precipitation =
      std::any_of(contents.channels.begin(), contents.channels.end(),
                  [](const Channel& channel) { return dry_threshold(channel.variable).has_value(); });
  if (request.seeps_if_possible && has_precipitation) {
    contents.statistics.insert(ClimatologyStatistic::seeps);
  }
  require(
      !contents.statistics.contains(ClimatologyStatistic::seeps) || has_precipitation,
      ExitCode::missing_input,
      "{}: seeps needs total_precipitation_24hr or total_precipitation_6hr, and neither is chosen or there",
      request.input);
  return contents;
}

}  // namespace mosaic::eval
