#include "forecast/hindcast_audit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
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
  std::string mine = fmt::format("{} {}\n", my_group, host_name());
  for (const Time time : worker.committed()) {
    mine += to_string(time) + "\n";
  }
  std::map<Time, Computed> computed;
  for (const std::string& text : comm.all_gather(mine)) {
    std::istringstream lines(text);
    Computed by;
    std::string line;
    lines >> by.group >> by.host >> std::ws;
    while (std::getline(lines, line)) {
      computed.emplace(parse_time(line), by);  // the first rank of a group speaks for it
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
  std::string text;
  for (std::size_t i = 0; i < count && comm.rank() == 0; ++i) {
    text += to_string(committed[i * committed.size() / count]) + "\n";
  }
  std::istringstream lines(comm.broadcast(text));
  std::vector<Time> chosen;
  for (std::string line; std::getline(lines, line);) {
    chosen.push_back(parse_time(line));
  }
  return chosen;
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
  std::string same;
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
      same += to_string(time) + "\n";
    } else {
      different += fmt::format(
          "audit: initial time {}: the sums committed on {} have the hash {}, computed again on {} {}; one "
          "of the two computes wrongly\n",
          to_string(time), by.host, expected.substr(0, 16), host_name(), got.substr(0, 16));
    }
  }
  comm.require_agreement(static_cast<int>(ExitCode::internal), different);
  std::vector<Time> audited;
  for (const std::string& text : comm.all_gather(same)) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      audited.push_back(parse_time(line));
    }
  }
  std::sort(audited.begin(), audited.end());
  log_info("audit: {} initial times computed again, with the same bits", audited.size());
  return audited;
}

}  // namespace mosaic
