#include "forecast/hindcast_audit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/machine.hpp"
#include "eval/score_shares.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

struct Computed {
  int group = -1;  ///< -1: in an earlier run or by another job
  std::string host = "an earlier run or another job";
};

/// Who committed what in this run, on every rank.
std::map<Time, Computed> gather_computed(const HindcastWorker& worker, const Comm& comm, int my_group) {
  const std::vector<std::string> groups = comm.all_gather(std::to_string(my_group));
  const std::vector<std::string> hosts = comm.all_gather(host_name());
  const std::vector<std::string> times = comm.all_gather(to_lines(worker.committed()));
  std::map<Time, Computed> computed;
  for (std::size_t rank = 0; rank < times.size(); ++rank) {
    for (const Time time : times_from_lines(times[rank])) {
      computed.emplace(time, Computed{std::stoi(groups[rank]), hosts[rank]});  // the group's first rank
    }
  }
  return computed;
}

/// One in 1 / fraction of the committed ones, at least one.
std::vector<Time> chosen_times(const ResultsFolder& results, const std::vector<Time>& times, double fraction,
                               const Comm& comm) {
  std::vector<Time> committed;
  std::copy_if(times.begin(), times.end(), std::back_inserter(committed),
               [&](Time time) { return results.is_committed(time); });
  const auto count =
      static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(committed.size()) - 1e-9));
  std::vector<Time> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    chosen.push_back(committed[i * committed.size() / count]);
  }
  return times_from_lines(comm.broadcast(to_lines(chosen)));  // other jobs may commit meanwhile
}

std::string hash_of(const eval::InitTimeSums& sums) {
  const std::vector<double> numbers = eval::ScoreShares::numbers_of(sums);
  return sha256_of_text(
      {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)});  // bytes, bits
}

eval::InitTimeSums committed_sums(const ResultsFolder& results, Time time) {
  if (!results.is_merged()) {
    return eval::from_netcdf(read_netcdf(results.sums_file(time)));
  }
  for (eval::InitTimeSums& sums : eval::all_from_netcdf(read_netcdf(results.merged_sums_file()))) {
    if (sums.initial_time == time) {
      return std::move(sums);
    }
  }
  fail(ExitCode::corrupt_input, "{} has no initial time {}", results.merged_sums_file(), to_string(time));
}

int auditing_group(const Computed& by, std::size_t turn, int groups) {
  const int step = groups == 1 ? 0 : 1 + static_cast<int>(turn % static_cast<std::size_t>(groups - 1));
  return (std::max(by.group, 0) + step) % groups;
}

}  // namespace

std::vector<Time> audit(const ResultsFolder& results, const std::vector<Time>& times, double fraction,
                        HindcastWorker& worker, const Comm& comm, int my_group, int groups) {
  if (fraction == 0) {
    return {};
  }
  const std::map<Time, Computed> computed = gather_computed(worker, comm, my_group);
  const std::vector<Time> chosen = chosen_times(results, times, fraction, comm);
  if (groups == 1 && comm.rank() == 0) {
    log_warning("audit: there is one group of ranks only, so that the same ranks compute again");
  }
  std::vector<Time> same;
  std::string different;
  for (std::size_t turn = 0; turn < chosen.size(); ++turn) {
    const Time time = chosen[turn];
    const auto found = computed.find(time);
    const Computed by = found == computed.end() ? Computed{} : found->second;
    if (auditing_group(by, turn, groups) != my_group) {
      continue;
    }
    const auto sums = worker.recompute(time);
    if (!sums) {
      break;
    }
    if (!worker.speaks_for_group()) {
      continue;
    }
    const std::string expected = hash_of(committed_sums(results, time));
    const std::string got = hash_of(*sums);
    if (got == expected) {
      same.push_back(time);
    } else {
      different += fmt::format(
          "audit: initial time {}: the sums committed on {} have the hash {}, computed again on {} {}; one "
          "of the two computes wrongly\n",
          to_string(time), by.host, expected.substr(0, 16), host_name(), got.substr(0, 16));
    }
  }
  comm.require_agreement(static_cast<int>(ExitCode::internal), different);
  std::vector<Time> audited;
  for (const std::string& lines : comm.all_gather(to_lines(same))) {
    const std::vector<Time> of_rank = times_from_lines(lines);
    audited.insert(audited.end(), of_rank.begin(), of_rank.end());
  }
  std::sort(audited.begin(), audited.end());
  log_info("audit: {} initial times computed again, with the same bits", audited.size());
  return audited;
}

}  // namespace mosaic
