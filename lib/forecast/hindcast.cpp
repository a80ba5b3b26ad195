#include "forecast/hindcast.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "forecast/hindcast_worker.hpp"
#include "parallel/agree.hpp"

namespace mosaic {

namespace {

std::vector<HindcastTimings> gather_timings(const HindcastTimings& mine, const Comm& comm) {
  std::vector<double> all(static_cast<std::size_t>(comm.size()) * 5, 0.0);
  const auto at = static_cast<std::size_t>(comm.rank()) * 5;
  all[at] = mine.read;
  all[at + 1] = mine.compute;
  all[at + 2] = mine.score;
  all[at + 3] = mine.write;
  all[at + 4] = mine.idle;
  comm.sum_in_rank_order(all);
  std::vector<HindcastTimings> timings;
  for (std::size_t i = 0; i < all.size(); i += 5) {
    timings.push_back({all[i], all[i + 1], all[i + 2], all[i + 3], all[i + 4]});
  }
  return timings;
}

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

HindcastOutcome run_hindcast(const HindcastSetup& setup, const ResultsFolder& results, const Comm& comm) {
  HindcastOutcome outcome;
  std::vector<Time> pending;
  std::copy_if(setup.initial_times.begin(), setup.initial_times.end(), std::back_inserter(pending),
               [&](Time time) { return !results.is_committed(time); });
  outcome.resumed = setup.initial_times.size() - pending.size();
  comm.barrier();  // every rank has seen the same folder before anybody commits
  HindcastTimings timings;
  {
    WorkCounter counter(comm);
    std::optional<HindcastWorker> worker;
    agree(comm, [&] { worker.emplace(setup, results, pending); });
    std::optional<Progress> progress;
    if (comm.rank() == 0) {
      progress.emplace(setup.initial_times.size(), setup.config.log.interval,
                       [&] { return results.count_committed(setup.initial_times); });
    }
    worker->run(counter, progress ? &*progress : nullptr);
    timings = worker->timings();
    outcome.failed = worker->failed();
    const Stopwatch watch(timings.idle);
    comm.barrier();
  }
  outcome.timings = gather_timings(timings, comm);
  outcome.committed = results.count_committed(setup.initial_times);
  outcome.failed = gather_failed(outcome.failed, comm);
  outcome.code = outcome_code(outcome.committed, outcome.failed.size(), setup.initial_times.size());
  return outcome;
}

}  // namespace mosaic
