#include "forecast/hindcast_worker.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "base/standard_exceptions.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

Error named(Time initial_time, const Error& problem) {
  return {problem.code(), fmt::format("initial time {}: {}", to_string(initial_time), problem.what()),
          problem.where()};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

HindcastWorker::HindcastWorker(const HindcastSetup& setup, const ResultsFolder& results, const Comm& group)
    : setup_(setup),
      results_(results),
      agreement_(group, setup.config.on_error == "stop"),
      forecast_(setup, agreement_),
      reader_(setup, forecast_.truth_channels(), forecast_.scores()),
      output_(new_output()) {}

ForecastOutput HindcastWorker::new_output() const {
  if (!speaks_for_group()) {
    return {};
  }
  return make_forecast_output(setup_.config, setup_.model->info(), forecast_.output_channels(), setup_.leads,
                              results_.path());
}

void HindcastWorker::run(InitTimeQueue& queue, Progress* progress) {
  const auto next_of_queue = [&] { return queue.next(); };
  take_next(next_of_queue);
  while (next_ && !stopped_) {
    const Time initial_time = *std::exchange(next_, std::nullopt);
    double seconds = 0;
    try {
      const Stopwatch watch(seconds);
      run_initial_time(initial_time, queue, progress);
    } catch (const Error& problem) {
      leave_out(initial_time, problem);
    } catch (const OutputFailure& failure) {
      throw named(initial_time, failure.problem);
    } catch (const std::exception& problem) {
      throw named(initial_time, as_error(problem));
    }
    if (speaks_for_group()) {
      queue.release(initial_time);
    }
    longest_ = std::max(longest_, seconds);
    if (!next_ && !stopped_) {
      take_next(next_of_queue);
    }
  }
  if (next_ && speaks_for_group()) {
    queue.release(*next_);
  }
}

/// The first rank chooses, unless a stop was requested or is too near; all ranks of the group read.
void HindcastWorker::take_next(const std::function<std::optional<Time>()>& choose) {
  std::string text;
  if (speaks_for_group() && !stop_requested() && seconds_until_stop() >= longest_) {
    const auto chosen = choose();
    text = chosen ? to_string(*chosen) : "";
  }
  if (agreement_.group().size() > 1) {
    text = agreement_.group().broadcast(text);
  }
  if (!text.empty()) {
    next_ = parse_time(text);
    reader_.request(*next_);
  }
}

bool HindcastWorker::read_input(Time initial_time, HindcastInput& input) {
  const Stopwatch watch(timings_.read);
  return reader_.take(initial_time, agreement_, input);
}

void HindcastWorker::run_initial_time(Time initial_time, InitTimeQueue& queue, Progress* progress) {
  log_debug("initial time {}: start", to_string(initial_time));
  HindcastInput input;
  if (!read_input(initial_time, input)) {
    stopped_ = true;
    return;
  }
  write_or_fail(timings_.write, [&] { output_.begin(initial_time); });
  step_start_ = std::chrono::steady_clock::now();
  const auto sums = forecast_.run(initial_time, input, output_, timings_,
                                  [&](std::size_t lead) { before_step(lead, queue, progress); });
  if (!sums) {
    stopped_ = true;
    return;
  }
  if (speaks_for_group()) {
    commit(initial_time, *sums);
  }
  committed_.push_back(initial_time);
}

/// Reserves the next initial time for the last step of this one, so that it is read meanwhile; not near the
/// end, where a rank that is free would have begun it before.
void HindcastWorker::before_step(std::size_t lead, InitTimeQueue& queue, Progress* progress) {
  longest_step_ = lead == 0 ? longest_step_ : std::max(longest_step_, seconds_since(step_start_));
  step_start_ = std::chrono::steady_clock::now();
  if (progress != nullptr) {
    progress->tick();
  }
  if (lead + 1 == setup_.leads.size()) {
    const double known = setup_.leads.size() == 1 ? longest_ : longest_step_;
    const double until_free = known > 0 ? known : std::numeric_limits<double>::infinity();
    const auto reserve = [&] { return queue.reserve(until_free); };
    write_or_fail(timings_.write, [&] { take_next(reserve); });  // writes a lock
  }
}

void HindcastWorker::commit(Time initial_time, const eval::InitTimeSums& sums) {
  write_or_fail(timings_.write, [&] {
    output_.finish();
    write_netcdf(results_.sums_file(initial_time), eval::to_netcdf(sums, setup_.score));
  });
  log_debug("initial time {}: committed", to_string(initial_time));
}

std::optional<eval::InitTimeSums> HindcastWorker::recompute(Time initial_time) {
  reader_.request(initial_time);
  HindcastInput input;
  if (!read_input(initial_time, input)) {
    return std::nullopt;
  }
  ForecastOutput nothing;
  return forecast_.run(initial_time, input, nothing, timings_, [](std::size_t) {});
}

void HindcastWorker::leave_out(Time initial_time, const Error& problem) {
  if (setup_.config.on_error == "stop") {
    throw named(initial_time, problem);
  }
  if (speaks_for_group()) {
    log_warning("initial time {} is left out: {}", to_string(initial_time), problem.what());
  }
  failed_[initial_time] = problem.what();
  // A new writer: the old one discards what it has of this initial time.
  output_ = new_output();
}

}  // namespace mosaic
