#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/time.hpp"
#include "campaign/results_folder.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

/// How a job went over its initial times.
struct CampaignOutcome {
  ExitCode code = ExitCode::complete;  ///< complete, stopped_early or partly_failed
  std::size_t initial_times = 0;       ///< of this job: all, or those of its shard
  std::size_t committed = 0;           ///< of these, finished by now
  std::size_t resumed = 0;             ///< of these, those that were there before
  std::map<Time, std::string> failed;  ///< initial times that could not be done, and why
};

/// Those of the job that are not committed, as rank 0 sees the folder: other jobs may commit meanwhile.
/// Collective.
std::vector<Time> pending_times(const ResultsFolder& results, const std::vector<Time>& times,
                                const Comm& comm);

/// Fills in what is known after the work: committed, failed (those of all ranks) and the code. Collective.
void finish_outcome(CampaignOutcome& outcome, const ResultsFolder& results, const std::vector<Time>& times,
                    const Comm& comm);

}  // namespace mosaic
