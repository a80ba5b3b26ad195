#pragma once

#include <mpi.h>

#include <mutex>
#include <source_location>
#include <span>

#include "base/error.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

// Inside lib/parallel only.
//
// MPI runs at MPI_THREAD_SERIALIZED: every call is made under one lock, which is not held while waiting for
// other ranks (except by MPI_Comm_split, MPI_Comm_split_type, MPI_Comm_free and MPI_Finalize, which have no
// nonblocking form). The threads of a rank can then use MPI side by side (a counter answers while its rank
// computes) without MPI_THREAD_MULTIPLE, which not every build offers and which parts of Open MPI 4.1
// (osc/pt2pt, by its own message) do not support.

/// Holds the lock that every MPI call needs.
std::unique_lock<std::mutex> lock_mpi();

/// Throws Error(internal) with MPI's message for a result other than MPI_SUCCESS.
void check_mpi(int result, const char* call, std::source_location where = std::source_location::current());

/// Waits without holding the lock; the thread yields first and then sleeps between looks.
void wait_all(std::span<MPI_Request> requests);
inline void wait(MPI_Request request) { wait_all({&request, 1}); }

/// MPI from its start to its end. One at a time in a process.
class Session {
 public:
  Session(int* argc, char*** argv);
  /// Finalises MPI: all ranks must have met.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
};

/// A communicator with its rank and size.
struct Comm::Impl {
  explicit Impl(MPI_Comm handle);
  /// Frees the communicator unless an exception is in flight or MPI has ended: freeing is collective.
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  MPI_Comm handle;
  int rank = 0;
  int size = 1;
};

/// The Error that all ranks throw alike: one of them prints it for all.
class AgreedError : public Error {
 public:
  using Error::Error;
};

}  // namespace mosaic
