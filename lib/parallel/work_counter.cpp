#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <limits>
#include <thread>

#include "parallel/comm.hpp"
#include "parallel/session.hpp"

namespace mosaic {

// Request and answer instead of MPI's one-sided calls: these leave progress at the owner to the transport,
// and Open MPI 4 chooses the one-sided component per machine. A message needs nothing but a look of the
// thread below.

namespace {

constexpr int ask_tag = 1;
constexpr int answer_tag = 2;
constexpr auto pause_between_looks = std::chrono::microseconds(500);

}  // namespace

struct WorkCounter::Impl {
  explicit Impl(const Comm& group) : comm(group.duplicate()) {
    if (comm.rank() == 0 && comm.size() > 1) {
      server = std::jthread([this](const std::stop_token& stop) { serve(stop); });
    }
  }

  /// Answers all requests that have arrived, again and again until told to stop.
  void serve(const std::stop_token& stop) {
    try {
      while (!stop.stop_requested()) {
        while (answer_one()) {
        }
        std::this_thread::sleep_for(pause_between_looks);
      }
    } catch (...) {
      problem = std::current_exception();
      failed = true;
    }
  }

  bool answer_one() {
    const MPI_Comm handle = comm.impl_->handle;
    std::int64_t limit = 0;
    std::int64_t value = 0;
    MPI_Request request = MPI_REQUEST_NULL;
    {
      const auto lock = lock_mpi();
      int waiting = 0;
      MPI_Status status;
      check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, ask_tag, handle, &waiting, &status), "MPI_Iprobe");
      if (waiting == 0) {
        return false;
      }
      check_mpi(MPI_Recv(&limit, 1, MPI_INT64_T, status.MPI_SOURCE, ask_tag, handle, MPI_STATUS_IGNORE),
                "MPI_Recv");
      value = take_below(limit);
      check_mpi(MPI_Isend(&value, 1, MPI_INT64_T, status.MPI_SOURCE, answer_tag, handle, &request),
                "MPI_Isend");
    }
    wait(request);
    return true;
  }

  /// Counts on if the value is below `limit`; else gives `limit`.
  std::int64_t take_below(std::int64_t limit) {
    std::int64_t value = counter;
    while (value < limit && !counter.compare_exchange_weak(value, value + 1)) {
    }
    return std::min(value, limit);
  }

  std::int64_t next_below(std::int64_t limit) {
    if (failed) {
      std::rethrow_exception(problem);
    }
    return comm.rank() == 0 ? take_below(limit) : ask(limit);
  }

  std::int64_t ask(std::int64_t limit) {
    const MPI_Comm handle = comm.impl_->handle;
    std::int64_t value = 0;
    std::array<MPI_Request, 2> requests = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    {
      const auto lock = lock_mpi();
      check_mpi(MPI_Irecv(&value, 1, MPI_INT64_T, 0, answer_tag, handle, &requests[0]), "MPI_Irecv");
      check_mpi(MPI_Isend(&limit, 1, MPI_INT64_T, 0, ask_tag, handle, &requests[1]), "MPI_Isend");
    }
    wait_all(requests);
    return value;
  }

  Comm comm;
  std::atomic<std::int64_t> counter{0};
  int exceptions_at_start = std::uncaught_exceptions();
  std::exception_ptr problem;  ///< of the server; to be read once `failed` is true
  std::atomic<bool> failed{false};
  std::jthread server;  ///< last: ends before what it uses
};

WorkCounter::WorkCounter(const Comm& comm) : impl_(std::make_unique<Impl>(comm)) {}

WorkCounter::~WorkCounter() {
  if (std::uncaught_exceptions() == impl_->exceptions_at_start) {
    impl_->comm.barrier();  // the server answers until every rank is here
  }
}

std::int64_t WorkCounter::next() { return impl_->next_below(std::numeric_limits<std::int64_t>::max()); }

std::optional<std::int64_t> WorkCounter::next_below(std::int64_t limit) {
  const std::int64_t value = impl_->next_below(limit);
  return value < limit ? std::optional(value) : std::nullopt;
}

}  // namespace mosaic
