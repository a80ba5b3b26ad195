#include "forecast/evaluation.hpp"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "base/standard_exceptions.hpp"
#include "base/version.hpp"
#include "campaign/init_time_queue.hpp"
#include "campaign/progress.hpp"
#include "eval/init_time_scorer.hpp"
#include "forecast/climatology_fields.hpp"
#include "forecast/score_channels.hpp"
#include "forecast/score_results.hpp"
#include "forecast/stopwatch.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

/// Scores initial times one after the other on one rank.
class EvaluationWorker {
 public:
  EvaluationWorker(const EvaluationSetup& setup, const ResultsFolder& results)
      : setup_(setup),
        results_(results),
        channels_(std::make_shared<const ChannelSet>(scored_channels(setup.score))),
        forecast_channels_(channels_of_forecast(setup)),
        truth_channels_(channels_of_truth(setup)),
        scorer_(setup.score, setup.grid, channels_, setup.forecast->members()) {
    if (setup.climatology != nullptr) {
      climatology_.emplace(*setup.climatology, setup.score, setup.grid);
    }
  }

  void run(InitTimeQueue& queue, const std::function<void()>& tick) {
    while (!stop_requested()) {
      const std::optional<Time> time = queue.next();
      if (!time) {
        break;
      }
      try {
        score(*time, tick);
      } catch (const Error& problem) {
        const Error named{problem.code(),
                          fmt::format("initial time {}: {}", to_string(*time), problem.what()),
                          problem.where()};
        if (setup_.config.on_error == "stop" || is_output_problem(problem.code())) {
          throw named;
        }
        log_warning("{}", named.what());
        failed_[*time] = problem.what();
      }
      queue.release(*time);
    }
  }

  const EvaluationTimings& timings() const { return timings_; }
  const std::map<Time, std::string>& failed() const { return failed_; }

 private:
  static bool is_output_problem(ExitCode code) {
    return code == ExitCode::cannot_create || code == ExitCode::io_error;
  }

  /// A stop drops the initial time.
  void score(Time initial_time, const std::function<void()>& tick) {
    log_debug("initial time {}: start", to_string(initial_time));
    scorer_.begin(initial_time);
    for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
      if (stop_requested()) {
        return;
      }
      tick();
      if (setup_.truth->has_time(initial_time + setup_.leads[lead]) &&
          setup_.forecast->has_time(initial_time, setup_.leads[lead])) {
        score(initial_time, lead);
      }
    }
    const Stopwatch watch(timings_.write);
    write_netcdf(results_.sums_file(initial_time), eval::to_netcdf(scorer_.finish(), setup_.score));
    log_debug("initial time {}: committed", to_string(initial_time));
  }

  void score(Time initial_time, std::size_t lead) {
    const Time valid = initial_time + setup_.leads[lead];
    std::vector<float> forecast;
    State truth;
    std::optional<eval::ClimatologyFields> climatology;
    {
      const Stopwatch watch(timings_.read);
      forecast = forecast_channels_.complete(
          setup_.forecast->read(initial_time, setup_.leads[lead], forecast_channels_.to_read()),
          static_cast<std::size_t>(setup_.forecast->members()));
      State read = setup_.truth->read(valid, std::make_shared<const ChannelSet>(truth_channels_.to_read()));
      truth = {valid, setup_.grid, channels_, truth_channels_.complete(std::move(read.values), 1)};
      if (climatology_) {
        climatology = climatology_->read(valid);
      }
    }
    const Stopwatch watch(timings_.score);
    std::vector<const float*> members;
    for (int m = 0; m < setup_.forecast->members(); ++m) {
      members.push_back(forecast.data() +
                        static_cast<std::size_t>(m) * channels_->size() * setup_.grid->points());
    }
    scorer_.add(lead, members, truth, climatology ? &*climatology : nullptr);
  }

  const EvaluationSetup& setup_;
  const ResultsFolder& results_;
  std::shared_ptr<const ChannelSet> channels_;
  DerivedChannels forecast_channels_;
  DerivedChannels truth_channels_;
  std::optional<ClimatologyFieldsReader> climatology_;
  eval::InitTimeScorer scorer_;
  EvaluationTimings timings_;
  std::map<Time, std::string> failed_;
};

EvaluationTimings add_up(const EvaluationTimings& mine, const Comm& comm) {
  std::vector<double> all = {mine.read, mine.score, mine.write, mine.idle};
  comm.sum_in_rank_order(all);
  return {all[0], all[1], all[2], all[3]};
}

}  // namespace

EvaluationOutcome run_evaluation(const EvaluationSetup& setup, const ResultsFolder& results,
                                 const JobInFolder& job, const Comm& comm) {
  EvaluationOutcome outcome;
  const std::vector<Time> times = times_of_shard(setup.initial_times, job.shard());
  const std::vector<Time> pending = pending_times(results, times, comm);
  outcome.initial_times = times.size();
  outcome.resumed = times.size() - pending.size();
  std::optional<EvaluationWorker> worker;
  agree(comm, [&] { worker.emplace(setup, results); });
  EvaluationTimings timings;
  {
    InitTimeQueue queue(comm, results, job.locks(), pending);
    std::optional<Progress> progress;
    if (comm.rank() == 0) {
      progress.emplace(times.size(), setup.config.log.interval,
                       [&] { return results.count_committed(times); });
    }
    worker->run(queue, [&] {
      if (progress) {
        progress->tick();
      }
    });
    timings = worker->timings();
    const Stopwatch watch(timings.idle);
    comm.barrier();
  }
  outcome.failed = worker->failed();
  flush_log();  // rank 0 may join the files after this
  outcome.timings = add_up(timings, comm);
  finish_outcome(outcome, results, times, comm);
  return outcome;
}

void write_run_record(const EvaluationSetup& setup, const ResultsFolder& results, JobInFolder& job,
                      const EvaluationOutcome& outcome, const std::vector<std::string>& hosts,
                      const std::string& configuration) {
  const nlohmann::json run = {
      {"program", version_text()},
      {"configuration", configuration},
      {"identity", setup.identity},
      {"forecast", {{"path", setup.forecast->path()}, {"identity", setup.forecast->identity()}}},
      {"truth", {{"path", setup.truth->path()}, {"identity", setup.truth->identity()}}},
      {"initial_times",
       {{"count", setup.initial_times.size()},
        {"status", status_json(setup.initial_times, outcome, results)}}},
      {"members", setup.forecast->members()},
      {"lead_times", setup.leads.size()},
  };
  nlohmann::json this_job = job_json(job, outcome, hosts);
  this_job["timings"] = {{"read_s", outcome.timings.read},
                         {"score_s", outcome.timings.score},
                         {"write_s", outcome.timings.write},
                         {"idle_s", outcome.timings.idle}};
  write_records(results, job, run, this_job);
}

}  // namespace mosaic
