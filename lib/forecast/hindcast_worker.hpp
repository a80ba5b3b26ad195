#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "campaign/progress.hpp"
#include "eval/init_time_scorer.hpp"
#include "forecast/ensemble_rollout.hpp"
#include "forecast/forecast_output.hpp"
#include "forecast/hindcast.hpp"
#include "stores/prefetch.hpp"

namespace mosaic {

/// Adds the time until the end of its scope to a total. [s]
class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total) {}
  ~Stopwatch() { total_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// One rank's part of a hindcast: takes initial times from the shared counter until none is left.
class HindcastWorker {
 public:
  /// `pending`: the initial times still to do, the same on every rank.
  HindcastWorker(const HindcastSetup& setup, const ResultsFolder& results, std::vector<Time> pending);

  /// Returns when nothing is left or a stop was requested; what was under way then is dropped. Errors: of
  /// reading, forecasting and scoring unless `on_error: continue`; of writing always. They name the initial
  /// time.
  void run(WorkCounter& counter, Progress* progress);

  /// Initial times that were left out, and why.
  const std::map<Time, std::string>& failed() const { return failed_; }
  const HindcastTimings& timings() const { return timings_; }

 private:
  struct Input {
    std::vector<State> history;
    std::vector<State> truth;              ///< at the leads that have one
    std::vector<std::size_t> truth_leads;  ///< which these are, ascending
  };

  void take_next(WorkCounter& counter);
  void request_input(Time initial_time);
  std::vector<std::size_t> leads_with_truth(Time initial_time) const;
  Input take_input();
  Input read_input(Time initial_time);
  void check_history(const std::vector<State>& history) const;
  void run_initial_time(Time initial_time, WorkCounter& counter, Progress* progress);
  void leave_out(Time initial_time, const Error& problem);

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
  std::map<Time, std::string> failed_;
  double longest_ = 0;  ///< [s] of all initial times so far
  HindcastTimings timings_;
};

}  // namespace mosaic
