#include "forecast/qg3_runs.hpp"

#include <fstream>
#include <stdexcept>

#include "end_to_end/hindcast_runs.hpp"
#include "forecast/qg3_truth.hpp"
#include "support/golden.hpp"

namespace mosaic::test {

namespace fs = std::filesystem;

namespace {

const std::string small_errors =
    "--set forecast.step=24h --set qg3.perturbation=2e5 --set qg3.analysis_error=2e5 ";

Time initial_time(int year) { return parse_time(std::to_string(2001 + year) + "-01-05"); }

}  // namespace

void Qg3Runs::SetUpTestSuite() {
#ifdef MOSAIC_SANITIZED
  return;
#endif
  if (!truth_.empty()) {
    return;  // another suite made it
  }
  folder_ = scratch_dir("qg3");
  std::vector<Time> starts;
  for (int year = 0; year < years; ++year) {
    starts.push_back(initial_time(year));
  }
  std::vector<Duration> offsets;
  for (int day = 0; day <= 45; day += day < 10 ? 1 : 5) {
    offsets.push_back(Duration::days(day));
  }
  truth_ = simulate_windows(starts, offsets, Duration::days(60), 2);
  write_windows((folder_ / "truth.zarr").string(), truth_);
}

void Qg3Runs::SetUp() {
#ifdef MOSAIC_SANITIZED
  GTEST_SKIP() << "6,000 days of members are too slow under sanitizers; qg3_model and qg3_program run there";
#endif
}

/// Where the first initial times are listed.
std::string Qg3Runs::times_file(int count) {
  const fs::path path = folder_ / ("times_" + std::to_string(count) + ".txt");
  std::ofstream list(path);
  for (int year = 0; year < count; ++year) {
    list << to_string(initial_time(year)) << '\n';
  }
  return path.string();
}

const RunSums& Qg3Runs::run(const std::string& name, int members, int days, const std::string& settings,
                            int ranks, int initial_times) {
  if (const auto found = runs_.find(name); found != runs_.end()) {
    return found->second;
  }
  const std::string out = (folder_ / name).string();
  const std::string count = std::to_string(members);
  const Job job =
      shell(launcher(ranks) + program("mosaic_hindcast") + " config/hindcast_qg3.yaml --input " +
            (folder_ / "truth.zarr").string() + " --out " + out +
            " --set times.start=null --set times.end=null --set times.step=12h --set times.list=" +
            times_file(initial_times) + " --members " + count + " --set ensemble.batch=" + count +
            " --lead-time " + std::to_string(days) + "d " + settings);
  if (job.code != 0) {
    throw std::runtime_error(job.output);
  }
  return runs_[name] = eval::all_from_netcdf(read_netcdf(out + "/sums.nc"));
}

const RunSums& Qg3Runs::perfect() { return run("perfect", 8, 10, small_errors); }
const RunSums& Qg3Runs::perfect_on_one_rank() { return run("one_rank", 8, 10, small_errors, 0, 2); }
const RunSums& Qg3Runs::without_analysis_error() {
  return run("no_analysis_error", 8, 2, small_errors + "--set qg3.analysis_error=0");
}
const RunSums& Qg3Runs::twice_perturbed() {
  return run("twice_perturbed", 8, 2, small_errors + "--set qg3.perturbation=4e5");
}
const RunSums& Qg3Runs::imperfect() {
  return run("imperfect", 8, 5, small_errors + "--set qg3.drag_time=66h");
}
const RunSums& Qg3Runs::control() { return run("control", 1, 10, small_errors + "--set qg3.perturbation=0"); }
const RunSums& Qg3Runs::long_range() {
  return run("long", 4, 45, "--set forecast.step=5d --set qg3.perturbation=1e6 --set qg3.analysis_error=1e6");
}

double sum_of(const RunSums& run, const std::vector<bool>& taken, std::size_t lead, const std::string& region,
              kernels::Statistic which) {
  double sum = 0;
  for (std::size_t k = 0; k < run.size(); ++k) {
    if (!taken[k]) {
      continue;
    }
    std::size_t channel = 0;
    while (run[k].channels.at(channel).name() != "geopotential_500") {
      ++channel;
    }
    std::size_t area = 0;
    while (run[k].regions.at(area) != region) {
      ++area;
    }
    sum += at(run[k].mean(lead, channel, area), which);
  }
  return sum;
}

double mean_of(const RunSums& run, std::size_t lead, const std::string& region, kernels::Statistic which) {
  return sum_of(run, std::vector<bool>(run.size(), true), lead, region, which) /
         static_cast<double>(run.size());
}

}  // namespace mosaic::test
