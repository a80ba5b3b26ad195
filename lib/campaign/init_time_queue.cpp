#include "campaign/init_time_queue.hpp"

#include <utility>

#include "base/log.hpp"
#include "base/signals.hpp"

namespace mosaic {

InitTimeQueue::InitTimeQueue(const Comm& comm, const ResultsFolder& results, const JobLocks& locks,
                             std::vector<Time> times)
    : counter_(comm), results_(results), locks_(locks), times_(std::move(times)) {}

std::optional<Time> InitTimeQueue::next() {
  for (;;) {
    const auto index = static_cast<std::size_t>(counter_.next());
    if (index >= times_.size()) {
      break;
    }
    const Time time = times_[index];
    if (results_.is_committed(time)) {
      continue;  // by another job
    }
    if (is_ours(time, locks_.try_lock(lock_name(time)))) {
      return time;
    }
    held_by_others_.push_back(time);
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

bool InitTimeQueue::worth_reserving(double seconds) {
  const std::int64_t taken = counter_.peek();
  const std::int64_t left = static_cast<std::int64_t>(times_.size()) - taken;
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  constexpr double safety = 2;  // rates change
  return left > 0 && static_cast<double>(left) * elapsed > safety * seconds * static_cast<double>(taken);
}

void InitTimeQueue::release(Time time) { locks_.unlock(lock_name(time)); }

std::string lock_name(Time initial_time) { return file_name_of(initial_time); }

}  // namespace mosaic
