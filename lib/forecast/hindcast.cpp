#include "forecast/hindcast.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/signals.hpp"
#include "campaign/progress.hpp"
#include "fields/state_checks.hpp"
#include "forecast/ensemble_rollout.hpp"
#include "forecast/forecast_output.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_document.hpp"
#include "stores/prefetch.hpp"

namespace mosaic {

namespace {

using Clock = std::chrono::steady_clock;

/// Adds the time until the end of its scope to a total.
class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total) {}
  ~Stopwatch() { total_ += std::chrono::duration<double>(Clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_;
  Clock::time_point start_ = Clock::now();
};

/// One rank's part of a hindcast: takes initial times from the shared counter until none is left.
class HindcastWorker {
 public:
  HindcastWorker(const HindcastSetup& setup, const ResultsFolder& results, std::vector<Time> pending)
      : setup_(setup),
        results_(results),
        pending_(std::move(pending)),
        truth_channels_(std::make_shared<const ChannelSet>(scored_channels(setup.score))),
        input_ahead_(*setup.input),
        truth_ahead_(*setup.truth),
        rollout_(*setup.model, setup.config.ensemble.members, make_noise(setup)),
        scorer_(setup.score, setup.model->info().grid, setup.model->info().channels,
                setup.config.ensemble.members),
        output_(make_forecast_output(setup.config, setup.model->info(), setup.leads, results.path())) {}

  /// False if a stop signal ended the work early.
  bool run(WorkCounter& counter, Progress* progress) {
    take_next(counter);
    while (next_) {
      const Time initial_time = *next_;
      next_.reset();
      try {
        if (!run_initial_time(initial_time, counter, progress)) {
          return false;
        }
      } catch (const Error& problem) {
        throw Error(problem.code(),
                    fmt::format("initial time {}: {}", to_string(initial_time), problem.what()),
                    problem.where());
      } catch (const std::exception& problem) {
        fail(ExitCode::internal, "initial time {}: unexpected exception: {}", to_string(initial_time),
             problem.what());
      }
    }
    return !stop_requested();
  }

  const HindcastTimings& timings() const { return timings_; }

 private:
  static NoiseSource make_noise(const HindcastSetup& setup) {
    const auto& ensemble = setup.config.ensemble;
    if (ensemble.noise_file.empty()) {
      return NoiseSource::from_seed(static_cast<std::uint64_t>(ensemble.seed));
    }
    return NoiseSource::from_file(ensemble.noise_file, ensemble.members, static_cast<int>(setup.leads.size()),
                                  setup.model->info().noise_width);
  }

  /// Reserves the next initial time of the counter and starts to read it.
  void take_next(WorkCounter& counter) {
    const std::int64_t index = stop_requested() ? static_cast<std::int64_t>(pending_.size()) : counter.next();
    if (index >= static_cast<std::int64_t>(pending_.size())) {
      return;
    }
    next_ = pending_[static_cast<std::size_t>(index)];
    const ModelInfo& info = setup_.model->info();
    std::vector<Time> history;
    for (int age = info.history - 1; age >= 0; --age) {
      history.push_back(*next_ - age * info.history_spacing);
    }
    input_ahead_.request(history, info.channels);
    next_truth_leads_ = leads_with_truth(*next_);
    std::vector<Time> valid;
    for (const std::size_t lead : next_truth_leads_) {
      valid.push_back(*next_ + setup_.leads[lead]);
    }
    truth_ahead_.request(valid, truth_channels_);
  }

  std::vector<std::size_t> leads_with_truth(Time initial_time) const {
    std::vector<std::size_t> leads;
    for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
      if (setup_.truth->has_time(initial_time + setup_.leads[lead])) {
        leads.push_back(lead);
      }
    }
    return leads;
  }

  /// False if a stop signal arrived: the initial time is dropped, not committed.
  bool run_initial_time(Time initial_time, WorkCounter& counter, Progress* progress) {
    log_debug("initial time {}: start", to_string(initial_time));
    const std::vector<std::size_t> truth_leads = std::exchange(next_truth_leads_, {});
    std::vector<State> truth;
    {
      const Stopwatch watch(timings_.read);
      std::vector<State> history = input_ahead_.take();
      truth = truth_ahead_.take();
      check_history(history);
      rollout_.start(initial_time, history);
    }
    scorer_.begin(initial_time);
    output_.begin(initial_time);
    auto next_truth = truth.begin();
    for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
      if (stop_requested()) {
        return false;
      }
      if (lead + 1 == setup_.leads.size()) {
        take_next(counter);  // reserved no earlier than the last step, so that a slow rank holds little back
      }
      {
        const Stopwatch watch(timings_.compute);
        rollout_.advance();
      }
      if (std::binary_search(truth_leads.begin(), truth_leads.end(), lead)) {
        const Stopwatch watch(timings_.score);
        scorer_.add(lead, rollout_.members(), *next_truth++);
      }
      {
        const Stopwatch watch(timings_.write);
        output_.push(setup_.leads[lead], rollout_.members());
      }
      if (progress != nullptr) {
        progress->tick();
      }
    }
    commit(initial_time);
    return true;
  }

