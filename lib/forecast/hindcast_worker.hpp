#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "campaign/init_time_queue.hpp"
#include "campaign/progress.hpp"
#include "forecast/group_forecast.hpp"

namespace mosaic {

/// One rank's part of a hindcast: with the other ranks of its group it takes initial times from the queue
/// until none is left.
class HindcastWorker {
 public:
  /// Collective over the group.
  HindcastWorker(const HindcastSetup& setup, const ResultsFolder& results, const Comm& group);

  /// Returns when nothing is left or a stop was requested; what was under way then is dropped. Errors: of
  /// reading, forecasting and scoring unless `on_error: continue`; of writing always. They name the initial
  /// time. Collective over the group.
  void run(InitTimeQueue& queue, Progress* progress);

  /// The sums of an initial time once more, on the first rank of the group; nothing is written. Nothing if
  /// the group was asked to stop. Collective over the group.
  std::optional<eval::InitTimeSums> recompute(Time initial_time);

  /// Whether this is the first rank of its group, which has the sums and writes.
  bool speaks_for_group() const { return agreement_.group().rank() == 0; }
  /// Initial times that this group committed.
  const std::vector<Time>& committed() const { return committed_; }
  /// Initial times that were left out, and why.
  const std::map<Time, std::string>& failed() const { return failed_; }
  const HindcastTimings& timings() const { return timings_; }

 private:
  void take_next(const std::function<std::optional<Time>()>& choose);
  void run_initial_time(Time initial_time, InitTimeQueue& queue, Progress* progress);
  bool read_input(Time initial_time, HindcastInput& input);
  void before_step(std::size_t lead, InitTimeQueue& queue, Progress* progress);
  void commit(Time initial_time, const eval::InitTimeSums& sums);
  void leave_out(Time initial_time, const Error& problem);
  ForecastOutput new_output() const;

  const HindcastSetup& setup_;
  const ResultsFolder& results_;
  GroupAgreement agreement_;
  GroupForecast forecast_;
  HindcastInputReader reader_;
  ForecastOutput output_;
  std::optional<Time> next_;
  bool stopped_ = false;  ///< the group was asked to stop
  std::vector<Time> committed_;
  std::map<Time, std::string> failed_;
  double longest_ = 0;       ///< [s] of all initial times so far
  double longest_step_ = 0;  ///< [s]
  std::chrono::steady_clock::time_point step_start_;
  HindcastTimings timings_;
};

}  // namespace mosaic
