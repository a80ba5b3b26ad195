#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/time.hpp"
#include "campaign/initial_times.hpp"
#include "fields/channel.hpp"
#include "forecast/fields_config.hpp"
#include "forecast/qg3_config.hpp"
#include "forecast/score_config.hpp"

namespace mosaic {

/// The headline channels of WeatherBench 2, and the spectra of wind and geopotential.
ScoreConfig default_scores();

/// Everything a hindcast can be told; each field is a key of config/reference.yaml, where it is explained.
struct HindcastConfig {
  struct Model {
    std::string name = "mosaic";
    std::string preset = "era5";
    std::string network = "published";
    std::string weights;
    std::string assets = "config/mosaic";
    std::string norm_stats;
    std::string device = "cpu";
    int chunk = 0;
    std::string precision = "auto";
    std::string calendar = "published";
    std::string verify_weights = "load";
  } model;
  Qg3Config qg3;
  struct Ensemble {
    int members = 8;
    int first_member = 0;
    int batch = 4;
    std::int64_t seed = 42;
    std::string noise_file;
  } ensemble;
  InitialTimeSelection times;
  Duration lead_time = Duration::days(10);
  std::optional<Duration> step;
  FieldsConfig input, truth;
  bool check_input = true;
  ScoreConfig score = default_scores();
  std::string score_device = "auto";
  ClimatologyConfig climatology;
  struct Output {
    std::string folder;
    bool forecasts = false;
    std::string layout = "ensemble";
    std::string naming = "cf";
    std::vector<std::string> channels;
    std::vector<Duration> lead_times;
    std::vector<std::string> products = {"members"};
    int deflate = 1;
    std::optional<int> quantize_digits;
    int queue = 512;
  } output;
  int threads = 1;
  std::string ranks_per_init = "auto";
  std::string on_error = "stop";
  struct Log {
    Duration interval{10};
    std::string level = "info";
  } log;
};

/// Declares the keys of a hindcast, bound to `config` (which must outlive the schema).
void add_hindcast_keys(ConfigSchema& schema, HindcastConfig& config);

/// What cannot be said key by key. Errors: bad_configuration with every conflict found.
void check_consistency(const HindcastConfig& config);

/// parallel.ranks_per_init as a number; nothing for auto. Errors: bad_configuration.
std::optional<int> ranks_per_init(const HindcastConfig& config);

/// Lead times of the model's steps: step, 2 step, ... up to lead_time. Errors: bad_configuration if none
/// fits.
std::vector<Duration> lead_times(const HindcastConfig& config, Duration step);

}  // namespace mosaic
