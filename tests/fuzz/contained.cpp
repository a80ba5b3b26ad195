#include "fuzz/contained.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/guarded_memory.hpp"
#include "support/golden.hpp"

namespace mosaic::test {

namespace {

// What a child reports through its pipe: kind, exit class, then text.
enum class Answer : char { contents = 'c', error = 'e', other = 'x' };

[[noreturn]] void answer(int output, Answer kind, int code, const std::string& first,
                         const std::string& second) {
  std::string text = static_cast<char>(kind) + std::to_string(code) + "\n" + std::to_string(first.size()) +
                     "\n" + first + second;
  while (!text.empty()) {
    const ssize_t written = write(output, text.data(), text.size());
    text.erase(0, static_cast<std::size_t>(std::max<ssize_t>(written, 1)));
  }
  _exit(0);
}

[[noreturn]] void read_and_answer(const std::function<Contents()>& read, int output, const std::string& log) {
  const rlimit cpu{1, 2};  // SIGXCPU before SIGKILL; a good file takes 0.02 s
  setrlimit(RLIMIT_CPU, &cpu);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
  end_at_huge_allocation();  // or the library fills the memory of the machine
#endif
  if (std::freopen(log.c_str(), "w", stderr) == nullptr) {
    _exit(3);
  }
  try {
    const Contents contents = read();
    answer(output, Answer::contents, 0, contents.structure, contents.values);
  } catch (const Error& error) {
    answer(output, Answer::error, static_cast<int>(error.code()), error.what(), "");
  } catch (const std::exception& error) {
    answer(output, Answer::other, 0, error.what(), "");
  }
}

/// Of a sanitizer's report: whether the first frame of a known library is one of ours.
bool is_our_crash(const std::string& report) {
  const std::size_t ours = report.find("mosaic::");
  const std::size_t theirs = std::min(report.find("libhdf5"), report.find("libnetcdf"));
  return ours != std::string::npos && ours < theirs;
}

}  // namespace

std::optional<Contents> read_in_child(const std::function<Contents()>& read_all, Trials& trials) {
  static const std::string log = (scratch_dir("netcdf_reports") / "stderr").string();
  int ends[2] = {};
  require(pipe(ends) == 0, "no pipe");
  const pid_t child = fork();
  if (child == 0) {
    read_and_answer(read_all, ends[1], log);
  }
  close(ends[1]);
  std::string said;
  char piece[4096];
  for (ssize_t count = 0; (count = read(ends[0], piece, sizeof(piece))) > 0;) {
    said.append(piece, static_cast<std::size_t>(count));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (said.empty()) {
    const std::string report = read_text(log);
    if (is_our_crash(report)) {
      throw std::runtime_error("crashed in our code:\n" + report.substr(0, 3000));
    }
    ++(WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU ? trials.hangs : trials.crashes);
    return std::nullopt;
  }
  const std::size_t first = said.find('\n');
  const std::size_t second = said.find('\n', first + 1);
  const std::size_t size = std::stoul(said.substr(first + 1));
  const std::string text = said.substr(second + 1, size);
  switch (static_cast<Answer>(said[0])) {
    case Answer::contents:
      return Contents{text, said.substr(second + 1 + size)};
    case Answer::error:
      throw Error(static_cast<ExitCode>(std::stoi(said.substr(1))), text);
    default:
      throw std::runtime_error(text);
  }
}

}  // namespace mosaic::test
