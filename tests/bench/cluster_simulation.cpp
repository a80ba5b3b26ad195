// A discrete-event simulation of hindcasts on a large cluster: what the choice of groups and shards costs
// when steps vary, the file system stalls and nodes fail. The way work is shared out is the program's own
// (campaign/rank_groups.hpp, one queue per job, an initial time lost with its job is forecast again);
// durations are inputs; the table kept in results/ says which were measured. Prints a table (Markdown) and,
// with --curve, data for gnuplot.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "campaign/rank_groups.hpp"

namespace {

struct Cluster {
  int ranks = 1000;
  int ranks_per_node = 4;
  int shards = 1;
  std::optional<int> ranks_per_init;  ///< nothing: auto
  int initial_times = 720;
  int batches = 6;  ///< of members
  int leads = 10;
  double step = 398;           ///< [s] median of one batch
  double step_spread = 0.03;   ///< standard deviation of its logarithm
  double exchange = 0.1;       ///< [s] per lead in a group of several ranks
  double commit = 0.5;         ///< [s] per initial time
  double read = 2;             ///< [s] of the first initial time of a rank; later ones are read ahead
  double stall_chance = 0.01;  ///< per initial time
  double stall = 120;          ///< [s] mean
  double node_lifetime = 2e7;  ///< [s] mean between failures of a node; 0 = they never fail
  double restart = 180;        ///< [s] until a job that lost a node computes again
};

struct Result {
  double makespan = 0;    ///< [s]
  double efficiency = 0;  ///< computing that counted, of all ranks' time
  double lost = 0;        ///< computing that was lost with a job, of all computing
  int failures = 0;
};

/// One job: its groups take initial times until none is left; a failure of a node drops what is under way.
class JobSimulation {
 public:
  JobSimulation(const Cluster& cluster, int ranks, int initial_times, std::mt19937_64& random)
      : cluster_(cluster),
        ranks_(ranks),
        left_(initial_times),
        random_(random),
        groups_(mosaic::number_of_groups(ranks, cluster.ranks_per_init,
                                         static_cast<std::size_t>(initial_times), cluster.batches)) {}

  /// Returns the end [s].
  double run(Result& result) {
    begin_all(0);
    double next_failure = failure_after(0);
    while (!running_.empty()) {
      const Unit unit = running_.top();
      if (next_failure < unit.end) {
        fail(next_failure, result);
        next_failure = failure_after(next_failure);
        continue;
      }
      running_.pop();
      now_ = unit.end;
      useful_ += unit.computing;
      begin(unit.group, now_, false);
    }
    result.lost += lost_;
    result.efficiency += useful_;
    return now_;
  }

 private:
  struct Unit {
    double end;
    double begin;
    double computing;  ///< [rank s]
    int group;
    bool operator>(const Unit& other) const { return end > other.end; }
  };

  int size_of(int group) const {
    int size = 0;
    for (int rank = 0; rank < ranks_; ++rank) {
      size += mosaic::group_of_rank(rank, ranks_, groups_) == group ? 1 : 0;
    }
    return size;
  }

  void begin_all(double time) {
    sizes_.resize(static_cast<std::size_t>(groups_));
    for (int group = 0; group < groups_; ++group) {
      sizes_[static_cast<std::size_t>(group)] = size_of(group);
    }
    for (int group = 0; group < groups_; ++group) {
      begin(group, time, true);
    }
  }

  void begin(int group, double time, bool first) {
    if (left_ == 0) {
      return;
    }
    --left_;
    const int size = sizes_[static_cast<std::size_t>(group)];
    std::lognormal_distribution<double> step(std::log(cluster_.step), cluster_.step_spread);
    double duration = (first ? cluster_.read : 0) + cluster_.commit;
    double computing = 0;
    for (int lead = 0; lead < cluster_.leads; ++lead) {
      double slowest = 0;
      for (int rank = 0; rank < std::min(size, cluster_.batches); ++rank) {
        const int own = cluster_.batches * (rank + 1) / size - cluster_.batches * rank / size;
        double seconds = 0;
        for (int batch = 0; batch < own; ++batch) {
          seconds += step(random_);
        }
        computing += seconds;
        slowest = std::max(slowest, seconds);
      }
      duration += slowest + (size > 1 ? cluster_.exchange : 0);
    }
    if (std::bernoulli_distribution(cluster_.stall_chance)(random_)) {
      duration += std::exponential_distribution<double>(1 / cluster_.stall)(random_);
    }
    running_.push({time + duration, time, computing, group});
  }

  double failure_after(double time) {
    if (cluster_.node_lifetime == 0) {
      return std::numeric_limits<double>::infinity();
    }
    const double nodes = static_cast<double>(ranks_) / cluster_.ranks_per_node;
    return time + std::exponential_distribution<double>(nodes / cluster_.node_lifetime)(random_);
  }

