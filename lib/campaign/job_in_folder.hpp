#pragma once

#include <memory>
#include <optional>
#include <string>

#include "campaign/job_locks.hpp"
#include "campaign/results_folder.hpp"
#include "campaign/shard.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

/// The stay of a job in a results folder that other jobs may share: from the claim, during which it is known
/// to others as alive, to the end.
class JobInFolder {
 public:
  /// Creates or claims the folder (ResultsFolder::claim); where no other job is alive it removes what killed
  /// ones left. Collective. Errors: those of the claim; bad_configuration for an overwrite while other jobs
  /// are at work there.
  JobInFolder(const Comm& comm, const ResultsFolder& results, const RunIdentity& identity,
              ExistingResults existing, const Shard& shard);
  ~JobInFolder();
  JobInFolder(const JobInFolder&) = delete;
  JobInFolder& operator=(const JobInFolder&) = delete;

  const Shard& shard() const { return shard_; }
  JobLocks& locks() { return *locks_; }
  const JobLocks& locks() const { return *locks_; }
  /// For its files; empty for a job that has the folder for itself.
  const std::string& name() const { return name_; }
  std::string log_file(int rank) const {
    return results_.file("log/" + log_prefix() + std::to_string(rank)) + ".log";
  }
  /// Appends log files to log/run.log and removes them: all, or those of this job where others are at work.
  /// On one rank, last.
  void merge_logs() const;

 private:
  std::string log_prefix() const { return (name_.empty() ? "" : name_ + "-") + "rank"; }
  void enter(const RunIdentity& identity, ExistingResults existing);

  const ResultsFolder& results_;
  Shard shard_;
  std::unique_ptr<JobAnnouncement> announcement_;  // on rank 0
  std::optional<JobLocks> locks_;
  std::string name_;
};

}  // namespace mosaic
