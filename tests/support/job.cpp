#include "support/job.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

namespace mosaic::test {

namespace {

[[noreturn]] void become(const std::vector<std::string>& command, const std::array<int, 2>& ends) {
  setpgid(0, 0);
  dup2(ends[1], STDOUT_FILENO);
  dup2(ends[1], STDERR_FILENO);
  close(ends[0]);
  close(ends[1]);
  std::vector<char*> arguments;
  for (const std::string& word : command) {
    arguments.push_back(const_cast<char*>(word.c_str()));
  }
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

Job run_job(const std::vector<std::string>& command,
            const std::function<void(pid_t, const std::string&)>& on_output,
            const std::function<void(pid_t)>& meanwhile) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    become(command, ends);
  }
  close(ends[1]);
  const std::jthread companion([&] {
    if (meanwhile) {
      meanwhile(child);
    }
  });
  Job job;
  std::array<char, 4096> piece{};
  for (ssize_t n = 0; (n = read(ends[0], piece.data(), piece.size())) > 0;) {
    job.output.append(piece.data(), static_cast<std::size_t>(n));
    if (on_output) {
      on_output(child, job.output);
    }
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  job.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  job.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
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
