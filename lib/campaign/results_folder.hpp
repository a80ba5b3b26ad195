#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// What determines the results of a run, as flat name -> value pairs. Two runs with equal identities give the
/// same bits.
using RunIdentity = std::map<std::string, std::string>;

enum class ExistingResults {
  resume,                    ///< go on; the identity must be the same
  resume_on_other_hardware,  ///< go on; what is named machine.* may differ
  overwrite,                 ///< delete them
};

/// The folder of one run: which initial times are committed, where their files go, to which run it belongs.
///   identity.json   RunIdentity, written when the folder is first used
///   sums/<time>.nc  one file per committed initial time
///   sums.nc         all of them, once the run is complete
///   locks/          which jobs are at work (campaign/job_locks.hpp)
class ResultsFolder {
 public:
  explicit ResultsFolder(std::string path);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Creates the folder or checks that it belongs to `identity`. Errors: cannot_create; bad_configuration
  /// listing every difference if the folder belongs to another run.
  void claim(const RunIdentity& identity, ExistingResults existing) const;
  /// Removes what killed jobs left half-written before `moment`, by the file system's clock [s].
  void remove_leftovers(double moment) const;
  /// The same for one initial time, whose lock this job holds.
  void remove_leftovers_of(Time initial_time) const;
  /// The same for the files of the whole run, by the one job that may write them now. Ranks can outlive the
  /// launcher that was killed and go on writing for a moment after this job has begun.
  void remove_leftovers_of_scores() const;

  /// Where the sums of an initial time go; the file's existence is the commit.
  std::string sums_file(Time initial_time) const;
  bool is_committed(Time initial_time) const;
  /// The sums of all initial times in one file; it exists once the run is complete.
  std::string merged_sums_file() const { return file("sums.nc"); }
  bool is_merged() const;
  /// Removes the files of the single initial times, whose content is in the merged file, and forecasts that
  /// nobody will finish.
  void tidy_complete_run() const;
  std::size_t count_committed(const std::vector<Time>& times) const;

 private:
  std::string path_;
};

/// "name: <folder's value> there, <ours> here" for every difference.
std::vector<std::string> differences(const RunIdentity& folder, const RunIdentity& ours);

}  // namespace mosaic
