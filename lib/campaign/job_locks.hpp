#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// A job that works, or worked, in a results folder.
struct JobOwner {
  std::string id;             ///< unique among all jobs of the folder
  std::string host;           ///< name of the host of its rank 0
  std::string processes;      ///< which processes of that host it can see: boot and namespace of its pids
  long pid = 0;               ///< of rank 0
  std::string process_start;  ///< tells a process from a later one with the same pid
  std::string slurm_job;      ///< SLURM_JOB_ID; empty without Slurm
  int slurm_restarts = 0;     ///< SLURM_RESTART_COUNT
  std::string since;          ///< start, UTC
  /// One line for messages.
  std::string text() const;
};

/// This process as an owner.
JobOwner this_job();

enum class LockOutcome {
  locked,
  taken_over,  ///< locked; a job that is gone held it, and may have left unfinished files
  held,        ///< by another living job
};

/// Jobs that share a results folder, and the names (initial times, the merge) that each has locked. A job is
/// known by a file that it touches while it lives; a lock is a file that names its owner. Locks of jobs that
/// are gone are taken over: gone is a job whose process no longer runs on this host, an earlier start of this
/// very Slurm job, or one that has not shown itself for two minutes by the clock of the file system. Two jobs
/// never hold a lock together unless one of them was taken for dead; even then both would commit the same
/// bits.
///   <folder>/<id>.job            a job
///   <folder>/<name>.<n>.lock     a lock; the highest n counts
class JobLocks {
 public:
  /// For a job whose rank 0 has called announce().
  JobLocks(std::string folder, JobOwner owner);

  const JobOwner& owner() const { return owner_; }

  /// Other jobs that seem to be alive.
  std::vector<JobOwner> others_alive() const;
  /// The living job that holds `name`, if another one does.
  std::optional<JobOwner> holder(const std::string& name) const;
  /// Errors: cannot_create.
  LockOutcome try_lock(const std::string& name);
  /// The same, but first waits until the holder has shown whether it is alive, two minutes at most;
  /// `give_up` ends that.
  LockOutcome try_lock_after_sign_of_life(const std::string& name, const std::function<bool()>& give_up);
  /// Of a lock that this job holds.
  void unlock(const std::string& name);
  /// Removes what jobs that are gone have left.
  void remove_dead() const;

 private:
  struct Found {
    int generation = 0;
    JobOwner owner;
  };
  std::string job_file(const std::string& id) const { return folder_ + "/" + id + ".job"; }
  std::string lock_file(const std::string& name, int generation) const;
  std::vector<int> generations(const std::string& name) const;
  std::optional<Found> newest(const std::string& name) const;
  bool is_held(const std::string& name, const Found& found) const;
  void remove(const std::string& name, const Found& found) const;
  bool has_rival(const std::string& name, int ours) const;
  bool sees_processes_of(const JobOwner& other) const;
  bool is_alive(const JobOwner& other) const;
  bool is_silent(const JobOwner& other) const;
  double seconds_since_sign_of_life(const std::string& file) const;

  std::string folder_;
  JobOwner owner_;
  JobOwner here_;  ///< this process, which may be on another host than the job's rank 0
};

/// Shows that a job is alive for as long as this object exists: a thread touches its file.
class JobAnnouncement {
 public:
  /// Errors: cannot_create.
  JobAnnouncement(const std::string& folder, const JobOwner& owner);
  /// Removes the file.
  ~JobAnnouncement();
  JobAnnouncement(const JobAnnouncement&) = delete;
  JobAnnouncement& operator=(const JobAnnouncement&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// For broadcasting.
std::string to_json_text(const JobOwner& owner);
JobOwner owner_from_json_text(const std::string& text);

}  // namespace mosaic
