#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "campaign/results_folder.hpp"
#include "eval/init_time_scorer.hpp"
#include "forecast/hindcast_config.hpp"
#include "model/forecast_model.hpp"
#include "parallel/comm.hpp"
#include "stores/field_store.hpp"

namespace mosaic {

/// A hindcast that is ready to start: checked configuration, open stores, loaded model.
struct HindcastSetup {
  HindcastConfig config;
  RunIdentity identity;
  std::vector<Time> initial_times;
  std::vector<Duration> leads;
  std::unique_ptr<FieldStore> input;
  std::unique_ptr<FieldStore> truth;
  std::unique_ptr<ForecastModel> model;
  eval::ScoreOptions score;
  std::vector<float>
      orography;  ///< geopotential at surface of the input, [lat, lon]; empty = the store has none
};

/// Every channel that the scores or the spectra need, each once.
ChannelSet scored_channels(const eval::ScoreOptions& score);

/// Tries NetCDF input and truth in a child process, see probe_netcdf(); one rank is enough. Errors: its.
void probe_hindcast_input(const HindcastConfig& config);

/// Opens and loads everything. Errors: those of the stores and the model; all missing input is reported
/// together.
HindcastSetup set_up_hindcast(const HindcastConfig& config);

/// What the run would do and need, for --plan: initial times, ranks, memory, bytes against free disk.
/// `ranks`: of this job.
std::string hindcast_plan(const HindcastSetup& setup, int ranks);

/// Where the time of one rank went [s].
struct HindcastTimings {
  double read = 0, compute = 0, score = 0, write = 0, idle = 0;
};

struct HindcastOutcome {
  ExitCode code = ExitCode::complete;    ///< complete, stopped_early or partly_failed
  std::size_t committed = 0;             ///< initial times finished by now, of all
  std::size_t resumed = 0;               ///< of these, those that were there before
  std::map<Time, std::string> failed;    ///< initial times that could not be forecast, and why
  std::vector<HindcastTimings> timings;  ///< by rank
};

/// Runs every initial time that is not committed yet, on all ranks of `comm` (collective): read, step, score,
/// write, commit. With `on_error: continue` an initial time whose input or forecast fails (input is read
/// three times) is left out; what cannot be written always ends the run. Nothing is begun that a time limit
/// would cut, judged by the longest initial time so far.
HindcastOutcome run_hindcast(const HindcastSetup& setup, const ResultsFolder& results, const Comm& comm);

/// On one rank, after run_hindcast(): metrics.nc and spectra.nc of the committed initial times, of which
/// there must be one; sums.nc once all are. Returns the table of headline scores.
std::string finish_results(const HindcastSetup& setup, const ResultsFolder& results);

/// On one rank: run.json. `configuration`: the effective configuration as YAML.
void write_run_record(const HindcastSetup& setup, const ResultsFolder& results,
                      const HindcastOutcome& outcome, const std::vector<std::string>& hosts,
                      const std::string& configuration);

}  // namespace mosaic
