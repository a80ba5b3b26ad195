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
    return {internal, fmt::format("unexpected exception: {}", problem.what())};
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

/// Waits until all ranks are here or the time is up. For endings, when some rank may never come.
void meet_for(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  MPI_Request request = MPI_REQUEST_NULL;
  {
    const auto lock = lock_mpi();
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
  }
  for (int done = 0; done == 0 && std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto lock = lock_mpi();
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
  }
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
  if (ending.agreed) {
    // Nobody aborts before rank 0 has spoken.
    meet_for(std::chrono::seconds(2));
  }
  let_sigterm_end_the_process();  // MPI_Abort waits until the launcher sends it
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

int run_app(int argc, char** argv, const std::function<int(int argc, char** argv)>& body) {
  install_stop_handlers();
  try {
    const Session session(&argc, &argv);
    const Comm world = Comm::world();
    set_up_log({.rank = world.rank(), .ranks = world.size(), .file = {}});
    const Ending ending = run_body(argc, argv, body);
    if (!ending.message.empty()) {
      end_with_error(ending, world);
      return ending.code;
    }
    return agree_on_code(world, ending.code);
  } catch (const Error& problem) {
    print_error(fmt::format("{} ({})\n", problem.what(), place_of(problem)));
    return static_cast<int>(problem.code());
  }
}

}  // namespace mosaic
