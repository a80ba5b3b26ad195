#include "forecast/score_config.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/collect_problems.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "eval/climatology_output.hpp"
#include "eval/regions.hpp"
#include "fields/channel.hpp"
#include "forecast/score_channels.hpp"

namespace mosaic {

namespace {

/// Behind the name of a precipitation.
constexpr std::array seeps_fields = {"_seeps_dry_fraction", "_seeps_threshold"};

/// The parts of a climatology from which the scores at quantiles are made.
std::vector<ClimatologyPart> parts_for(eval::ThresholdKind kind) {
  return kind == eval::ThresholdKind::stored ? std::vector{ClimatologyPart::quantile}
                                             : std::vector{ClimatologyPart::mean, ClimatologyPart::deviation};
}

/// The channels that have all these parts; a warning names the others.
ChannelSet channels_with(const std::vector<ClimatologyPart>& parts, const ChannelSet& channels,
                         const ClimatologyStore& climatology, const std::string& what) {
  ChannelSet there;
  std::vector<std::string> without;
  for (const Channel& channel : channels) {
    if (std::all_of(parts.begin(), parts.end(),
                    [&](ClimatologyPart part) { return climatology.has(channel, part); })) {
      there.push_back(channel);
    } else {
      without.push_back(channel.name());
    }
  }
  if (!without.empty()) {
    log_warning("{}: no {} for {}, which it does not have", climatology.path(), what,
                fmt::join(without, ", "));
  }
  return there;
}

void require_quantiles(const std::vector<double>& wanted, const ClimatologyStore& climatology) {
  constexpr double tolerance = 0.01 + 1e-9;  // of ClimatologyStore::read_quantile()
  const auto& stored = climatology.quantiles();
  for (const double quantile : wanted) {
    require(
        std::any_of(stored.begin(), stored.end(),
                    [&](double other) { return std::fabs(other - quantile) <= tolerance; }),
        ExitCode::missing_input,
        "score.percentiles: {} has no quantile {} (it has {}); score.percentile_values: gaussian needs its "
        "mean and standard deviation only",
        climatology.path(), quantile, stored.empty() ? "none" : fmt::format("{}", fmt::join(stored, ", ")));
  }
}

}  // namespace

void add_score_keys(ConfigSchema& schema, ScoreConfig& score, const std::string& channels) {
  schema.key("score.channels", &score.channels, channels);
  schema.key("score.regions", &score.regions,
             "Regions: names, with _land or _any_land behind them; NAME=SOUTH:NORTH:WEST:EAST; "
             "latitude-bins:DEGREES, boxes:DEGREES");
  schema.key("score.spectra", &score.spectra,
             "Channels whose spectra are made; a u and v pair also gives kinetic energy");
  schema.key("score.spectra_by_degree", &score.spectra_by_degree,
             "Besides zonal spectra also those by spherical-harmonic degree (global grids)");
  schema
      .key("score.missing_truth", &score.missing_truth,
           "A valid time without truth: an error, or that lead is scored over the initial times that have it")
      .choices({"error", "per-lead"});
  schema.key("score.skipna", &score.skipna,
             "Leave out points, members and initial times that are NaN; otherwise a NaN makes its means NaN");
  schema
      .key("score.time_mean", &score.time_mean,
           "Each initial time counts the same (WeatherBench 2), or each valid cell by its weight "
           "(WeatherBench-X)")
      .choices({"initial-times", "pooled"});
  schema
      .key("score.seeps", &score.seeps,
           "SEEPS of precipitation where the climatology has what it needs: dry is p <= d (WeatherBench-X), "
           "or "
           "p < d and p = d is in no category (WeatherBench 2)")
      .choices({"corrected", "weatherbench2"});
  schema.key("score.seasons", &score.seasons,
             "Besides all initial times also the scores by season (DJF ... SON) of the valid time");
  schema.key("score.maps", &score.maps,
             "Scored channels of which bias, mse, mae, crps and variance are also given at every point");
  schema.key("score.map_lead_times", &score.map_lead_times, "Lead times of the maps; empty = all");
  schema
      .key("score.percentiles", &score.percentiles,
           "Climatological percentiles for Brier scores, ignorance, RPS and reliability; empty = none")
      .range(1, 99);
  schema
      .key("score.percentile_values", &score.percentile_values,
           "Values of the percentiles: stored in the climatology, or its mean and standard deviation as if "
           "Gaussian")
      .choices({"stored", "gaussian"});
}

void add_climatology_keys(ConfigSchema& schema, ClimatologyConfig& climatology) {
  schema.key("climatology.path", &climatology.path,
             "Climatology by day of year and hour, for anomaly correlations and percentiles; empty = none");
  schema.key("climatology.rename", &climatology.rename,
             "Names of variables and dimensions: NAME_IN_FILE=WEATHERBENCH_NAME");
  schema.key("climatology.allow_missing_chunks", &climatology.allow_missing_chunks,
             "Take the fill value for an absent chunk instead of stopping");
  schema.key("climatology.verify_checksums", &climatology.verify_checksums,
             "Compare all that is read with the manifest of `mosaic_data verify PATH --write-checksums`");
}

void check_names(const std::vector<std::string>& rename, std::vector<std::string>& problems) {
  for (const std::string& name : rename) {
    if (name.find('=') == std::string::npos || name.front() == '=' || name.back() == '=') {
      problems.push_back("rename: '" + name + "' is not NAME_IN_FILE=WEATHERBENCH_NAME");
    }
  }
}

void check_scores(const ScoreConfig& score, const ClimatologyConfig& climatology,
                  std::vector<std::string>& problems) {
  const auto expect = [&](bool ok, const std::string& text) {
    if (!ok) {
      problems.push_back(text);
    }
  };
  expect(!score.regions.empty(), "score.regions is empty: name at least one region");
  for (const auto* names : {&score.channels, &score.spectra, &score.maps}) {
    for (const std::string& name : *names) {
      collect_problems(problems, [&] { parse_channel(name); });
    }
  }
  collect_problems(problems, [&] { eval::regions_by_name(score.regions); });
  expect(score.percentiles.empty() || !climatology.path.empty(),
         "score.percentiles needs climatology.path (--climatology)");
  expect(!climatology.path.empty() || score.seeps == ScoreConfig{}.seeps,
         "score.seeps has no effect without climatology.path");
  expect(!score.maps.empty() || score.map_lead_times.empty(),
         "score.map_lead_times has no effect without score.maps");
  expect(!score.percentiles.empty() || score.percentile_values == ScoreConfig{}.percentile_values,
         "score.percentile_values has no effect without score.percentiles");
  expect(!climatology.path.empty() || (climatology.rename.empty() && !climatology.allow_missing_chunks &&
                                       !climatology.verify_checksums),
         "climatology.* has no effect without climatology.path");
  check_names(climatology.rename, problems);
}

std::map<std::string, std::string> names_from(const std::vector<std::string>& rename) {
  std::map<std::string, std::string> names;
  for (const std::string& entry : rename) {
    names[entry.substr(0, entry.find('='))] = entry.substr(entry.find('=') + 1);
  }
  return names;
}

ClimatologyOptions climatology_options(const ClimatologyConfig& climatology, int threads) {
  return {.threads = threads,
          .allow_missing_chunks = climatology.allow_missing_chunks,
          .verify_checksums = climatology.verify_checksums,
          .rename = names_from(climatology.rename)};
}

std::unique_ptr<ClimatologyStore> open_climatology(const ClimatologyConfig& climatology, int threads) {
  return climatology.path.empty() ? nullptr
                                  : std::make_unique<ClimatologyStore>(
                                        climatology.path, climatology_options(climatology, threads));
}

eval::ScoreOptions score_options(const ScoreConfig& score, int threads) {
  eval::ScoreOptions options;
  options.channels = parse_channels({&score.channels});
  options.spectra_channels = parse_channels({&score.spectra});
  options.regions = eval::regions_by_name(score.regions);
  options.spectra_by_degree = score.spectra_by_degree;
  options.threads = threads;
  options.seasons = score.seasons;
  options.missing = score.skipna ? kernels::MissingValues::skip : kernels::MissingValues::propagate;
  options.time_mean =
      score.time_mean == "pooled" ? eval::TimeMeanKind::pooled : eval::TimeMeanKind::initial_times;
  return options;
}

void add_maps(eval::ScoreOptions& options, const ScoreConfig& score) {
  options.maps.channels = parse_channels({&score.maps});
  options.maps.leads = score.maps.empty()             ? std::vector<Duration>{}
                       : score.map_lead_times.empty() ? options.leads
                                                      : score.map_lead_times;
  std::vector<std::string> not_scored;
  for (const Channel& channel : options.maps.channels) {
    if (std::find(options.channels.begin(), options.channels.end(), channel) == options.channels.end()) {
      not_scored.push_back(channel.name());
    }
  }
  for (const Duration lead : options.maps.leads) {
    if (std::find(options.leads.begin(), options.leads.end(), lead) == options.leads.end()) {
      not_scored.push_back(to_string(lead));
    }
  }
  require(not_scored.empty(), ExitCode::bad_configuration,
          "score.maps, score.map_lead_times: not among the scored channels and lead times: {}",
          fmt::join(not_scored, ", "));
}

void add_climatology(eval::ScoreOptions& options, const ScoreConfig& score,
                     const ClimatologyStore& climatology, const LatLonGrid& grid) {
  require_same_grid(grid, climatology.grid(), climatology.path(), "climatology");
  options.climatology = true;
  channels_with({ClimatologyPart::mean}, options.channels, climatology, "anomaly correlation");
  options.seeps.variant =
      score.seeps == "corrected" ? kernels::SeepsVariant::corrected : kernels::SeepsVariant::weatherbench2;
  for (const Channel& channel : options.channels) {
    const bool has_climate = std::all_of(seeps_fields.begin(), seeps_fields.end(), [&](const char* field) {
      return climatology.has({channel.variable + field, std::nullopt}, ClimatologyPart::mean);
    });
    if (eval::dry_threshold(channel.variable) && has_climate) {
      options.seeps.channels.push_back(channel);
    }
  }
  if (score.percentiles.empty()) {
    return;
  }
  eval::ThresholdOptions& thresholds = options.thresholds;
  thresholds.kind =
      score.percentile_values == "stored" ? eval::ThresholdKind::stored : eval::ThresholdKind::gaussian;
  for (const int percentile : score.percentiles) {
    thresholds.quantiles.push_back(percentile / 100.0);
  }
  std::sort(thresholds.quantiles.begin(), thresholds.quantiles.end());
  thresholds.quantiles.erase(std::unique(thresholds.quantiles.begin(), thresholds.quantiles.end()),
                             thresholds.quantiles.end());
  if (thresholds.kind == eval::ThresholdKind::stored) {
    require_quantiles(thresholds.quantiles, climatology);
  }
  thresholds.channels =
      channels_with(parts_for(thresholds.kind), options.channels, climatology, "scores at percentiles");
  require(!thresholds.channels.empty(), ExitCode::missing_input,
          "score.percentiles: {} has {} for no scored channel", climatology.path(),
          thresholds.kind == eval::ThresholdKind::stored ? "quantiles (VARIABLE_quantile)"
                                                         : "a mean and a standard deviation (VARIABLE_std)");
}

}  // namespace mosaic
