#include <algorithm>
#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/machine.hpp"
#include "base/version.hpp"
#include "campaign/initial_times.hpp"
#include "eval/regions.hpp"
#include "forecast/baseline_forecasts.hpp"
#include "forecast/evaluation.hpp"
#include "forecast/evaluation_reader.hpp"
#include "forecast/precipitation_forecasts.hpp"
#include "forecast/score_channels.hpp"
#include "stores/netcdf_probe.hpp"

namespace mosaic {

namespace {

ForecastStoreOptions forecast_options(const EvaluationConfig& config) {
  const auto& forecast = config.forecast;
  ForecastStoreOptions options;
  options.threads = config.threads;
  options.allow_missing_chunks = forecast.allow_missing_chunks;
  options.verify_checksums = forecast.verify_checksums;
  options.members.assign(forecast.members.begin(), forecast.members.end());
  options.rename = names_from(forecast.rename);
  return options;
}

/// States that a baseline is made from: the truth, unless another store is named.
FieldsConfig states_of_baseline(const EvaluationConfig& config) {
  if (config.forecast.path.empty()) {
    return config.truth;
  }
  FieldsConfig fields;
  fields.path = config.forecast.path;
  fields.allow_missing_chunks = config.forecast.allow_missing_chunks;
  fields.verify_checksums = config.forecast.verify_checksums;
  return fields;
}

std::vector<PersistentMember> persistent_members(const EvaluationConfig& config) {
  FieldsConfig fields = states_of_baseline(config);
  std::vector<PersistentMember> members;
  for (const int number : config.forecast.members) {
    fields.member = number;
    members.push_back({number, open_field_store(fields.path, store_options(fields, config.threads))});
  }
  if (members.empty()) {
    members.push_back({0, open_field_store(fields.path, store_options(fields, config.threads))});
  }
  return members;
}

std::unique_ptr<ForecastStore> open_forecasts(const EvaluationSetup& setup) {
  const EvaluationConfig& config = setup.config;
  const std::string& kind = config.forecast.kind;
  if (kind == "store") {
    return with_precipitation_windows(open_forecast_store(config.forecast.path, forecast_options(config)));
  }
  const std::vector<Time> times = initial_times(config.times);
  std::vector<Duration> leads = config.lead_times;
  std::sort(leads.begin(), leads.end());
  if (kind == "persistence") {
    return persistence_forecasts(persistent_members(config), times, leads);
  }
  if (kind == "climatology") {
    return climatology_forecasts(*setup.climatology, times, leads);
  }
  const LeapDay leap_day = config.forecast.leap_day == "missing" ? LeapDay::missing : LeapDay::next_day;
  return probabilistic_climatology(
      open_field_store(config.forecast.path, store_options(states_of_baseline(config), config.threads)),
      config.forecast.years, leap_day, times, leads);
}

/// All that is wanted and not there; missing ones that may be are logged.
class Missing {
 public:
  void add(bool is_error, const std::string& what, const std::vector<std::string>& items) {
    if (items.empty()) {
      return;
    }
    constexpr std::size_t shown = 10;
    std::vector<std::string> first(
        items.begin(), items.begin() + static_cast<std::ptrdiff_t>(std::min(shown, items.size())));
    const std::string text = fmt::format("{}: {} in all: {}{}", what, items.size(), fmt::join(first, ", "),
                                         items.size() > shown ? ", ..." : "");
    if (is_error) {
      errors_.push_back(text);
    } else {
      log_warning("{}; scored without them", text);
    }
  }
  void require_nothing() const {
    require(errors_.empty(), ExitCode::missing_input, "{}", fmt::join(errors_, "\n"));
  }

