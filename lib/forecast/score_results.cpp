#include "forecast/score_results.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/signals.hpp"
#include "campaign/job_records.hpp"
#include "eval/results.hpp"
#include "eval/tidy_tables.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

/// The sums of all committed initial times; once the run is complete they are kept in one file in place of
/// theirs, and the mean of their maps (too many to keep) as maps.nc.
std::vector<eval::InitTimeSums> gather_sums(const std::vector<Time>& initial_times,
                                            const eval::ScoreOptions& score, const ResultsFolder& results) {
  if (results.is_merged()) {
    return eval::all_from_netcdf(read_netcdf(results.merged_sums_file()));
  }
  std::vector<eval::InitTimeSums> all;
  eval::MapMean maps;
  std::vector<Time> ascending = initial_times;
  std::sort(ascending.begin(), ascending.end());
  for (const Time time : ascending) {
    if (results.is_committed(time)) {
      all.push_back(eval::from_netcdf(read_netcdf(results.sums_file(time))));
      maps.add(all.back(), score);
      all.back().maps = {};
    }
  }
  if (!maps.empty()) {
    write_netcdf(results.file("maps.nc"), maps.document(score));
  }
  if (all.size() == initial_times.size()) {
    write_netcdf(results.merged_sums_file(), eval::merge_sums(all));
    results.tidy_complete_run();
  }
  return all;
}

/// Holds the lock under which one job at a time works on the files of the whole run.
class FinishLock {
 public:
  explicit FinishLock(JobLocks& locks) : locks_(locks) {
    constexpr std::chrono::milliseconds pause{100};
    do {
      is_ours_ = locks_.try_lock(name) != LockOutcome::held;
      if (!is_ours_) {
        std::this_thread::sleep_for(pause);  // the holder works, or will be known to be gone
      }
    } while (!is_ours_ && !stop_requested());
  }
  ~FinishLock() { locks_.unlock(name); }
  FinishLock(const FinishLock&) = delete;
  FinishLock& operator=(const FinishLock&) = delete;
  /// False where the job was asked to stop while another one held the lock.
  bool is_ours() const { return is_ours_; }

 private:
  static constexpr const char* name = "finish";
  JobLocks& locks_;
  bool is_ours_ = false;
};

}  // namespace

std::string finish_results(const std::vector<Time>& initial_times, const eval::ScoreOptions& score,
                           const ResultsFolder& results, JobInFolder& job) {
  const std::size_t committed = results.count_committed(initial_times);
  if (committed < initial_times.size() && job.shard().count > 1) {
    log_info(
        "{} of {} initial times of the run are committed: the job that commits the last one makes the scores",
        committed, initial_times.size());
    return "";
  }
  if (committed == 0) {
    log_warning("no initial time could be forecast: there are no scores");
    return "";
  }
  const FinishLock lock(job.locks());
  if (!lock.is_ours()) {
    log_warning("asked to stop while another job makes the scores of {}: they are left to it",
                results.path());
    return "";
  }
  results.remove_leftovers_of_scores();
  const auto sums = gather_sums(initial_times, score, results);
  const eval::TimeMean total = eval::time_mean(sums, score);
  const NetcdfDocument metrics = eval::metrics_document(total, score);
  write_netcdf(results.file("metrics.nc"), metrics);
  write_text_atomically(results.file("metrics.csv"), eval::tidy_csv(metrics));
  write_text_atomically(results.file("metrics.json"), eval::tidy_json(metrics));
  write_netcdf(results.file("ranks.nc"), eval::ranks_document(total, score));
  if (score.seasons) {
    write_netcdf(results.file("seasons.nc"), eval::seasons_document(sums, score));
  }
  if (!score.thresholds.channels.empty()) {
    const NetcdfDocument thresholds = eval::thresholds_document(total, score);
    write_netcdf(results.file("thresholds.nc"), thresholds);
    write_text_atomically(results.file("thresholds.csv"), eval::tidy_csv(thresholds));
  }
  if (!score.spectra_channels.empty()) {
    write_netcdf(results.file("spectra.nc"), eval::spectra_document(total, score));
  }
  return eval::score_table(total);
}

nlohmann::json status_json(const std::vector<Time>& initial_times, const CampaignOutcome& outcome,
                           const ResultsFolder& results) {
  nlohmann::json status;
  for (const Time time : initial_times) {
    status[to_string(time)] = results.is_committed(time) ? "committed" : "pending";
  }
  for (const auto& [time, reason] : outcome.failed) {
    status[to_string(time)] = "failed: " + reason;
  }
  return status;
}

nlohmann::json job_json(const JobInFolder& job, const CampaignOutcome& outcome,
                        const std::vector<std::string>& hosts) {
  return {{"shard", fmt::format("{}/{}", job.shard().index, job.shard().count)},
          {"started", job.locks().owner().since},
          {"ranks", hosts.size()},
          {"hosts", hosts},
          {"initial_times", outcome.initial_times},
          {"resumed_initial_times", outcome.resumed},
          {"exit_code", static_cast<int>(outcome.code)}};
}

void write_records(const ResultsFolder& results, JobInFolder& job, const nlohmann::json& run,
                   const nlohmann::json& this_job) {
  write_job_record(results, job.name(), run, this_job);
  if (results.is_merged()) {
    const FinishLock lock(job.locks());
    if (!lock.is_ours()) {
      return;  // the job's own record and log stay beside those of the others
    }
    merge_job_records(results);
    job.merge_logs();
  }
}

}  // namespace mosaic
