#include "stores/netcdf_probe.hpp"

#include <fcntl.h>
#include <hdf5.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "stores/guarded_memory.hpp"
#include "stores/probe_reading.hpp"

extern char** environ;  // NOLINT: POSIX declares it nowhere

namespace mosaic {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view probe_flag = "--probe-netcdf-file";
// Lines from the child to its parent: the file that it is about to read, and the Error that ends it.
constexpr std::string_view file_line = "file ";
constexpr std::string_view error_line = "error ";

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// --- the child ---------------------------------------------------------------------------------------------

void say(std::string_view what, const std::string& text) {
  const std::string line = std::string(what) + text + '\n';
  const ssize_t written = write(STDOUT_FILENO, line.data(), line.size());
  static_cast<void>(written);  // a parent that is gone needs no answer
}

void limit(int resource, rlim_t value) {
  const rlimit both{value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &both);
}

/// [bytes] of address space that this process has now.
std::size_t address_space() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void limit_resources(int cpu_seconds, std::size_t memory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_CORE, 0);
  const rlimit cpu{static_cast<rlim_t>(cpu_seconds), static_cast<rlim_t>(cpu_seconds) + 1};
  setrlimit(RLIMIT_CPU, &cpu);  // SIGXCPU, and SIGKILL a second later: if they were equal only the latter
#ifndef __SANITIZE_ADDRESS__    // whose shadow memory is larger than any limit
  limit(RLIMIT_AS, address_space() + memory);
  end_at_huge_allocation();
#else
  static_cast<void>(end_at_huge_allocation);
  static_cast<void>(memory);
  static_cast<void>(address_space);
#endif
}

/// Lets errors of the library show that depend on what its blocks held before. False: they cannot be filled.
bool show_errors_of_memory(unsigned char filling) {
  H5set_free_list_limits(0, 0, 0, 0, 0, 0);  // blocks that HDF5 keeps to use them again are in no guard
#ifndef __SANITIZE_ADDRESS__                 // which has guards of its own
  return guard_memory(filling);
#else
  static_cast<void>(filling);
  return false;
#endif
}

void read_all_for_probe(const ProbeRequest& request, const std::vector<std::string>& files, double seconds) {
  for (const std::string& file : files) {
    say(file_line, file);
    read_for_probe(request, file, seconds / static_cast<double>(files.size()));
  }
}

/// Arguments: path, options, CPU seconds, memory, seconds of reading.
int probe(char** arguments) {
  const ProbeRequest request{arguments[0], arguments[1]};
  // Noise: large numbers, positive ones since a negative length often means none. Then zeros, with which some
  // readings go on that noise ends.
  constexpr unsigned char noise = 0x5A;
  constexpr double again = 0.2;  // of the time
  const bool filled = show_errors_of_memory(noise);
  limit_resources(std::atoi(arguments[2]), std::strtoull(arguments[3], nullptr, 10));
  try {
    const std::vector<std::string> files = files_to_probe(request);
    const double seconds = std::strtod(arguments[4], nullptr);
    read_all_for_probe(request, files, seconds);
    if (filled) {
      show_errors_of_memory(0);
      read_all_for_probe(request, files, seconds * again);
    }
    return static_cast<int>(ExitCode::complete);
  } catch (const Error& error) {
    say(error_line, error.what());
    return static_cast<int>(error.code());
  } catch (const std::bad_alloc&) {
    say(error_line, request.path + ": takes more memory than a file of its kind should");
    return static_cast<int>(ExitCode::corrupt_input);
  }
}

// --- the parent --------------------------------------------------------------------------------------------

struct Descriptors {
  std::array<int, 2> ends{-1, -1};  // of a pipe: read, write
  ~Descriptors() {
    for (const int end : ends) {
      if (end >= 0) {
        close(end);
      }
    }
  }
};

/// Ours, with an allocator that has the hooks of guard_memory(), stops at damage to the heap, and fills
/// memory with noise: the library may write past its buffers and crash in another program only. Where that
/// allocator is not there (no glibc) nothing changes.
std::vector<std::string> environment_of_child() {
  std::vector<std::string> variables;
#ifndef __SANITIZE_ADDRESS__  // which has an allocator of its own
  std::string preload = "LD_PRELOAD=libc_malloc_debug.so.0";
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (text.starts_with("LD_PRELOAD=")) {
      preload += ":" + text.substr(text.find('=') + 1);
    } else if (!text.starts_with("MALLOC_CHECK_=") && !text.starts_with("MALLOC_PERTURB_=")) {
      variables.push_back(text);
    }
  }
  variables.insert(variables.end(), {preload, "MALLOC_CHECK_=3", "MALLOC_PERTURB_=165"});
#else
  for (char** variable = environ; *variable != nullptr; ++variable) {
    variables.emplace_back(*variable);
  }
#endif
  return variables;
}

