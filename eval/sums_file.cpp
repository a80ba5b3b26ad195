#include <algorithm>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "eval/document_axes.hpp"
#include "eval/init_time_sums.hpp"

namespace mosaic::eval {
namespace {

// One name per kernels::Statistic, in its order.
const std::vector<std::string> statistic_names = {"squared_error",
                                                  "error",
                                                  "absolute_error",
                                                  "spread",
                                                  "ensemble_mean_squared_error",
                                                  "variance",
                                                  "debiased_squared_error",
                                                  "energy_skill",
                                                  "energy_spread",
                                                  "anomaly_product",
                                                  "forecast_anomaly_squared",
                                                  "truth_anomaly_squared",
                                                  "error_weight",
                                                  "ensemble_weight"};
// One name per kernels::ThresholdScore, in its order.
const std::vector<std::string> threshold_score_names = {"brier", "debiased_brier", "ignorance",
                                                        "ranked_probability", "weight"};
constexpr std::int32_t without_level = 0;  // [hPa]

/// The variable and level axes of channels or spectra: strings and integers, 0 for no level.
template <class Items>
void add_channel_axis(NetcdfDocument& document, const std::string& name, const Items& items) {
  std::vector<std::string> variables;
  std::vector<std::int32_t> levels;
  for (const auto& item : items) {
    variables.push_back(item.variable);
    levels.push_back(item.level.value_or(without_level));
  }
  document.dimensions.emplace_back(name, variables.size());
  document.variables.push_back({name + "_variable", {name}, std::move(variables), {}});
  document.variables.push_back(
      {name + "_level",
       {name},
       std::move(levels),
       {{"units", std::string("hPa")}, {"comment", std::string("0 means no level")}}});
}

std::vector<Channel> read_channel_axis(const NetcdfDocument& document, const std::string& name) {
  const auto& variables = values_of<std::string>(document, name + "_variable");
  const auto& levels = values_of<std::int32_t>(document, name + "_level");
  require(variables.size() == levels.size(), ExitCode::corrupt_input, "{} variables but {} levels along {}",
          variables.size(), levels.size(), name);
  std::vector<Channel> channels;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    channels.push_back({variables[i], levels[i] == without_level ? std::nullopt : std::optional(levels[i])});
  }
  return channels;
}

/// One of InitTimeSums::arrays() in a file.
struct FileArray {
  std::string name;
  std::vector<std::string> dimensions;  ///< after init_time
  std::string long_name;
};

/// In the order of InitTimeSums::arrays(). One without values is not in a file.
const std::vector<FileArray>& file_arrays() {
  static const std::vector<FileArray> arrays = {
      {"area_mean", {"lead_time", "channel", "region", "statistic"}, "area means of pointwise statistics"},
      {"rank_counts",
       {"lead_time", "channel", "rank_kind", "rank"},
       "points by rank of the truth, without area weights"},
      {"zonal_energy_spectrum",
       {"kind", "lead_time", "spectrum", "latitude_band", "zonal_wavenumber"},
       "zonal energy spectrum, mean over a latitude band"},
      {"degree_spectrum",
       {"kind", "lead_time", "degree_quantity", "degree"},
       "power by spherical-harmonic degree"},
      {"threshold_mean",
       {"lead_time", "threshold_channel", "region", "quantile", "threshold_score"},
       "area means of scores at climatological quantiles"},
      {"reliability_counts",
       {"lead_time", "threshold_channel", "quantile", "members_above", "reliability_kind"},
       "area weights of points by members above the quantile"},
      {"map", {"map_lead", "map_channel", "map_statistic", "latitude", "longitude"}, "statistics at points"},
      {"seeps_mean", {"lead_time", "seeps_channel", "region", "seeps_kind"}, "area means of SEEPS"}};
  return arrays;
}

void add_values(NetcdfDocument& document, std::span<const InitTimeSums> all) {
  std::vector<std::int64_t> times;
  std::vector<std::int32_t> scored;
  std::vector<std::vector<double>> values(file_arrays().size());
  for (const InitTimeSums& sums : all) {
    times.push_back(sums.initial_time.seconds);
    scored.insert(scored.end(), sums.scored.begin(), sums.scored.end());
    const auto arrays = sums.arrays();
    for (std::size_t a = 0; a < arrays.size(); ++a) {
      values[a].insert(values[a].end(), arrays[a].begin(), arrays[a].end());
    }
  }
  add_axis(
      document, "init_time", std::move(times),
      {{"units", std::string("seconds since 1970-01-01")}, {"calendar", std::string("proleptic_gregorian")}});
  document.variables.push_back({"scored",
                                {"init_time", "lead_time"},
                                std::move(scored),
                                {{"comment", std::string("0 where there was no truth")}}});
  for (std::size_t a = 0; a < values.size(); ++a) {
    const FileArray& array = file_arrays()[a];
    if (!values[a].empty()) {
      std::vector<std::string> dimensions = {"init_time"};
      dimensions.insert(dimensions.end(), array.dimensions.begin(), array.dimensions.end());
      document.variables.push_back(
          {array.name, std::move(dimensions), std::move(values[a]), {{"long_name", array.long_name}}});
    }
  }
}

void add_threshold_axes(NetcdfDocument& document, const InitTimeSums& sums) {
  add_channel_axis(document, "threshold_channel", sums.thresholds.channels);
  add_axis(document, "quantile", sums.thresholds.quantiles);
  add_axis(document, "threshold_score", threshold_score_names);
  document.dimensions.emplace_back("members_above", static_cast<std::size_t>(sums.members) + 1);
  add_axis(document, "reliability_kind", std::vector<std::string>{"forecasts", "occurrences"});
}

void add_map_axes(NetcdfDocument& document, const MapSums& maps) {
  std::vector<std::int64_t> leads;
  for (const Duration lead : maps.leads) {
    leads.push_back(lead.seconds);
  }
  add_axis(document, "map_lead", std::move(leads), {{"units", std::string("seconds")}});
  add_channel_axis(document, "map_channel", maps.channels);
  add_axis(document, "map_statistic",
           std::vector<std::string>(statistic_names.begin(),
                                    statistic_names.begin() + kernels::map_statistic_count));
  add_axis(document, "latitude", maps.latitude, {{"units", std::string("degrees_north")}});
  add_axis(document, "longitude", maps.longitude, {{"units", std::string("degrees_east")}});
}

/// All have the same axes and ascending initial times.
NetcdfDocument document_of(std::span<const InitTimeSums> all) {
  const InitTimeSums& first = all.front();
  NetcdfDocument document;
  add_lead_times(document, first.leads);
  add_channel_axis(document, "channel", first.channels);
  add_axis(document, "region", first.regions);
  add_axis(document, "statistic", statistic_names);
  add_rank_axes(document, first.members);
  if (!first.quantities.empty()) {
    add_channel_axis(document, "spectrum", first.quantities);
    add_axis(document, "kind",
             std::vector<std::string>(spectrum_kind_names.begin(), spectrum_kind_names.end()));
    add_axis(document, "latitude_band", first.bands);
    std::vector<std::int64_t> wavenumbers(first.wavenumbers);
    for (std::size_t k = 0; k < wavenumbers.size(); ++k) {
      wavenumbers[k] = static_cast<std::int64_t>(k);
    }
    add_axis(document, "zonal_wavenumber", std::move(wavenumbers));
  }
  if (first.by_degree.degrees > 0) {
    add_channel_axis(document, "degree_quantity", first.by_degree.quantities);
    add_degree_axis(document, first.by_degree.degrees);
  }
  if (!first.thresholds.channels.empty()) {
    add_threshold_axes(document, first);
  }
  if (!first.seeps.channels.empty()) {
    add_channel_axis(document, "seeps_channel", first.seeps.channels);
    add_axis(document, "seeps_kind", std::vector<std::string>{"members", "ensemble_mean"});
  }
  if (!first.maps.channels.empty()) {
    add_map_axes(document, first.maps);
  }
  add_values(document, all);
  document.attributes = {
      {"title", std::string("sums of scores by initial time")},
      {"ensemble_size", static_cast<std::int64_t>(first.members)},
      {"weights", std::string("sine of latitude between cell edges half way in angle, closed at the poles")}};
  return document;
}

std::int64_t integer_attribute(const NetcdfDocument& document, const std::string& name) {
  for (const auto& [key, value] : document.attributes) {
    if (const auto* number = std::get_if<std::int64_t>(&value); number != nullptr && key == name) {
      return *number;
    }
  }
  fail(ExitCode::corrupt_input, "a file of sums must have the integer attribute {}", name);
}

/// Axes and empty values of one initial time of the document.
InitTimeSums read_axes(const NetcdfDocument& document) {
  InitTimeSums sums;
  sums.members = static_cast<int>(integer_attribute(document, "ensemble_size"));
  sums.leads = read_lead_times(document);
  sums.channels = read_channel_axis(document, "channel");
  sums.regions = values_of<std::string>(document, "region");
  require(values_of<std::string>(document, "statistic") == statistic_names, ExitCode::corrupt_input,
          "the statistics of a file of sums are not those of this version; score again");
  const auto has = [&](const char* name) {
    return std::any_of(document.dimensions.begin(), document.dimensions.end(),
                       [name](const auto& dimension) { return dimension.first == name; });
  };
  if (has("seeps_channel")) {
    sums.seeps.channels = read_channel_axis(document, "seeps_channel");
  }
  if (has("map_channel")) {
    sums.maps.channels = read_channel_axis(document, "map_channel");
    for (const std::int64_t seconds : values_of<std::int64_t>(document, "map_lead")) {
      sums.maps.leads.push_back({seconds});
    }
    sums.maps.latitude = values_of<double>(document, "latitude");
    sums.maps.longitude = values_of<double>(document, "longitude");
    require(document.dimension("map_statistic") == kernels::map_statistic_count, ExitCode::corrupt_input,
            "the maps of a file of sums are not those of this version; score again");
  }
  if (has("threshold_channel")) {
    sums.thresholds.channels = read_channel_axis(document, "threshold_channel");
    sums.thresholds.quantiles = values_of<double>(document, "quantile");
    require(values_of<std::string>(document, "threshold_score") == threshold_score_names,
            ExitCode::corrupt_input,
            "the scores at quantiles of a file of sums are not those of this version; score again");
  }
  if (has("degree")) {
    for (const Channel& channel : read_channel_axis(document, "degree_quantity")) {
      sums.by_degree.quantities.push_back({channel.variable, channel.level, {}});
    }
    sums.by_degree.degrees = document.dimension("degree");
  }
  if (has("spectrum")) {
    for (const Channel& channel : read_channel_axis(document, "spectrum")) {
      sums.quantities.push_back({channel.variable, channel.level, {}});
    }
    sums.bands = values_of<std::string>(document, "latitude_band");
    sums.wavenumbers = document.dimension("zonal_wavenumber");
  }
  return sums;
}

}  // namespace

