#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "campaign/job_in_folder.hpp"
#include "eval/init_time_scorer.hpp"
#include "forecast/campaign_outcome.hpp"
#include "forecast/derived_channels.hpp"
#include "forecast/device_place.hpp"
#include "forecast/hindcast_config.hpp"
#include "model/forecast_model.hpp"
#include "parallel/comm.hpp"
#include "stores/climatology_store.hpp"
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
  std::unique_ptr<ClimatologyStore> climatology;  ///< may be null
  std::unique_ptr<ForecastModel> model;
  eval::ScoreOptions score;
  std::vector<float>
      orography;  ///< geopotential at surface of the input, [lat, lon]; empty = the store has none
};

/// These channels as the model's forecasts and as the truth have them or can make them. Levels of columns:
/// those of the model that both have.
DerivedChannels channels_of_forecast(const HindcastSetup& setup, const ChannelSet& wanted);
DerivedChannels channels_of_truth(const HindcastSetup& setup, const ChannelSet& wanted);

/// Tries NetCDF input, truth and climatology in a child process, see probe_netcdf(); one rank is enough.
/// Errors: its.
void probe_hindcast_input(const HindcastConfig& config);

/// Opens and loads everything; a model on GPUs takes the one of this `place`. Errors: those of the stores
/// and the model; all missing input is reported together.
HindcastSetup set_up_hindcast(const HindcastConfig& config, const DevicePlace& place = {});

/// Open stores and a loaded model.
struct HindcastParts {
  std::unique_ptr<FieldStore> input;
  std::unique_ptr<FieldStore> truth;
  std::unique_ptr<ForecastModel> model;
  std::unique_ptr<ClimatologyStore> climatology = nullptr;
};

/// The same for parts that are there already. Errors: bad_configuration; all missing input is reported
/// together.
HindcastSetup set_up_hindcast(const HindcastConfig& config, HindcastParts parts);

/// What the run would do and need, for --plan: initial times, ranks, memory, bytes against free disk.
/// `ranks`: of this job.
std::string hindcast_plan(const HindcastSetup& setup, int ranks, const Shard& shard);

/// Where the time of one rank went [s].
struct HindcastTimings {
  double read = 0, compute = 0, exchange = 0, score = 0, write = 0, idle = 0;
};

struct HindcastOutcome : CampaignOutcome {
  std::vector<Time> audited;             ///< computed a second time, with the same bits
  int groups = 1;                        ///< of ranks
  std::vector<HindcastTimings> timings;  ///< by rank
};

/// Runs every initial time of this job that is not committed yet, on all ranks of `comm` (collective): read,
/// step, score, write, commit. With `on_error: continue` an initial time whose input or forecast fails (input
/// is read three times) is left out; what cannot be written always ends the run. Nothing is begun that a time
/// limit would cut, judged by the longest initial time so far. `audit_fraction` of the initial times, 0 ...
/// 1, are then computed again, by other ranks where there are several groups. Errors: internal if their bits
/// differ, naming the hosts.
HindcastOutcome run_hindcast(const HindcastSetup& setup, const ResultsFolder& results, const JobInFolder& job,
                             const Comm& comm, double audit_fraction);

/// On one rank, last: the job's record; those of all jobs and the logs are joined once the run is complete.
/// `configuration`: the effective configuration as YAML.
void write_run_record(const HindcastSetup& setup, const ResultsFolder& results, JobInFolder& job,
                      const HindcastOutcome& outcome, const std::vector<std::string>& hosts,
                      const std::string& configuration);

/// The command that computes one member, one initial time and one lead time of the run alone, with the same
/// bits; for others change its numbers. Without a member it repeats the scores.
std::string repeat_command(const HindcastSetup& setup, const ResultsFolder& results);

}  // namespace mosaic
