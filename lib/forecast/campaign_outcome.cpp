#include "forecast/campaign_outcome.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace mosaic {

namespace {

/// The union over the ranks, on every rank.
std::map<Time, std::string> gather_failed(const std::map<Time, std::string>& mine, const Comm& comm) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [time, reason] : mine) {
    list.push_back({to_string(time), reason});
  }
  std::map<Time, std::string> all;
  for (const std::string& text :
       comm.all_gather(list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace))) {
    for (const auto& entry : nlohmann::json::parse(text)) {
      all[parse_time(entry[0].get<std::string>())] = entry[1].get<std::string>();
    }
  }
  return all;
}

/// Complete if everything is committed; else what is neither committed nor failed was stopped.
ExitCode outcome_code(std::size_t committed, std::size_t failed, std::size_t all) {
  if (committed == all) {
    return ExitCode::complete;
  }
  return committed + failed == all ? ExitCode::partly_failed : ExitCode::stopped_early;
}

}  // namespace

std::vector<Time> pending_times(const ResultsFolder& results, const std::vector<Time>& times,
                                const Comm& comm) {
  std::vector<Time> pending;
  std::copy_if(times.begin(), times.end(), std::back_inserter(pending),
               [&](Time time) { return comm.rank() == 0 && !results.is_committed(time); });
  return times_from_lines(comm.broadcast(to_lines(pending)));
}

void finish_outcome(CampaignOutcome& outcome, const ResultsFolder& results, const std::vector<Time>& times,
                    const Comm& comm) {
  outcome.committed = times.size() - pending_times(results, times, comm).size();
  outcome.failed = gather_failed(outcome.failed, comm);
  outcome.code = outcome_code(outcome.committed, outcome.failed.size(), times.size());
}

}  // namespace mosaic