NetcdfDocument to_netcdf(const InitTimeSums& sums, const ScoreOptions& options) {
  require(sums.leads == options.leads && sums.channels == options.channels,
          "the sums of {} belong to other lead times or channels than the options",
          to_string(sums.initial_time));
  return document_of(std::span(&sums, 1));
}

std::vector<InitTimeSums> all_from_netcdf(const NetcdfDocument& document) {
  InitTimeSums axes = read_axes(document);
  axes.reset();
  const auto& times = values_of<std::int64_t>(document, "init_time");
  const auto& scored = values_of<std::int32_t>(document, "scored");
  const std::size_t leads = axes.leads.size();
  require(scored.size() == times.size() * leads, ExitCode::corrupt_input,
          "the values of a file of sums do not fit its axes: {} of scored", scored.size());
  std::vector<InitTimeSums> all(times.size(), axes);
  for (std::size_t t = 0; t < times.size(); ++t) {
    all[t].initial_time = {times[t]};
    std::transform(&scored[t * leads], &scored[t * leads] + leads, all[t].scored.begin(),
                   [](std::int32_t flag) { return flag != 0 ? 1 : 0; });
  }
  for (std::size_t a = 0; a < file_arrays().size(); ++a) {
    const std::size_t size = axes.arrays()[a].size();
    if (size == 0) {
      continue;
    }
    const auto& values = values_of<double>(document, file_arrays()[a].name);
    require(values.size() == times.size() * size, ExitCode::corrupt_input,
            "the values of a file of sums do not fit its axes: {} of {}", values.size(),
            file_arrays()[a].name);
    for (std::size_t t = 0; t < times.size(); ++t) {
      std::copy_n(values.data() + t * size, size, all[t].arrays()[a].begin());
    }
  }
  return all;
}

InitTimeSums from_netcdf(const NetcdfDocument& document) {
  std::vector<InitTimeSums> all = all_from_netcdf(document);
  require(all.size() == 1, ExitCode::corrupt_input, "a file of sums has {} initial times instead of one",
          all.size());
  return std::move(all.front());
}

NetcdfDocument merge_sums(std::vector<InitTimeSums> all) {
  require(!all.empty(), ExitCode::corrupt_input, "there are no sums to merge");
  std::sort(all.begin(), all.end(),
            [](const InitTimeSums& a, const InitTimeSums& b) { return a.initial_time < b.initial_time; });
  for (std::size_t t = 1; t < all.size(); ++t) {
    require_same_axes(all[0], all[t]);
    require(all[t - 1].initial_time != all[t].initial_time, ExitCode::corrupt_input,
            "initial time {} occurs twice among the sums; remove one of its files",
            to_string(all[t].initial_time));
  }
  return document_of(all);
}

}  // namespace mosaic::eval
