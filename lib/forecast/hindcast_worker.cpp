#include "forecast/hindcast_worker.hpp"

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "base/standard_exceptions.hpp"
#include "fields/state_checks.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

/// A file system may be away for a moment.
constexpr int read_attempts = 3;
constexpr std::chrono::seconds read_pause{1};

/// What could not be written ends the run whatever `on_error` says.
struct OutputFailure {
  Error problem;
};

template <class Write>
void write_or_fail(double& seconds, Write&& write) {
  const Stopwatch watch(seconds);
  try {
    write();
  } catch (const Error& problem) {
    throw OutputFailure{problem};
  }
}

Error named(Time initial_time, const Error& problem) {
  return {problem.code(), fmt::format("initial time {}: {}", to_string(initial_time), problem.what()),
          problem.where()};
}

NoiseSource make_noise(const HindcastSetup& setup) {
  const auto& ensemble = setup.config.ensemble;
  if (ensemble.noise_file.empty()) {
    return NoiseSource::from_seed(static_cast<std::uint64_t>(ensemble.seed));
  }
  return NoiseSource::from_file(ensemble.noise_file, ensemble.members, static_cast<int>(setup.leads.size()),
                                setup.model->info().noise_width);
}

}  // namespace

HindcastWorker::HindcastWorker(const HindcastSetup& setup, const ResultsFolder& results,
                               std::vector<Time> pending)
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

void HindcastWorker::run(WorkCounter& counter, Progress* progress) {
  take_next(counter);
  while (next_ && !stop_requested()) {
    const Time initial_time = *std::exchange(next_, std::nullopt);
    double seconds = 0;
    try {
      const Stopwatch watch(seconds);
      run_initial_time(initial_time, counter, progress);
    } catch (const Error& problem) {
      leave_out(initial_time, problem);
    } catch (const OutputFailure& failure) {
      throw named(initial_time, failure.problem);
    } catch (const std::exception& problem) {
      throw named(initial_time, as_error(problem));
    }
    longest_ = std::max(longest_, seconds);
    if (!next_) {
      take_next(counter);
    }
  }
}

/// Reserves the next initial time of the counter and starts to read it.
void HindcastWorker::take_next(WorkCounter& counter) {
  if (stop_requested() || seconds_until_stop() < longest_) {
    return;
  }
  const std::int64_t index = counter.next();
  if (index < static_cast<std::int64_t>(pending_.size())) {
    next_ = pending_[static_cast<std::size_t>(index)];
    request_input(*next_);
  }
}

void HindcastWorker::request_input(Time initial_time) {
  const ModelInfo& info = setup_.model->info();
  std::vector<Time> history;
  for (int age = info.history - 1; age >= 0; --age) {
    history.push_back(initial_time - age * info.history_spacing);
  }
  input_ahead_.request(history, info.channels);
  std::vector<Time> valid;
  for (const std::size_t lead : leads_with_truth(initial_time)) {
    valid.push_back(initial_time + setup_.leads[lead]);
  }
  truth_ahead_.request(valid, truth_channels_);
}

std::vector<std::size_t> HindcastWorker::leads_with_truth(Time initial_time) const {
  std::vector<std::size_t> leads;
  for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
    if (setup_.truth->has_time(initial_time + setup_.leads[lead])) {
      leads.push_back(lead);
    }
  }
  return leads;
}

/// Waits for both requests, also if the first one fails.
HindcastWorker::Input HindcastWorker::take_input() {
  std::exception_ptr problem;
  Input input;
  const auto take = [&](ReadAhead& ahead, std::vector<State>& states) {
    try {
      states = ahead.take();
    } catch (...) {
      problem = problem ? problem : std::current_exception();
    }
  };
  take(input_ahead_, input.history);
  take(truth_ahead_, input.truth);
  if (problem) {
    std::rethrow_exception(problem);
  }
  return input;
}

/// What was requested, checked; asks again where a failure need not be the end.
HindcastWorker::Input HindcastWorker::read_input(Time initial_time) {
  const Stopwatch watch(timings_.read);
  for (int attempt = 1;; ++attempt) {
    try {
      Input input = take_input();
      check_history(input.history);
      input.truth_leads = leads_with_truth(initial_time);
      return input;
    } catch (const Error& problem) {
      if (setup_.config.on_error == "stop" || attempt == read_attempts || stop_requested()) {
        throw;
      }
      log_warning("initial time {}: reading failed and is tried again: {}", to_string(initial_time),
                  problem.what());
      std::this_thread::sleep_for(read_pause);
      request_input(initial_time);
    }
  }
}

void HindcastWorker::run_initial_time(Time initial_time, WorkCounter& counter, Progress* progress) {
  log_debug("initial time {}: start", to_string(initial_time));
  const Input input = read_input(initial_time);
  rollout_.start(initial_time, input.history);
  scorer_.begin(initial_time);
  write_or_fail(timings_.write, [&] { output_.begin(initial_time); });
  auto truth = input.truth.begin();
  for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
    if (stop_requested()) {
      return;
    }
    if (lead + 1 == setup_.leads.size()) {
      take_next(counter);  // reserved no earlier than the last step, so that a slow rank holds little back
    }
    {
      const Stopwatch watch(timings_.compute);
      rollout_.advance();
    }
    if (std::binary_search(input.truth_leads.begin(), input.truth_leads.end(), lead)) {
      const Stopwatch watch(timings_.score);
      scorer_.add(lead, rollout_.members(), *truth++);
    }
    write_or_fail(timings_.write, [&] { output_.push(setup_.leads[lead], rollout_.members()); });
    if (progress != nullptr) {
      progress->tick();
    }
  }
  write_or_fail(timings_.write, [&] {
    output_.finish();
    write_netcdf(results_.sums_file(initial_time), eval::to_netcdf(scorer_.finish(), setup_.score));
  });
  log_debug("initial time {}: committed", to_string(initial_time));
}

void HindcastWorker::check_history(const std::vector<State>& history) const {
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

void HindcastWorker::leave_out(Time initial_time, const Error& problem) {
  if (setup_.config.on_error == "stop") {
    throw named(initial_time, problem);
  }
  log_warning("initial time {} is left out: {}", to_string(initial_time), problem.what());
  failed_[initial_time] = problem.what();
  // A new writer: the old one discards what it has of this initial time.
  output_ = make_forecast_output(setup_.config, setup_.model->info(), setup_.leads, results_.path());
}

}  // namespace mosaic
