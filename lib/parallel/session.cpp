#include "parallel/session.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <optional>
#include <thread>

#include "base/error.hpp"

namespace mosaic {

namespace {

std::mutex mpi_mutex;
std::optional<Comm> world_of_session;

}  // namespace

std::unique_lock<std::mutex> lock_mpi() { return std::unique_lock(mpi_mutex); }

void check_mpi(int result, const char* call, std::source_location where) {
  if (result == MPI_SUCCESS) {
    return;
  }
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(result, text.data(), &length);
  throw Error(ExitCode::internal, fmt::format("{} failed: {}", call, text.data()), where);
}

void wait_all(std::span<MPI_Request> requests) {
  // Long enough to spare the core, short against any computation; while data flow, each look moves some.
  constexpr auto longest_pause = std::chrono::microseconds(200);
  auto pause = std::chrono::microseconds(1);
  for (int look = 0;; ++look) {
    int done = 0;
    {
      const auto lock = lock_mpi();
      check_mpi(MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, MPI_STATUSES_IGNORE),
                "MPI_Testall");
    }
    if (done != 0) {
      return;
    }
    if (look < 100) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, longest_pause);
    }
  }
}

Session::Session(int* argc, char*** argv) {
  int provided = 0;
  // Nobody else knows of MPI yet: no lock.
  check_mpi(MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
  require(provided >= MPI_THREAD_SERIALIZED,
          "this MPI library offers thread level {}, MPI_THREAD_SERIALIZED ({}) is needed; use another build "
          "of it",
          provided, static_cast<int>(MPI_THREAD_SERIALIZED));
  MPI_Comm handle = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &handle), "MPI_Comm_dup");
  world_of_session = Comm(std::make_shared<Comm::Impl>(handle));
}

Session::~Session() {
  world_of_session.reset();
  const auto lock = lock_mpi();
  MPI_Finalize();
}

Comm::Impl::Impl(MPI_Comm handle) : handle(handle) {
  const auto lock = lock_mpi();
  check_mpi(MPI_Comm_set_errhandler(handle, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(handle, &rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(handle, &size), "MPI_Comm_size");
}

Comm::Impl::~Impl() {
  const auto lock = lock_mpi();
  int ended = 0;
  MPI_Finalized(&ended);
  if (ended == 0 && std::uncaught_exceptions() == 0) {
    MPI_Comm_free(&handle);
  }
}

Comm Comm::world() {
  require(world_of_session.has_value(), "there are no ranks outside run_app");
  return *world_of_session;
}

}  // namespace mosaic
