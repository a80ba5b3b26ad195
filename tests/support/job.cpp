#include "support/job.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <thread>

namespace mosaic::test {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds limit{400};  // a hanging job is an error of its own case: the others still run

/// Spawned, not forked: several threads do this at once, and in a forked child the allocator of a sanitizer
/// may be locked for ever. The pipe is no other child's: it would not end before that one.
pid_t spawn(const std::vector<std::string>& command, int output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = -1;
  const int problem = posix_spawn(&child, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(problem, 0) << command[0] << ": " << std::strerror(problem);
  return problem == 0 ? child : -1;
}

/// What there is to read before `end`; empty if nothing comes any more or the time is over.
std::string next_output(int input, Clock::time_point end) {
  pollfd waiting{input, POLLIN, 0};
  for (auto left = end - Clock::now(); left > Clock::duration::zero(); left = end - Clock::now()) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left);
    const int ready = poll(&waiting, 1, static_cast<int>(wait.count()));
    if (ready > 0) {
      std::array<char, 4096> piece{};
      const ssize_t count = read(input, piece.data(), piece.size());
      return {piece.data(), static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    }
  }
  return "";
}

/// The exit code, or -1 after a signal. After `end` the job is told to stop, then killed.
int wait_for(pid_t child, Clock::time_point end) {
  constexpr std::chrono::seconds grace{10};
  int status = 0;
  for (int signal : {SIGTERM, SIGKILL}) {
    for (; Clock::now() < end; std::this_thread::sleep_for(std::chrono::milliseconds(2))) {
      if (waitpid(child, &status, WNOHANG) == child) {
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      }
    }
    kill(-child, signal);
    end = Clock::now() + grace;
  }
  waitpid(child, &status, 0);
  return -1;
}

}  // namespace

Job run_job(const std::vector<std::string>& command,
            const std::function<void(pid_t, const std::string&)>& on_output,
            const std::function<void(pid_t)>& meanwhile) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const auto start = Clock::now();
  const auto end = start + limit;
  const pid_t child = spawn(command, ends[1]);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return {};
  }
  const std::jthread companion([&] {
    if (meanwhile) {
      meanwhile(child);
    }
  });
  Job job;
  for (std::string piece; !(piece = next_output(ends[0], end)).empty();) {
    job.output += piece;
    if (on_output) {
      on_output(child, job.output);
    }
  }
  close(ends[0]);
  job.code = wait_for(child, end);
  EXPECT_LT(Clock::now(), end) << command.back() << " hung; until then it said:\n" << job.output;
  job.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return job;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace mosaic::test
