#include "campaign/init_time_queue.hpp"

#include <utility>

#include "base/log.hpp"
#include "base/signals.hpp"

namespace mosaic {

InitTimeQueue::InitTimeQueue(const Comm& comm, const ResultsFolder& results, const JobLocks& locks,
                             std::vector<Time> times)
    : counter_(comm), results_(results), locks_(locks), times_(std::move(times)) {}

std::optional<Time> InitTimeQueue::next() {
  const auto count = static_cast<std::int64_t>(times_.size());
  while (const auto index = counter_.next_below(count)) {
    if (const auto time = take(*index)) {
      return time;
    }
  }
  while (!held_by_others_.empty() && !stop_requested()) {
    const Time time = held_by_others_.back();
    held_by_others_.pop_back();
    if (results_.is_committed(time)) {
      continue;
    }
    if (is_ours(time, locks_.try_lock_after_sign_of_life(lock_name(time), stop_requested))) {
      return time;
    }
    if (const auto holder = locks_.holder(lock_name(time))) {
      log_warning("initial time {} is being forecast by {} and left to it", to_string(time), holder->text());
    }
  }
  return std::nullopt;
}

/// Nothing if another job has it or had it; what is still held is looked at again at the end.
std::optional<Time> InitTimeQueue::take(std::int64_t index) {
  const Time time = times_[static_cast<std::size_t>(index)];
  if (results_.is_committed(time)) {
    return std::nullopt;
  }
  const LockOutcome outcome = locks_.try_lock(lock_name(time));
  if (outcome == LockOutcome::held) {
    held_by_others_.push_back(time);
  }
  return is_ours(time, outcome) ? std::optional(time) : std::nullopt;
}

/// False if another job holds it or has just finished it.
bool InitTimeQueue::is_ours(Time time, LockOutcome outcome) {
  if (outcome == LockOutcome::held) {
    return false;
  }
  if (results_.is_committed(time)) {
    release(time);
    return false;
  }
  if (outcome == LockOutcome::taken_over) {
    results_.remove_leftovers_of(time);
  }
  return true;
}

std::optional<Time> InitTimeQueue::reserve(double seconds) {
  // With `taken` so far, the others last (count - taken) x elapsed / taken seconds. Rates change: twice that
  // is asked for.
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  const double limit = static_cast<double>(times_.size()) * elapsed / (elapsed + 2 * seconds);
  const auto index = counter_.next_below(static_cast<std::int64_t>(limit));
  return index ? take(*index) : std::nullopt;
}

void InitTimeQueue::release(Time time) { locks_.unlock(lock_name(time)); }

std::string lock_name(Time initial_time) { return file_name_of(initial_time); }

}  // namespace mosaic