  void fail(double time, Result& result) {
    ++result.failures;
    for (; !running_.empty(); running_.pop()) {
      const Unit& unit = running_.top();
      lost_ += unit.computing * std::clamp((time - unit.begin) / (unit.end - unit.begin), 0.0, 1.0);
      ++left_;
    }
    begin_all(time + cluster_.restart);
  }

  const Cluster& cluster_;
  int ranks_;
  int left_;
  std::mt19937_64& random_;
  int groups_;
  std::vector<int> sizes_;
  std::priority_queue<Unit, std::vector<Unit>, std::greater<>> running_;
  double now_ = 0;
  double useful_ = 0;  ///< [rank s]
  double lost_ = 0;    ///< [rank s]
};

Result simulate(const Cluster& cluster, std::mt19937_64& random) {
  Result result;
  for (int shard = 0; shard < cluster.shards; ++shard) {
    const int ranks = cluster.ranks / cluster.shards;
    const int times = (cluster.initial_times - shard + cluster.shards - 1) / cluster.shards;
    result.makespan = std::max(result.makespan, JobSimulation(cluster, ranks, times, random).run(result));
  }
  const double useful = result.efficiency;
  result.efficiency = useful / (result.makespan * cluster.ranks);
  result.lost = result.lost / (result.lost + useful);
  return result;
}

/// Mean over repetitions.
Result simulate_often(const Cluster& cluster, int repetitions, unsigned seed) {
  Result mean;
  int failures = 0;
  for (int i = 0; i < repetitions; ++i) {
    std::mt19937_64 random(seed + static_cast<unsigned>(i));
    const Result one = simulate(cluster, random);
    mean.makespan += one.makespan / repetitions;
    mean.efficiency += one.efficiency / repetitions;
    mean.lost += one.lost / repetitions;
    failures += one.failures;
  }
  mean.failures = failures;
  return mean;
}

void print_table(const Cluster& base, int repetitions) {
  fmt::print(
      "| ranks | initial times | jobs | ranks per initial time | end [h] | efficiency | lost | failures per "
      "run |\n");
  fmt::print("|---|---|---|---|---|---|---|---|\n");
  for (const int ranks : {64, 256, 1000}) {
    for (const int times : {64, 720}) {
      for (const int shards : {1, 10}) {
        for (const std::optional<int> per_init : {std::optional<int>(1), std::optional<int>()}) {
          Cluster cluster = base;
          cluster.ranks = ranks;
          cluster.initial_times = times;
          cluster.shards = shards;
          cluster.ranks_per_init = per_init;
          const Result result = simulate_often(cluster, repetitions, 1);
          fmt::print("| {} | {} | {} | {} | {:.2f} | {:.1f} % | {:.2f} % | {:.2f} |\n", ranks, times, shards,
                     per_init ? "1" : "auto", result.makespan / 3600, 100 * result.efficiency,
                     100 * result.lost, static_cast<double>(result.failures) / repetitions);
        }
      }
    }
  }
}

/// Columns: ranks, efficiency [%] of: one rank per initial time; auto; auto in ten jobs.
void write_curve(const Cluster& base, int repetitions, const std::string& path) {
  std::ofstream out(path);
  out << "# ranks  one_rank  auto  auto_in_10_jobs   efficiency [%]\n";
  for (const int ranks : {10, 20, 50, 100, 150, 200, 300, 400, 500, 600, 720, 800, 900, 1000}) {
    out << ranks;
    for (const auto& [per_init, shards] :
         std::vector<std::pair<std::optional<int>, int>>{{1, 1}, {std::nullopt, 1}, {std::nullopt, 10}}) {
      Cluster cluster = base;
      cluster.ranks = ranks;
      cluster.ranks_per_init = per_init;
      cluster.shards = shards;
      out << fmt::format("  {:.2f}", 100 * simulate_often(cluster, repetitions, 1).efficiency);
    }
    out << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates hindcasts on a cluster: groups, shards, stalls, failing nodes"};
  Cluster base;
  int repetitions = 20;
  std::string curve;
  app.add_option("--step", base.step, "Step of one batch of members, median [s]");
  app.add_option("--step-spread", base.step_spread, "Standard deviation of its logarithm");
  app.add_option("--exchange", base.exchange, "Exchange in a group per lead time [s]");
  app.add_option("--commit", base.commit, "Commit of an initial time [s]");
  app.add_option("--read", base.read, "First read of a rank [s]");
  app.add_option("--stall-chance", base.stall_chance, "File-system stalls per initial time");
  app.add_option("--stall", base.stall, "Mean stall [s]");
  app.add_option("--node-lifetime", base.node_lifetime,
                 "Mean time between failures of a node [s]; 0 = never");
  app.add_option("--restart", base.restart, "From a failure to computing again [s]");
  app.add_option("--repetitions", repetitions, "Simulations that are averaged");
  app.add_option("--curve", curve, "Write efficiency against ranks for gnuplot");
  CLI11_PARSE(app, argc, argv);
  print_table(base, repetitions);
  if (!curve.empty()) {
    write_curve(base, repetitions, curve);
  }
  return 0;
}
