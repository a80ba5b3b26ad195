#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "campaign/job_locks.hpp"
#include "campaign/results_folder.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

/// Hands out the initial times of a job to whichever rank asks first, each locked against other jobs in the
/// same folder.
class InitTimeQueue {
 public:
  /// `times`: what this job has to do, the same on every rank. Collective, as is the end.
  InitTimeQueue(const Comm& comm, const ResultsFolder& results, const JobLocks& locks,
                std::vector<Time> times);

  /// The next one that nobody has committed and no other job holds. Nothing once none is left.
  std::optional<Time> next();

  /// One to be begun only after `seconds`, unless that could keep it from a rank that is free before: so many
  /// must be left that they last longer, at the rate of all ranks so far.
  std::optional<Time> reserve(double seconds);

  /// Gives back the lock of one that was committed, failed or dropped.
  void release(Time time);

 private:
  std::optional<Time> take(std::int64_t index);
  bool is_ours(Time time, LockOutcome outcome);

  using Clock = std::chrono::steady_clock;
  WorkCounter counter_;
  const ResultsFolder& results_;
  JobLocks locks_;
  std::vector<Time> times_;
  std::vector<Time> held_by_others_;  // when this rank came to them
  Clock::time_point start_ = Clock::now();
};

/// The name of an initial time's lock.
std::string lock_name(Time initial_time);

}  // namespace mosaic
