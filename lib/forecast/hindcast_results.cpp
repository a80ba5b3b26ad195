#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/signals.hpp"
#include "base/version.hpp"
#include "campaign/job_records.hpp"
#include "eval/results.hpp"
#include "forecast/hindcast.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

nlohmann::json timings_json(const std::vector<HindcastTimings>& timings) {
  nlohmann::json list = nlohmann::json::array();
  for (const HindcastTimings& t : timings) {
    list.push_back({{"read_s", t.read},
                    {"compute_s", t.compute},
                    {"exchange_s", t.exchange},
                    {"score_s", t.score},
                    {"write_s", t.write},
                    {"idle_s", t.idle}});
  }
  return list;
}

/// The sums of all committed initial times; kept in one file in place of theirs once the run is complete.
NetcdfDocument merged_sums(const HindcastSetup& setup, const ResultsFolder& results) {
  if (results.is_merged()) {
    return read_netcdf(results.merged_sums_file());
  }
  std::vector<NetcdfDocument> documents;
  for (const Time time : setup.initial_times) {
    if (results.is_committed(time)) {
      documents.push_back(read_netcdf(results.sums_file(time)));
    }
  }
  NetcdfDocument merged = eval::merge_sums(documents);
  if (documents.size() == setup.initial_times.size()) {
    write_netcdf(results.merged_sums_file(), merged);
    results.remove_single_sums();
  }
  return merged;
}

/// Holds the lock under which one job at a time works on the files of the whole run.
class FinishLock {
 public:
  explicit FinishLock(JobLocks& locks) : locks_(locks) {
    constexpr std::chrono::milliseconds pause{100};
    while (locks_.try_lock(name) == LockOutcome::held && !stop_requested()) {
      std::this_thread::sleep_for(pause);  // the holder works, or will be known to be gone
    }
  }
  ~FinishLock() { locks_.unlock(name); }
  FinishLock(const FinishLock&) = delete;
  FinishLock& operator=(const FinishLock&) = delete;

 private:
  static constexpr const char* name = "finish";
  JobLocks& locks_;
};

}  // namespace

std::string finish_results(const HindcastSetup& setup, const ResultsFolder& results, JobInFolder& job) {
  const std::size_t committed = results.count_committed(setup.initial_times);
  if (committed < setup.initial_times.size() && job.shard().count > 1) {
    log_info(
        "{} of {} initial times of the run are committed: the job that commits the last one makes the scores",
        committed, setup.initial_times.size());
    return "";
  }
  if (committed == 0) {
    log_warning("no initial time could be forecast: there are no scores");
    return "";
  }
  const FinishLock lock(job.locks());
  const NetcdfDocument merged = merged_sums(setup, results);
  const auto sums = eval::all_from_netcdf(merged);
  write_netcdf(results.file("metrics.nc"), eval::metrics_document(sums, setup.score));
  if (!setup.score.spectra_channels.empty()) {
    write_netcdf(results.file("spectra.nc"), eval::spectra_document(sums, setup.score));
  }
  return eval::score_table(sums, setup.score);
}

void write_run_record(const HindcastSetup& setup, const ResultsFolder& results, JobInFolder& job,
                      const HindcastOutcome& outcome, const std::vector<std::string>& hosts,
                      const std::string& configuration) {
  const ModelInfo& model = setup.model->info();
  nlohmann::json status;
  for (const Time time : setup.initial_times) {
    status[to_string(time)] = results.is_committed(time) ? "committed" : "pending";
  }
  for (const auto& [time, reason] : outcome.failed) {
    status[to_string(time)] = "failed: " + reason;
  }
  std::vector<std::string> audited;
  for (const Time time : outcome.audited) {
    audited.push_back(to_string(time));
  }
  const nlohmann::json run = {
      {"program", version_text()},
      {"configuration", configuration},
      {"identity", setup.identity},
      {"model", {{"name", model.name}, {"description", model.description}, {"identity", model.identity}}},
      {"input", {{"path", setup.input->path()}, {"identity", setup.input->identity()}}},
      {"truth", {{"path", setup.truth->path()}, {"identity", setup.truth->identity()}}},
      {"initial_times", {{"count", setup.initial_times.size()}, {"status", status}}},
      {"members", setup.config.ensemble.members},
      {"lead_times", setup.leads.size()},
      {"repeat", repeat_command(setup, results)},
  };
  const nlohmann::json this_job = {
      {"shard", fmt::format("{}/{}", job.shard().index, job.shard().count)},
      {"started", job.locks().owner().since},
      {"ranks", hosts.size()},
      {"groups", outcome.groups},
      {"hosts", hosts},
      {"initial_times", outcome.initial_times},
      {"resumed_initial_times", outcome.resumed},
      {"audited_initial_times", audited},
      {"exit_code", static_cast<int>(outcome.code)},
      {"timings_by_rank", timings_json(outcome.timings)},
  };
  write_job_record(results, job.name(), run, this_job);
  if (results.is_merged()) {
    const FinishLock lock(job.locks());
    merge_job_records(results);
    job.merge_logs();
  }
}

std::string repeat_command(const HindcastSetup& setup, const ResultsFolder& results) {
  const auto& ensemble = setup.config.ensemble;
  return fmt::format(
      "mosaic_hindcast --repeat {} --initial-time {} --lead-time {} --set ensemble.first_member={} --members "
      "1 --out FOLDER",
      results.file("run.json"), to_string(setup.initial_times.front()), to_string(setup.leads.front()),
      ensemble.first_member + ensemble.members - 1);
}

}  // namespace mosaic
