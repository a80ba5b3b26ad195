#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/signals.hpp"

namespace mosaic {

/// Values for another rank of a group.
struct OutgoingValues {
  int to = 0;
  std::span<const float> values;
};
/// Room for values of another rank.
struct IncomingValues {
  int from = 0;
  std::span<float> values;
};

/// The ranks of a job, or a group of them. Thin and exception-based over MPI; exists only inside run_app.
/// A copy is the same group. Functions with several ranks are collective: every rank of the group calls them
/// in the same order. Ranks that wait sleep between looks, so that they leave their core to others. Errors:
/// internal, with MPI's own message.
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
  /// Element-wise sum in rank order (not MPI's reduction order), on every rank. Errors: internal, on every
  /// rank, if the lengths differ.
  void sum_in_rank_order(std::span<double> values) const;
  /// Ends the job unless `message` is empty on every rank: throws the same Error on all, listing `[rank r/N]
  /// message` once per distinct message. `code` is the ExitCode value of this rank's problem; that of the
  /// lowest rank with a problem counts. For set-up, before collectives.
  void require_agreement(int code, const std::string& message) const;
  /// Sends and receives everything at once. What goes from one rank to another arrives in the order of both
  /// lists, which must have the same lengths in pairs. Collective.
  void exchange(std::span<const OutgoingValues> outgoing, std::span<const IncomingValues> incoming) const;
  /// The same ranks with messages of their own, which never meet those of this group. Collective.
  Comm duplicate() const;
  /// The ranks that gave the same `group` (from 0), in their order here. Collective.
  Comm split(int group) const;
  /// The ranks of this rank's host, in their order here. Collective.
  Comm node() const;

 private:
  friend class Session;
  friend class WorkCounter;
  struct Impl;
  explicit Comm(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// A shared counter handing out 0, 1, 2, ... to whichever rank asks first. Rank 0 keeps it; a thread there
/// answers, so that rank 0 need not take part while it computes.
class WorkCounter {
 public:
  explicit WorkCounter(const Comm& comm);  // collective
  ~WorkCounter();                          // collective unless an exception is in flight
  WorkCounter(const WorkCounter&) = delete;
  WorkCounter& operator=(const WorkCounter&) = delete;
  std::int64_t next();
  /// The same if it is below `limit`; otherwise nothing is taken.
  std::optional<std::int64_t> next_below(std::int64_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Starts MPI, installs stop-signal handlers, runs `body` and ends the program as interfaces.md section 7
/// says: an Error or any other exception is printed as `[rank r/N] what (file:line)` and ends the whole job
/// with its exit code (MPI_Abort when N > 1); otherwise body's value, the largest of all ranks, is the exit
/// code after all ranks have met. After an error the process leaves without exit handlers. Logging is set up
/// with rank and size; body may set it up again.
int run_app(int argc, char** argv, const std::function<int(int argc, char** argv)>& body);

}  // namespace mosaic
