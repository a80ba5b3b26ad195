#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace mosaic::test {

struct Job {
  int code = -1;       ///< exit code, or -1 if it ended by a signal
  std::string output;  ///< stdout and stderr
  double seconds = 0;
};

/// Runs a command in a process group of its own; one that hangs is ended, and a failure. `on_output` sees the
/// output so far after each piece; `meanwhile` runs on a thread of its own and must come to an end with the
/// job.
Job run_job(const std::vector<std::string>& command,
            const std::function<void(pid_t, const std::string&)>& on_output = {},
            const std::function<void(pid_t)>& meanwhile = {});

std::size_t count_of(const std::string& text, const std::string& part);

/// Far below any time that a hanging job would be given, far above what starting one takes on a busy machine.
constexpr double soon = 30.0;

}  // namespace mosaic::test
