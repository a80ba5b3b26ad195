#include "forecast/evaluation.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "base/stopwatch.hpp"
#include "base/version.hpp"
#include "campaign/init_time_queue.hpp"
#include "campaign/progress.hpp"
#include "eval/init_time_scorer.hpp"
#include "forecast/evaluation_reader.hpp"
#include "forecast/score_channels.hpp"
#include "forecast/score_results.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

/// Scores initial times one after the other on one rank; while it scores, the fields that come next are read.
class EvaluationWorker {
 public:
  EvaluationWorker(const EvaluationSetup& setup, const ResultsFolder& results)
      : setup_(setup),
        results_(results),
        channels_(std::make_shared<const ChannelSet>(scored_channels(setup.score))),
        scorer_(setup.score, setup.grid, channels_, setup.forecast->members()),
        reader_(setup) {}

  void run(InitTimeQueue& queue, const std::function<void()>& tick) {
    while (!stop_requested()) {
      const std::optional<Time> time = next_ ? std::exchange(next_, std::nullopt) : queue.next();
      if (!time) {
        break;
      }
      try {
        score(*time, queue, tick);
      } catch (const Error& problem) {
        fail(*time, problem);
      }
      if (!next_) {
        reader_.drop();
      }
      queue.release(*time);
    }
    reader_.drop();
    if (next_) {
      queue.release(*next_);
    }
    timings_.background = std::max(0.0, reader_.seconds() - timings_.read);
  }

  const EvaluationTimings& timings() const { return timings_; }
  const std::map<Time, std::string>& failed() const { return failed_; }

 private:
  static bool is_output_problem(ExitCode code) {
    return code == ExitCode::cannot_create || code == ExitCode::io_error;
  }

  /// Errors: the problem, unless the initial time may be left out.
  void fail(Time time, const Error& problem) {
    const Error named{problem.code(), fmt::format("initial time {}: {}", to_string(time), problem.what()),
                      problem.where()};
    if (setup_.config.on_error == "stop" || is_output_problem(problem.code())) {
      throw named;
    }
    log_warning("{}", named.what());
    failed_[time] = problem.what();
  }

  /// A stop drops the initial time.
  void score(Time initial_time, InitTimeQueue& queue, const std::function<void()>& tick) {
    log_debug("initial time {}: start", to_string(initial_time));
    scorer_.begin(initial_time);
    const std::vector<std::size_t> leads = leads_of(initial_time);
    for (std::size_t i = 0; i < leads.size(); ++i) {
      if (stop_requested()) {
        return;
      }
      tick();
      const LeadFields fields = take(initial_time, leads[i]);
      if (i + 1 < leads.size()) {
        reader_.request(initial_time, leads[i + 1]);
      } else {
        take_next(queue);
      }
      score(leads[i], fields);
    }
    const Stopwatch watch(timings_.write);
    write_netcdf(results_.sums_file(initial_time), eval::to_netcdf(scorer_.finish(), setup_.score));
    log_debug("initial time {}: committed", to_string(initial_time));
  }

  /// Those with forecast and truth.
  std::vector<std::size_t> leads_of(Time initial_time) const {
    std::vector<std::size_t> leads;
    for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
      if (setup_.truth->has_time(initial_time + setup_.leads[lead]) &&
          setup_.forecast->has_time(initial_time, setup_.leads[lead])) {
        leads.push_back(lead);
      }
    }
    return leads;
  }

  LeadFields take(Time initial_time, std::size_t lead) {
    const Stopwatch watch(timings_.read);
    if (!reader_.pending()) {
      reader_.request(initial_time, lead);
    }
    return reader_.take();
  }

  /// Takes the initial time that this rank scores next, unless others might be free before, and starts to
  /// read its first lead time.
  void take_next(InitTimeQueue& queue) {
    const double until_free = longest_lead_ > 0 ? longest_lead_ : std::numeric_limits<double>::infinity();
    next_ = queue.reserve(until_free);
    const std::vector<std::size_t> leads = next_ ? leads_of(*next_) : std::vector<std::size_t>{};
    if (!leads.empty()) {
      reader_.request(*next_, leads.front());
    }
  }

  void score(std::size_t lead, const LeadFields& fields) {
    double seconds = 0;
    {
      const Stopwatch watch(seconds);
      std::vector<const float*> members;
      for (int m = 0; m < setup_.forecast->members(); ++m) {
        members.push_back(fields.forecast.data() +
                          static_cast<std::size_t>(m) * channels_->size() * setup_.grid->points());
      }
      scorer_.add(lead, members, fields.truth, fields.climatology ? &*fields.climatology : nullptr);
    }
    timings_.score += seconds;
    longest_lead_ = std::max(longest_lead_, seconds);
  }

  const EvaluationSetup& setup_;
  const ResultsFolder& results_;
  std::shared_ptr<const ChannelSet> channels_;
  eval::InitTimeScorer scorer_;
  EvaluationReader reader_;
  std::optional<Time> next_;  ///< taken from the queue; its first lead is being read
  double longest_lead_ = 0;   ///< to be scored [s]
  EvaluationTimings timings_;
  std::map<Time, std::string> failed_;
};

EvaluationTimings add_up(const EvaluationTimings& mine, const Comm& comm) {
  std::vector<double> all = {mine.read, mine.background, mine.score, mine.write, mine.idle};
  comm.sum_in_rank_order(all);
  return {all[0], all[1], all[2], all[3], all[4]};
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
                         {"read_in_background_s", outcome.timings.background},
                         {"score_s", outcome.timings.score},
                         {"write_s", outcome.timings.write},
                         {"idle_s", outcome.timings.idle}};
  write_records(results, job, run, this_job);
}

}  // namespace mosaic