 private:
  std::vector<std::string> errors_;
};

void check_times(const EvaluationSetup& setup) {
  std::vector<std::string> no_forecast;
  std::vector<std::string> no_truth;
  for (const Time time : setup.initial_times) {
    for (const Duration lead : setup.leads) {
      if (!setup.forecast->has_time(time, lead)) {
        no_forecast.push_back(fmt::format("{} + {}", to_string(time), to_string(lead)));
      }
      if (!setup.truth->has_time(time + lead)) {
        no_truth.push_back(to_string(time + lead));
      }
    }
  }
  std::sort(no_truth.begin(), no_truth.end());
  no_truth.erase(std::unique(no_truth.begin(), no_truth.end()), no_truth.end());
  Missing missing;
  missing.add(setup.config.missing_forecast == "error",
              setup.forecast->path() +
                  " has no forecast at some initial times and leads "
                  "(score.missing_forecast: per-lead scores the others)",
              no_forecast);
  missing.add(setup.config.score.missing_truth == "error",
              setup.truth->path() +
                  " has no state at some valid times (score.missing_truth: per-lead scores "
                  "the others)",
              no_truth);
  missing.require_nothing();
}

void check_channels(const EvaluationSetup& setup) {
  Missing missing;
  missing.add(true,
              setup.forecast->path() + " does not have channels that are to be scored, nor their sources",
              channels_of_forecast(setup).missing());
  missing.add(true, setup.truth->path() + " does not have channels that are to be scored, nor their sources",
              channels_of_truth(setup).missing());
  missing.require_nothing();
}

/// The standard ones where the forecasts do not list theirs.
std::vector<int> column_levels(const ForecastStore& forecast) {
  const ChannelSet listed = forecast.channels();
  return levels_of(listed.empty() ? mosaic_channels() : listed);
}

eval::ScoreOptions score_options(const EvaluationSetup& setup) {
  eval::ScoreOptions score = score_options(setup.config.score, setup.config.threads);
  if (score.channels.empty()) {
    for (const Channel& channel : setup.forecast->channels()) {
      if (setup.truth->has(channel)) {
        score.channels.push_back(channel);
      }
    }
  }
  require(
      !score.channels.empty(), ExitCode::missing_input,
      "{} and {} have no channel in common: nothing can be scored (forecast.rename names variables of the "
      "forecasts)",
      setup.forecast->path(), setup.truth->path());
  score.leads = setup.leads;
  add_maps(score, setup.config.score);
  score.grid = to_string(*setup.grid);
  if (setup.climatology != nullptr) {
    add_climatology(score, setup.config.score, *setup.climatology, *setup.grid);
  }
  score.land_mask = land_mask_for(score.regions, *setup.truth);
  return score;
}

RunIdentity identity_of(const EvaluationSetup& setup) {
  ConfigSchema schema;
  EvaluationConfig config = setup.config;
  add_evaluation_keys(schema, config);
  RunIdentity identity;
  for (const auto& [path, value] : schema.values()) {
    const bool changes_bits = !path.starts_with("log.") && path != "output.folder" && path != "on_error" &&
                              path != "parallel.threads" && path.find(".verify_") == std::string::npos;
    if (changes_bits) {
      identity["configuration." + path] = value;
    }
  }
  identity["forecast"] = setup.forecast->identity();
  identity["truth"] = setup.truth->identity();
  if (setup.climatology != nullptr) {
    identity["climatology"] = setup.climatology->identity();
  }
  identity["program"] = version_text();
  for (const auto& [name, value] : machine_identity()) {
    identity["machine." + name] = value;
  }
  return identity;
}

}  // namespace

DerivedChannels channels_of_forecast(const EvaluationSetup& setup) {
  return DerivedChannels(
      scored_channels(setup.score), setup.grid,
      [&](const Channel& channel) { return setup.forecast->has(channel); },
      [&](const Channel& channel) { return setup.truth->has(channel); }, column_levels(*setup.forecast));
}

DerivedChannels channels_of_truth(const EvaluationSetup& setup) {
  return DerivedChannels(
      scored_channels(setup.score), setup.grid,
      [&](const Channel& channel) { return setup.truth->has(channel); },
      [&](const Channel& channel) { return setup.forecast->has(channel); }, column_levels(*setup.forecast));
}

void probe_evaluation_input(const EvaluationConfig& config) {
  probe_netcdf(config.truth.path, store_options(config.truth, 1));
  if (config.forecast.kind == "store") {
    probe_forecasts(config.forecast.path, forecast_options(config));
  } else if (!config.forecast.path.empty()) {
    FieldsConfig states = states_of_baseline(config);
    if (!config.forecast.members.empty()) {
      states.member = config.forecast.members.front();
    }
    probe_netcdf(states.path, store_options(states, 1));
  }
  if (!config.climatology.path.empty()) {
    probe_climatology(config.climatology.path, climatology_options(config.climatology, 1));
  }
}

EvaluationSetup set_up_evaluation(const EvaluationConfig& config) {
  check_consistency(config);
  EvaluationSetup setup;
  setup.config = config;
  setup.truth = open_field_store(config.truth.path, store_options(config.truth, config.threads));
  setup.climatology = open_climatology(config.climatology, config.threads);
  setup.forecast = open_forecasts(setup);
  setup.grid = std::make_shared<const LatLonGrid>(setup.truth->grid());
  require_same_grid(*setup.grid, setup.forecast->grid(), setup.forecast->path(), "forecast");
  setup.initial_times =
      names_initial_times(config.times) ? initial_times(config.times) : setup.forecast->initial_times();
  setup.leads = config.lead_times.empty() ? setup.forecast->leads() : config.lead_times;
  std::sort(setup.leads.begin(), setup.leads.end());
  setup.leads.erase(std::unique(setup.leads.begin(), setup.leads.end()), setup.leads.end());
  setup.score = score_options(setup);
  check_channels(setup);
  check_times(setup);
  setup.identity = identity_of(setup);
  return setup;
}

std::string evaluation_plan(const EvaluationSetup& setup, int ranks, const Shard& shard) {
  const std::size_t channels = scored_channels(setup.score).size();
  const auto bytes = static_cast<double>(bytes_of_fields(setup));
  std::string text = fmt::format(
      "initial times: {} ({} ... {})\nlead times: {} ({} ... {})\nmembers: {}\nchannels: {}\ngrid: {}\n",
      setup.initial_times.size(), to_string(setup.initial_times.front()),
      to_string(setup.initial_times.back()), setup.leads.size(), to_string(setup.leads.front()),
      to_string(setup.leads.back()), setup.forecast->members(), channels, to_string(*setup.grid));
  text += fmt::format(
      "ranks: {}, each with up to {:.1f} MB of fields (a lead time that is scored and one that is read "
      "meanwhile) and of chunks that hold several leads\n",
      ranks, bytes / 1e6);
  const auto sums =
      static_cast<double>(eval::empty_sums(setup.score, *setup.grid, setup.forecast->members()).bytes());
  text += fmt::format("sums: {:.2f} MB per initial time, {:.0f} MB in all\n", sums / 1e6,
                      sums * static_cast<double>(times_of_shard(setup.initial_times, shard).size()) / 1e6);
  if (shard.count > 1) {
    text += fmt::format("shard {}/{}: {} initial times\n", shard.index, shard.count,
                        times_of_shard(setup.initial_times, shard).size());
  }
  return text;
}

}  // namespace mosaic