/// Pointers to the texts and a null behind them.
std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// Starts the child with the pipe as its stdout and nothing else open; 0 if that fails.
pid_t start(const std::string& program, std::vector<std::string> words, int output) {
  const std::vector<char*> arguments = pointers_to(words);
  std::vector<std::string> variables = environment_of_child();
  const std::vector<char*> environment = pointers_to(variables);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#if __GLIBC_PREREQ(2, 34)
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
#endif
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  pid_t child = 0;
  const int problem =
      posix_spawn(&child, program.c_str(), &files, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  errno = problem;
  return problem == 0 ? child : 0;
}

/// What the child says until it ends or the time is over.
std::string listen(int input, double seconds) {
  const auto begin = Clock::now();
  std::string said;
  std::array<char, 4096> piece{};
  for (;;) {
    const double left = seconds - seconds_since(begin);
    pollfd waiting{input, POLLIN, 0};
    const int ready = left > 0 ? poll(&waiting, 1, static_cast<int>(left * 1000) + 1) : 0;
    if (ready < 0 && errno == EINTR) {
      continue;
    }
    const ssize_t count = ready > 0 ? read(input, piece.data(), piece.size()) : 0;
    if (count <= 0) {
      return said;
    }
    said.append(piece.data(), static_cast<std::size_t>(count));
  }
}

/// Waits for the child for some seconds, then ends it. True if it ended by itself.
bool end_child(pid_t child, int& status, double seconds) {
  const auto begin = Clock::now();
  do {
    if (waitpid(child, &status, WNOHANG) == child) {
      return true;
    }
    poll(nullptr, 0, 5);
  } while (seconds_since(begin) < seconds);
  kill(child, SIGKILL);
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return false;
}

/// The rest of the last line that begins with `what`, or empty.
std::string last(const std::string& said, std::string_view what) {
  const std::size_t at = ("\n" + said).rfind("\n" + std::string(what));
  if (at == std::string::npos) {
    return "";
  }
  const std::string text = said.substr(at + what.size());
  return what == error_line ? text.substr(0, text.find_last_not_of('\n') + 1)
                            : text.substr(0, text.find('\n'));
}

/// Throws what the child's end means.
void judge(const std::string& path, const std::string& said, bool ended, int status,
           const ProbeLimits& limits) {
  if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return;
  }
  const std::string error = last(said, error_line);
  if (ended && WIFEXITED(status) && !error.empty()) {
    throw Error(static_cast<ExitCode>(WEXITSTATUS(status)), error);
  }
  const std::string file = last(said, file_line);
  const std::string named = file.empty() ? path : file;
  const bool too_long = !ended || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
  require(!too_long, ExitCode::corrupt_input,
          "{}: a trial reading did not end within {} s ({} s of CPU time); the file is damaged", named,
          limits.seconds, limits.cpu_seconds);
  require(!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS, ExitCode::corrupt_input,
          "{}: a trial reading asked for 4 GiB of memory or more at once; the file is damaged", named);
  fail(ExitCode::corrupt_input, "{}: a trial reading crashed the NetCDF library ({}); the file is damaged",
       named,
       WIFSIGNALED(status) ? fmt::format("signal {}, {}", WTERMSIG(status), strsignal(WTERMSIG(status)))
                           : fmt::format("exit code {}", WEXITSTATUS(status)));
}

/// Runs the child and throws what its end means.
void try_in_child(const ProbeRequest& request, const ProbeLimits& limits) {
  Descriptors pipe_ends;
  pid_t child = 0;
  if (pipe2(pipe_ends.ends.data(), O_CLOEXEC) == 0) {
    child = start(limits.program,
                  {limits.program, std::string(probe_flag), request.path, request.options,
                   std::to_string(limits.cpu_seconds), std::to_string(limits.memory),
                   std::to_string(limits.reading_seconds)},
                  pipe_ends.ends[1]);
  }
  if (child == 0) {
    log_warning("{}: opened without a trial in a child process, which could not be started: {}", request.path,
                std::strerror(errno));
    return;
  }
  close(std::exchange(pipe_ends.ends[1], -1));
  const auto begin = Clock::now();
  const std::string said = listen(pipe_ends.ends[0], limits.seconds);
  int status = 0;
  constexpr double last_moments = 0.1;  // even where the time is over
  const bool ended = end_child(child, status, std::max(last_moments, limits.seconds - seconds_since(begin)));
  judge(request.path, said, ended, status, limits);
}

/// A trial of files that are found first: none for Zarr, more time for thousands.
void probe_found_files(const ProbeRequest& request, ProbeLimits limits) {
  const std::size_t files = request.path.ends_with(".zarr") ? 0 : files_to_probe(request).size();
  if (files == 0) {
    return;
  }
  constexpr std::size_t files_per_second = 20;
  const auto more = static_cast<int>(files / files_per_second);
  limits.seconds += more;
  limits.cpu_seconds += more;
  try_in_child(request, limits);
}

}  // namespace

void probe_netcdf(const std::string& path, const FieldStoreOptions& options, const ProbeLimits& limits) {
  if (!path.empty() && !std::filesystem::is_directory(path) && !path.ends_with(".zarr")) {
    try_in_child(request_fields(path, options), limits);
  }
}

void probe_forecasts(const std::string& path, const ForecastStoreOptions& options,
                     const ProbeLimits& limits) {
  probe_found_files(request_forecasts(path, options), limits);
}

void probe_climatology(const std::string& path, const ClimatologyOptions& options,
                       const ProbeLimits& limits) {
  probe_found_files(request_climatology(path, options), limits);
}

void probe_store(const std::string& path, const ProbeLimits& limits) {
  probe_found_files(request_any(path), limits);
}

std::optional<int> run_netcdf_probe(int argc, char** argv) {
  constexpr int count = 7;  // program, flag, and what probe() takes
  if (argc != count || argv[1] != probe_flag) {
    return std::nullopt;
  }
  std::fflush(nullptr);
  _exit(probe(argv + 2));  // past the endings of libraries that a damaged file may have upset
}

}  // namespace mosaic
