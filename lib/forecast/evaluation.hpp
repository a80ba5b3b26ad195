#pragma once

#include <memory>
#include <string>
#include <vector>

#include "campaign/job_in_folder.hpp"
#include "eval/init_time_sums.hpp"
#include "forecast/campaign_outcome.hpp"
#include "forecast/derived_channels.hpp"
#include "forecast/evaluation_config.hpp"
#include "parallel/comm.hpp"
#include "stores/climatology_store.hpp"
#include "stores/field_store.hpp"
#include "stores/forecast_store.hpp"

namespace mosaic {

/// An evaluation that is ready to start: checked configuration, open stores.
struct EvaluationSetup {
  EvaluationConfig config;
  RunIdentity identity;
  std::vector<Time> initial_times;
  std::vector<Duration> leads;
  // Those that others refer to come first.
  std::unique_ptr<FieldStore> truth;
  std::unique_ptr<ClimatologyStore> climatology;  ///< may be null
  std::unique_ptr<ForecastStore> forecast;
  std::shared_ptr<const LatLonGrid> grid;  ///< the truth's
  eval::ScoreOptions score;
};

/// The scored channels as `forecast` and `truth` have them or can make them. Levels of columns: those of the
/// forecasts that both have.
DerivedChannels channels_of_forecast(const EvaluationSetup& setup);
DerivedChannels channels_of_truth(const EvaluationSetup& setup);

/// Tries NetCDF forecasts, truth and climatology in a child process; one rank is enough. Errors: its.
void probe_evaluation_input(const EvaluationConfig& config);

/// Opens everything. Errors: those of the stores; missing_input with everything that is missing;
/// corrupt_input for grids that differ.
EvaluationSetup set_up_evaluation(const EvaluationConfig& config);

/// What the run would do and need, for --plan. `ranks`: of this job.
std::string evaluation_plan(const EvaluationSetup& setup, int ranks, const Shard& shard);

/// Where the time of one rank went [s].
struct EvaluationTimings {
  double read = 0;        ///< waiting for fields
  double background = 0;  ///< reading while others were scored; not part of the rank's time
  double score = 0, write = 0, idle = 0;
};

struct EvaluationOutcome : CampaignOutcome {
  EvaluationTimings timings;  ///< added up over the ranks
};

/// Scores every initial time of this job that is not committed yet, on all ranks of `comm` (collective). With
/// `on_error: continue` an initial time that fails is left out. A stop drops the initial time at hand.
/// Errors: those of the stores, naming the initial time.
EvaluationOutcome run_evaluation(const EvaluationSetup& setup, const ResultsFolder& results,
                                 const JobInFolder& job, const Comm& comm);

/// On one rank, last: the record of the run. `configuration`: the effective configuration as YAML.
void write_run_record(const EvaluationSetup& setup, const ResultsFolder& results, JobInFolder& job,
                      const EvaluationOutcome& outcome, const std::vector<std::string>& hosts,
                      const std::string& configuration);

}  // namespace mosaic