  void check_history(const std::vector<State>& history) const {
    std::vector<std::string> problems;
    for (const State& state : history) {
      if (!setup_.config.check_input) {
        continue;
      }
      auto found = check_state(state);
      std::move(found.begin(), found.end(), std::back_inserter(problems));
      if (!setup_.orography.empty()) {
        found = check_orientation(state, setup_.orography);
        std::move(found.begin(), found.end(), std::back_inserter(problems));
      }
    }
    require(problems.empty(), ExitCode::corrupt_input,
            "{} is not fit for model input (input.check: false takes it all the same):\n  {}",
            setup_.input->path(), fmt::join(problems, "\n  "));
  }

  void commit(Time initial_time) {
    const Stopwatch watch(timings_.write);
    output_.finish();
    write_netcdf(results_.sums_file(initial_time), eval::to_netcdf(scorer_.finish(), setup_.score));
    log_debug("initial time {}: committed", to_string(initial_time));
  }

  const HindcastSetup& setup_;
  const ResultsFolder& results_;
  std::vector<Time> pending_;
  std::shared_ptr<const ChannelSet> truth_channels_;
  ReadAhead input_ahead_;
  ReadAhead truth_ahead_;
  EnsembleRollout rollout_;
  eval::InitTimeScorer scorer_;
  ForecastOutput output_;
  std::optional<Time> next_;
  std::vector<std::size_t> next_truth_leads_;
  HindcastTimings timings_;
};

std::vector<HindcastTimings> gather_timings(const HindcastTimings& mine, const Comm& comm) {
  std::vector<double> all(static_cast<std::size_t>(comm.size()) * 5, 0.0);
  const auto at = static_cast<std::size_t>(comm.rank()) * 5;
  all[at] = mine.read;
  all[at + 1] = mine.compute;
  all[at + 2] = mine.score;
  all[at + 3] = mine.write;
  all[at + 4] = mine.idle;
  comm.sum_in_rank_order(all);
  std::vector<HindcastTimings> timings;
  for (std::size_t i = 0; i < all.size(); i += 5) {
    timings.push_back({all[i], all[i + 1], all[i + 2], all[i + 3], all[i + 4]});
  }
  return timings;
}

}  // namespace

HindcastOutcome run_hindcast(const HindcastSetup& setup, const ResultsFolder& results, const Comm& comm) {
  HindcastOutcome outcome;
  std::vector<Time> pending;
  std::copy_if(setup.initial_times.begin(), setup.initial_times.end(), std::back_inserter(pending),
               [&](Time time) { return !results.is_committed(time); });
  outcome.resumed = setup.initial_times.size() - pending.size();
  comm.barrier();  // every rank has seen the same folder before anybody commits
  HindcastTimings timings;
  double idle = 0;
  {
    WorkCounter counter(comm);
    std::optional<HindcastWorker> worker;
    agree(comm, [&] { worker.emplace(setup, results, pending); });
    std::optional<Progress> progress;
    if (comm.rank() == 0) {
      progress.emplace(setup.initial_times.size(), setup.config.log.interval,
                       [&] { return results.count_committed(setup.initial_times); });
    }
    worker->run(counter, progress ? &*progress : nullptr);
    timings = worker->timings();
    const Stopwatch watch(idle);
    comm.barrier();
  }
  timings.idle = idle;
  outcome.timings = gather_timings(timings, comm);
  outcome.committed = results.count_committed(setup.initial_times);
  outcome.code =
      outcome.committed == setup.initial_times.size() ? ExitCode::complete : ExitCode::stopped_early;
  return outcome;
}

}  // namespace mosaic
