#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "campaign/job_in_folder.hpp"
#include "eval/init_time_sums.hpp"
#include "forecast/campaign_outcome.hpp"

namespace mosaic {

/// On one rank, after the work: once all initial times of the run are committed, metrics.nc (and .csv,
/// .json), ranks.nc, sums.nc and what was asked for of spectra.nc, maps.nc, seasons.nc and thresholds.nc (and
/// .csv), by the one job that gets the lock for it. A job that is not one of several also writes the results
/// of a part, of which there must be one. Returns the table of headline scores; empty if nothing was written.
std::string finish_results(const std::vector<Time>& initial_times, const eval::ScoreOptions& score,
                           const ResultsFolder& results, JobInFolder& job);

/// "committed", "pending" or "failed: reason" by initial time.
nlohmann::json status_json(const std::vector<Time>& initial_times, const CampaignOutcome& outcome,
                           const ResultsFolder& results);

/// What is said of every job: shard, start, hosts by rank, initial times, exit code.
nlohmann::json job_json(const JobInFolder& job, const CampaignOutcome& outcome,
                        const std::vector<std::string>& hosts);

/// On one rank, last: the record of the run and of this job; those of all jobs and the logs are joined once
/// the run is complete.
void write_records(const ResultsFolder& results, JobInFolder& job, const nlohmann::json& run,
                   const nlohmann::json& this_job);

}  // namespace mosaic
