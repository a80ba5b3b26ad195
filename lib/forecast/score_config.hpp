#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "eval/init_time_sums.hpp"
#include "stores/climatology_store.hpp"

namespace mosaic {

/// What hindcasts and evaluations can be told about scores.
struct ScoreConfig {
  std::vector<std::string> channels;
  std::vector<std::string> regions = {"global", "tropics", "northern-hemisphere", "southern-hemisphere"};
  std::vector<std::string> spectra;
  bool spectra_by_degree = true;
  std::string missing_truth = "error";
  bool skipna = false;
  std::string time_mean = "initial-times";
  std::string seeps = "corrected";
  bool seasons = false;
  std::vector<std::string> maps;
  std::vector<Duration> map_lead_times;
  std::vector<int> percentiles;
  std::string percentile_values = "stored";
};

struct ClimatologyConfig {
  std::string path;
  std::vector<std::string> rename;
  bool allow_missing_chunks = false;
  bool verify_checksums = false;
};

/// Declares the keys score.*; `channels` explains score.channels.
void add_score_keys(ConfigSchema& schema, ScoreConfig& score, const std::string& channels);

/// Declares the keys climatology.*.
void add_climatology_keys(ConfigSchema& schema, ClimatologyConfig& climatology);

/// Adds what is wrong with them to `problems`: names, keys without effect.
void check_scores(const ScoreConfig& score, const ClimatologyConfig& climatology,
                  std::vector<std::string>& problems);

/// Adds every entry that is not NAME_IN_FILE=WEATHERBENCH_NAME to `problems`.
void check_names(const std::vector<std::string>& rename, std::vector<std::string>& problems);

/// Name in the file -> WeatherBench name.
std::map<std::string, std::string> names_from(const std::vector<std::string>& rename);

ClimatologyOptions climatology_options(const ClimatologyConfig& climatology, int threads);

/// Null without a path. Errors: those of ClimatologyStore.
std::unique_ptr<ClimatologyStore> open_climatology(const ClimatologyConfig& climatology, int threads);

/// The options that follow from the keys alone: without leads, grid, land mask and climatology.
eval::ScoreOptions score_options(const ScoreConfig& score, int threads);

/// Adds the maps that are asked for to options whose channels and leads are known. Errors: bad_configuration
/// naming channels and leads that are not scored.
void add_maps(eval::ScoreOptions& options, const ScoreConfig& score);

/// Adds the scores that a climatology (not null) makes possible to options whose channels are known; warns of
/// channels that it does not have. Errors: missing_input where quantiles are asked for that it has for no
/// channel; corrupt_input for another grid than `grid`.
void add_climatology(eval::ScoreOptions& options, const ScoreConfig& score,
                     const ClimatologyStore& climatology, const LatLonGrid& grid);

}  // namespace mosaic
