#include "forecast/evaluation_config.hpp"

#include <set>

#include "base/collect_problems.hpp"
#include "base/error.hpp"

namespace mosaic {

namespace {

void add_forecast_keys(ConfigSchema& schema, EvaluationConfig& config) {
  auto& forecast = config.forecast;
  schema
      .key("forecast.kind", &forecast.kind,
           "Stored forecasts; or a baseline made from the truth (persistence), from the climatology, or from "
           "the same days of other years (probabilistic-climatology)")
      .choices({"store", "persistence", "climatology", "probabilistic-climatology"});
  schema.key(
      "forecast.path", &forecast.path,
      "Zarr v2, NetCDF or .npz, one or many (a glob pattern or a list with commas), or the folder of a "
      "run with forecasts; the states of persistence (empty = truth.path) or the store of the years");
  schema.key("forecast.members", &forecast.members, "Members to take, by number; empty = all");
  schema.key("forecast.rename", &forecast.rename,
             "Names of variables and dimensions: NAME_IN_FILE=WEATHERBENCH_NAME");
  schema.key("forecast.years", &forecast.years, "Years that are the members of probabilistic-climatology")
      .range(1, 9999);
  schema
      .key("forecast.leap_day", &forecast.leap_day,
           "Day 366 of a year that has none: the day after its last (WeatherBench-X), or missing "
           "(WeatherBench 2)")
      .choices({"next-day", "missing"});
  schema.key("forecast.allow_missing_chunks", &forecast.allow_missing_chunks,
             "Take the fill value for an absent chunk instead of stopping");
  schema.key("forecast.verify_checksums", &forecast.verify_checksums,
             "Compare all that is read with the manifest of `mosaic_data verify PATH --write-checksums`");
}

void add_evaluated_times(ConfigSchema& schema, EvaluationConfig& config) {
  auto& times = config.times;
  schema.key("times.set", &times.set, "Named set of initial times: wb2-2020 (732) or first-720");
  schema.key("times.list", &times.list, "File with one initial time per line");
  schema.key("times.start", &times.start,
             "First initial time; without set, list and start: all of the forecasts");
  schema.key("times.end", &times.end, "Last initial time, inclusive");
  schema.key("times.step", &times.step, "Between initial times");
  schema.key("forecast.lead_times", &config.lead_times, "Lead times; empty = all of the forecasts");
}

/// What each kind of forecast needs, and what means nothing to it.
void check_kind(const EvaluationConfig& config, std::vector<std::string>& problems) {
  const std::string& kind = config.forecast.kind;
  const bool years = kind == "probabilistic-climatology";
  const bool reads = kind == "store" || years;
  const auto expect = [&](bool ok, const std::string& text) {
    if (!ok) {
      problems.push_back(text);
    }
  };
  expect(!reads || !config.forecast.path.empty(),
         years ? "forecast.path (--forecast) is missing: the store of the years"
               : "forecast.path (--forecast) is missing: the forecasts");
  expect(kind != "climatology" || config.forecast.path.empty(),
         "forecast.path has no effect with forecast.kind climatology");
  expect(kind != "climatology" || !config.climatology.path.empty(),
         "climatology.path is missing: the forecasts of forecast.kind climatology");
  expect(years == !config.forecast.years.empty(),
         years ? "forecast.years is empty: name the years that are members"
               : "forecast.years has no effect with forecast.kind " + kind);
  expect(years || config.forecast.leap_day == "next-day",
         "forecast.leap_day has no effect with forecast.kind " + kind);
  expect(kind == "store" || config.forecast.rename.empty(),
         "forecast.rename has no effect with forecast.kind " + kind);
  expect(kind == "store" || kind == "persistence" || config.forecast.members.empty(),
         "forecast.members has no effect with forecast.kind " + kind);
  expect(!config.forecast.path.empty() ||
             (!config.forecast.allow_missing_chunks && !config.forecast.verify_checksums),
         "forecast.allow_missing_chunks and forecast.verify_checksums have no effect with forecast.kind " +
             kind);
  expect(kind == "store" || (!config.lead_times.empty() && names_initial_times(config.times)),
         "forecast.lead_times and initial times (times.*) must be given with forecast.kind " + kind);
  expect(kind == "store" || !config.score.channels.empty(),
         "score.channels must be given with forecast.kind " + kind);
}

}  // namespace

void add_evaluation_keys(ConfigSchema& schema, EvaluationConfig& config) {
  add_forecast_keys(schema, config);
  add_fields_keys(schema, "truth", config.truth,
                  "Verifying states: a Zarr v2 store in the WeatherBench2 layout, or NetCDF files");
  add_climatology_keys(schema, config.climatology);
  add_evaluated_times(schema, config);
  add_score_keys(schema, config.score, "Channels to score; empty = all that forecasts and truth have");
  schema
      .key("score.missing_forecast", &config.missing_forecast,
           "An initial time and lead without forecast: an error, or that lead is scored over those that are "
           "there")
      .choices({"error", "per-lead"});
  schema.key("output.folder", &config.folder, "Results folder").required();
  schema.key("parallel.threads", &config.threads, "Threads per rank; never changes bits").range(1, 1024);
  schema
      .key("on_error", &config.on_error,
           "An initial time that fails ends the job, or is left out and listed (exit code 76)")
      .choices({"stop", "continue"});
  schema.key("log.interval", &config.log.interval, "Between progress lines where stderr is no terminal");
  schema.key("log.level", &config.log.level, "Least important messages on stderr")
      .choices({"debug", "info", "warning", "error"});
}

bool names_initial_times(const InitialTimeSelection& times) {
  return !times.set.empty() || !times.list.empty() || times.start.has_value();
}

void check_consistency(const EvaluationConfig& config) {
  std::vector<std::string> problems;
  check_kind(config, problems);
  if (config.truth.path.empty()) {
    problems.emplace_back("truth.path (--truth) is missing: the verifying states");
  }
  check_scores(config.score, config.climatology, problems);
  if (names_initial_times(config.times)) {
    collect_problems(problems, [&] { initial_times(config.times); });
  } else if (config.times.end || config.times.step != InitialTimeSelection{}.step) {
    problems.emplace_back("times.end and times.step have no effect without times.start");
  }
  check_names(config.forecast.rename, problems);
  require(problems.empty(), ExitCode::bad_configuration, "{}", fmt::join(problems, "\n"));
}

}  // namespace mosaic
