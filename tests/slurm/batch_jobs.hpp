#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "end_to_end/hindcast_runs.hpp"

namespace mosaic::test {

// Batch jobs of the private Slurm (with_slurm.sh).

/// What `sbatch --parsable` printed, without what may stand behind the number.
inline std::string job_number(const std::string& printed) {
  return printed.substr(0, printed.find_first_not_of("0123456789"));
}

inline std::string jobs_in_queue(const std::string& options) {
  return shell("squeue --noheader --format=%i " + options).output;
}

/// Looks ten times a second, for two minutes at most.
inline void wait_until(const std::function<bool()>& happened) {
  for (int look = 0; look < 1200 && !happened(); ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

/// Sends a job the signal of the time limit, waits until it has queued itself again, starts it and waits for
/// its end. Slurm by itself would wait two minutes until it starts it.
inline void stop_and_start_again(const std::string& job) {
  shell("scancel --signal=USR1 " + job);
  wait_until([&] { return !jobs_in_queue("--state=PENDING --jobs=" + job).empty(); });
  // What is left of the first start must be gone, or Slurm takes the second one for it.
  wait_until([] { return shell("sinfo --noheader --format=%T").output.starts_with("idle"); });
  std::this_thread::sleep_for(std::chrono::seconds(5));
  shell("scontrol update StartTime=now JobId=" + job);
  wait_until([&] { return jobs_in_queue("").find(job) == std::string::npos; });
}

}  // namespace mosaic::test
