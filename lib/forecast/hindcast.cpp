#include "forecast/hindcast.hpp"

#include <iterator>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "base/machine.hpp"
#include "campaign/rank_groups.hpp"
#include "forecast/hindcast_audit.hpp"
#include "forecast/hindcast_worker.hpp"
#include "parallel/agree.hpp"

namespace mosaic {

namespace {

using TimingField = double HindcastTimings::*;
constexpr TimingField timing_fields[] = {&HindcastTimings::read,     &HindcastTimings::compute,
                                         &HindcastTimings::exchange, &HindcastTimings::score,
                                         &HindcastTimings::write,    &HindcastTimings::idle};

std::vector<HindcastTimings> gather_timings(const HindcastTimings& mine, const Comm& comm) {
  constexpr std::size_t fields = std::size(timing_fields);
  std::vector<double> all(static_cast<std::size_t>(comm.size()) * fields, 0.0);
  for (std::size_t i = 0; i < fields; ++i) {
    all[static_cast<std::size_t>(comm.rank()) * fields + i] = mine.*timing_fields[i];
  }
  comm.sum_in_rank_order(all);
  std::vector<HindcastTimings> timings(static_cast<std::size_t>(comm.size()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    timings[i / fields].*timing_fields[i % fields] = all[i];
  }
  return timings;
}

/// "3", or "3 ... 5".
std::string range_text(int first, int last) {
  return first == last ? std::to_string(first) : fmt::format("{} ... {}", first, last);
}

/// Which rank computes where, for the log: a line for each run of ranks on the same host or GPU.
std::string rank_table(const std::vector<std::string>& hosts, int groups, int threads, bool on_gpus) {
  const int ranks = static_cast<int>(hosts.size());
  std::string text;
  for (int first = 0, next = 0; first < ranks; first = next) {
    for (next = first; next < ranks && hosts[next] == hosts[first];) {
      ++next;
    }
    text +=
        fmt::format("\n  rank {} (group {}) on {}: {}{} threads each", range_text(first, next - 1),
                    range_text(group_of_rank(first, ranks, groups), group_of_rank(next - 1, ranks, groups)),
                    hosts[first], on_gpus ? "" : "CPU, ", threads);
  }
  return text;
}

int choose_groups(const HindcastSetup& setup, std::size_t pending, int ranks) {
  const int batches = batch_count({setup.config.ensemble.first_member, setup.config.ensemble.members},
                                  setup.model->info().batch);
  return number_of_groups(ranks, ranks_per_init(setup.config), pending, batches);
}

/// Host of this rank, and its GPU.
std::string place_text(const ModelInfo& model) {
  return model.device ? fmt::format("{} GPU {} ({})", host_name(), model.device->number, model.device->name)
                      : host_name();
}

}  // namespace

HindcastOutcome run_hindcast(const HindcastSetup& setup, const ResultsFolder& results, const JobInFolder& job,
                             const Comm& comm, double audit_fraction) {
  HindcastOutcome outcome;
  const std::vector<Time> times = times_of_shard(setup.initial_times, job.shard());
  const std::vector<Time> pending = pending_times(results, times, comm);
  outcome.initial_times = times.size();
  outcome.resumed = times.size() - pending.size();
  outcome.groups = choose_groups(setup, pending.size(), comm.size());
  const int my_group = group_of_rank(comm.rank(), comm.size(), outcome.groups);
  const ModelInfo& model = setup.model->info();
  log_info("ranks: {}, groups: {}{}", comm.size(), outcome.groups,
           rank_table(comm.all_gather(place_text(model)), outcome.groups, setup.config.threads,
                      model.device.has_value()));
  HindcastTimings timings;
  {
    std::optional<HindcastWorker> worker;
    const Comm group = comm.split(my_group);
    agree(comm, [&] { worker.emplace(setup, results, group); });
    {
      InitTimeQueue queue(comm, results, job.locks(), pending);
      std::optional<Progress> progress;
      if (comm.rank() == 0) {
        progress.emplace(times.size(), setup.config.log.interval,
                         [&] { return results.count_committed(times); });
      }
      worker->run(queue, progress ? &*progress : nullptr);
      const Stopwatch watch(timings.idle);
      comm.barrier();
    }
    outcome.audited = audit(results, times, audit_fraction, *worker, comm, my_group, outcome.groups);
    const double idle = timings.idle;
    timings = worker->timings();
    timings.idle = idle;
    outcome.failed = worker->failed();
  }
  flush_log();  // rank 0 may join the files after this
  outcome.timings = gather_timings(timings, comm);
  finish_outcome(outcome, results, times, comm);
  return outcome;
}

}  // namespace mosaic
