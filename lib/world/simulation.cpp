#include "world/simulation.hpp"

#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "parallel/agree.hpp"

namespace mosaic::world {
namespace {

/// Ranks meet after so much of each realization.
constexpr Duration between_meetings = Duration::days(2);

/// One rank's part in the whole.
class SimulationRun {
 public:
  SimulationRun(const SimulationRequest& request, const Comm& comm, const SimulationProgress& progress)
      : request_(request), comm_(comm), progress_(progress), folder_(request.output) {}

  SimulationOutcome run() {
    agree(comm_, [&] { outcome_.plan = plan_simulation(request_); });
    if (is_complete()) {
      outcome_.was_complete = true;
      outcome_.times_done = plan().times.size();
      return std::move(outcome_);
    }
    set_up();
    advance_all();
    if (!outcome_.stopped) {
      finish();
    }
    return std::move(outcome_);
  }

 private:
  const SimulationPlan& plan() const { return outcome_.plan; }
  double days(double steps) const {
    return steps * static_cast<double>(plan().time_step.seconds) /
           static_cast<double>(Duration::days(1).seconds);
  }

  /// By the eyes of rank 0: file systems of different hosts may differ for a moment.
  bool is_complete() {
    bool complete = false;
    agree(comm_, [&] {
      complete = comm_.rank() == 0 && folder_.status(plan().attributes) == SimulationStatus::complete;
      if (complete) {
        folder_.remove_work();
      }
    });
    return !comm_.broadcast(complete ? "complete" : "").empty();
  }

  void set_up() {
    using Statics = SimulationWorker::Statics;
    agree(comm_, [&] {
      worker_.emplace(request_, plan(), folder_);
      if (comm_.rank() == 0) {
        folder_.prepare();
        worker_->open_store(Statics::write);
      }
    });
    agree(comm_, [&] {
      if (comm_.rank() != 0) {
        worker_->open_store(Statics::leave);
      }
      worker_->take(realizations_of_this_rank());
    });
    const auto [resumed, steps, unused] = over_ranks(
        {static_cast<double>(worker_->resumed()), static_cast<double>(worker_->earlier_steps()), 0});
    outcome_.resumed = static_cast<std::size_t>(resumed);
    earlier_days_ = days(steps);
    all_days_ = days(static_cast<double>(plan().steps_of_all()));
    if (comm_.rank() == 0 && outcome_.resumed > 0) {
      log_info("{}: {} of {} realizations go on from restart files, {:.0f} of {:.0f} member-days are done",
               folder_.path(), outcome_.resumed, plan().stretches.size(), earlier_days_, all_days_);
    }
  }

  std::vector<std::size_t> realizations_of_this_rank() const {
    std::vector<std::size_t> realizations;
    for (auto i = static_cast<std::size_t>(comm_.rank()); i < plan().stretches.size();
         i += static_cast<std::size_t>(comm_.size())) {
      realizations.push_back(i);
    }
    return realizations;
  }

  /// Ranks meet now and then: one that was told to stop stops all.
  void advance_all() {
    const auto start = std::chrono::steady_clock::now();
    for (bool under_way = true; under_way && !outcome_.stopped;) {
      worker_->work(between_meetings);
      const auto [realizations, steps, told] =
          over_ranks({static_cast<double>(worker_->under_way()), static_cast<double>(worker_->steps()),
                      stop_requested() ? 1.0 : 0.0});
      under_way = realizations > 0;
      outcome_.stopped = under_way && told > 0;
      outcome_.member_days = days(steps);
      if (comm_.rank() == 0 && progress_) {
        progress_(earlier_days_ + outcome_.member_days, all_days_);
      }
    }
    if (outcome_.stopped) {
      worker_->save_all();
    }
    outcome_.times_done =
        static_cast<std::size_t>(over_ranks({static_cast<double>(worker_->outputs()), 0, 0})[0]);
    outcome_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    outcome_.parts = worker_->seconds();
  }

  void finish() {
    agree(comm_, [&] {
      if (comm_.rank() == 0) {
        worker_->close_store();
        folder_.remove_work();
      }
    });
  }

  std::array<double, 3> over_ranks(std::array<double, 3> values) const {
    comm_.sum_in_rank_order(values);
    return values;
  }

  const SimulationRequest& request_;
  const Comm& comm_;
  const SimulationProgress& progress_;
  SimulationFolder folder_;
  SimulationOutcome outcome_;
  std::optional<SimulationWorker> worker_;
  double earlier_days_ = 0, all_days_ = 0;  ///< member-days of earlier runs, and of the whole
};

}  // namespace

SimulationOutcome simulate(const SimulationRequest& request, const Comm& comm,
                           const SimulationProgress& progress) {
  return SimulationRun(request, comm, progress).run();
}

}  // namespace mosaic::world
