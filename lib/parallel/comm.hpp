#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mosaic {

/// The ranks of a job, or a group of them. Thin and exception-based over MPI; needs a Session.
class Comm {
 public:
  /// All ranks of the job.
  static Comm world();

  int rank() const;
  int size() const;
  void barrier() const;
  /// root's text on every rank.
  std::string broadcast(const std::string& text, int root = 0) const;
  /// Every rank's text, in rank order, on every rank.
  std::vector<std::string> all_gather(const std::string& text) const;
  /// Element-wise sum in rank order (not MPI's reduction order), on every rank.
  void sum_in_rank_order(std::span<double> values) const;
  /// Ends the job unless `message` is empty on every rank: throws the same Error on all, listing `[rank r/N]
  /// message` once per distinct message. `code` is the ExitCode value of this rank's problem. For set-up,
  /// before collectives.
  void require_agreement(int code, const std::string& message) const;

 private:
  struct Impl;
  explicit Comm(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// A shared counter handing out 0, 1, 2, ... to whichever rank asks first. MPI one-sided on rank 0; rank 0
/// must not have to take part while it computes (progress thread).
class WorkCounter {
 public:
  explicit WorkCounter(const Comm& comm);  // collective
  ~WorkCounter();                          // collective unless an exception is in flight
  WorkCounter(const WorkCounter&) = delete;
  WorkCounter& operator=(const WorkCounter&) = delete;
  std::int64_t next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Starts MPI, installs stop-signal handlers, runs `body` and ends the program as interfaces.md section 7
/// says: an Error or any other exception is printed as `[rank r/N] what, where` and ends the whole job with
/// its exit code (MPI_Abort when N > 1); otherwise body's value is the exit code after all ranks have met.
int run_app(int argc, char** argv, const std::function<int(int argc, char** argv)>& body);

/// True once SIGTERM, SIGINT, SIGUSR1 or SIGHUP arrived on this rank.
bool stop_requested();

}  // namespace mosaic
