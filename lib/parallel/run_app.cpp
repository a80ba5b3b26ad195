#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/signals.hpp"
#include "base/standard_exceptions.hpp"
#include "parallel/session.hpp"

namespace mosaic {

namespace {

struct Ending {
  int code = static_cast<int>(ExitCode::complete);
  std::string message = {};  ///< empty: no exception
  bool agreed = false;       ///< every rank ends with this message
};

/// "file.cpp:12".
std::string place_of(const Error& problem) {
  const std::string file = std::filesystem::path(problem.where().file_name()).filename();
  return fmt::format("{}:{}", file, problem.where().line());
}

/// Runs body; no exception leaves.
Ending run_body(int argc, char** argv, const std::function<int(int, char**)>& body) {
  const int internal = static_cast<int>(ExitCode::internal);
  try {
    return {.code = body(argc, argv)};
  } catch (const AgreedError& problem) {
    return {static_cast<int>(problem.code()), problem.what(), true};
  } catch (const Error& problem) {
    return {static_cast<int>(problem.code()), fmt::format("{} ({})", problem.what(), place_of(problem))};
  } catch (const std::exception& problem) {
    const Error error = as_error(problem);
    return {static_cast<int>(error.code()), error.what()};
  } catch (...) {
    return {internal, "unexpected exception of unknown type"};
  }
}

/// In one piece, so that lines of several ranks do not mix; past stdio, so that nothing is left unwritten.
void print_error(const std::string& line) {
  std::fflush(nullptr);
  const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(written);  // there is nowhere left to say that stderr is closed
}

/// Prints the message and ends the job; returns only if this rank is alone.
void end_with_error(const Ending& ending, const Comm& world) {
  if (!ending.agreed) {
    print_error(fmt::format("[rank {}/{}] {}\n", world.rank(), world.size(), ending.message));
  } else if (world.rank() == 0) {
    print_error(ending.message + "\n");
  }
  if (world.size() == 1) {
    return;
  }
  let_sigterm_end_the_process();  // which is what the launcher does to all ranks once one has aborted
  if (ending.agreed && world.rank() != 0) {
    // Rank 0 speaks and aborts for all: many aborts at once make launchers stumble.
    std::this_thread::sleep_for(std::chrono::seconds(10));
  }
  const auto lock = lock_mpi();
  MPI_Abort(MPI_COMM_WORLD, ending.code);
}

/// The largest code of all ranks.
int agree_on_code(const Comm& world, int code) {
  for (const std::string& other : world.all_gather(std::to_string(code))) {
    code = std::max(code, std::stoi(other));
  }
  return code;
}

}  // namespace

namespace {

Ending run_with_mpi(int argc, char** argv, const std::function<int(int, char**)>& body) {
  const Session session(&argc, &argv);
  const Comm world = Comm::world();
  set_up_log({.rank = world.rank(), .ranks = world.size(), .file = {}});
  Ending ending = run_body(argc, argv, body);
  if (!ending.message.empty()) {
    end_with_error(ending, world);
  } else {
    ending.code = agree_on_code(world, ending.code);
  }
  return ending;
}

/// Without the libraries' own endings: HDF5's, after a file that it could not write, is a segmentation fault.
[[noreturn]] void leave(int code) {
  std::fflush(nullptr);
  _exit(code);
}

}  // namespace

int run_app(int argc, char** argv, const std::function<int(int argc, char** argv)>& body) {
  install_stop_handlers();
  try {
    const Ending ending = run_with_mpi(argc, argv, body);
    if (!ending.message.empty()) {
      leave(ending.code);
    }
    return ending.code;
  } catch (const Error& problem) {
    print_error(fmt::format("{} ({})\n", problem.what(), place_of(problem)));
    return static_cast<int>(problem.code());
  }
}

}  // namespace mosaic
