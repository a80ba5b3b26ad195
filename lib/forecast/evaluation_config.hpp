#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/time.hpp"
#include "campaign/initial_times.hpp"
#include "forecast/fields_config.hpp"
#include "forecast/score_config.hpp"

namespace mosaic {

/// Everything an evaluation can be told; each field is a key of config/reference_evaluate.yaml, where it is
/// explained.
struct EvaluationConfig {
  struct Forecast {
    std::string kind = "store";
    std::string path;
    std::vector<int> members;
    std::vector<std::string> rename;
    std::vector<int> years;
    std::string leap_day = "next-day";
    bool allow_missing_chunks = false;
    bool verify_checksums = false;
  } forecast;
  FieldsConfig truth;
  ClimatologyConfig climatology;
  InitialTimeSelection times;
  std::vector<Duration> lead_times;
  ScoreConfig score;
  std::string missing_forecast = "error";
  std::string folder;
  int threads = 1;
  std::string on_error = "stop";
  struct Log {
    Duration interval{10};
    std::string level = "info";
  } log;
};

/// Declares the keys of an evaluation, bound to `config` (which must outlive the schema).
void add_evaluation_keys(ConfigSchema& schema, EvaluationConfig& config);

/// What cannot be said key by key. Errors: bad_configuration with every conflict found.
void check_consistency(const EvaluationConfig& config);

/// Whether times.* names initial times; otherwise they are those of the forecasts.
bool names_initial_times(const InitialTimeSelection& times);

}  // namespace mosaic
