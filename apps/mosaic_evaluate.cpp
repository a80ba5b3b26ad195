// Scores of forecasts that exist, over the ranks of a job.
#include <fmt/format.h>

#include <string>

#include "apps/campaign_command.hpp"
#include "apps/command_line.hpp"
#include "base/machine.hpp"
#include "base/version.hpp"
#include "forecast/evaluation.hpp"
#include "forecast/score_results.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_probe.hpp"

namespace {

using namespace mosaic;

/// On rank 0: says how it went and makes the scores.
void report(const EvaluationSetup& setup, const ResultsFolder& results, JobInFolder& job,
            const EvaluationOutcome& outcome) {
  if (outcome.code == ExitCode::stopped_early) {
    log_warning("stopped early: {} of {} initial times are safe in {}; run the same command again to go on",
                outcome.committed, outcome.initial_times, results.path());
    return;
  }
  for (const auto& [time, reason] : outcome.failed) {
    log_warning("initial time {} failed; the same command tries it again: {}", to_string(time), reason);
  }
  const std::string table = finish_results(setup.initial_times, setup.score, results, job);
  fmt::print("{}", table);
  fmt::print(
      "\ntime over all ranks: read {:.1f} s (and {:.1f} s while scoring), score {:.1f} s, write {:.1f} s, "
      "idle {:.1f} s\n{} of {} initial times ({} resumed), peak memory of rank 0 {:.2f} GB\n{}",
      outcome.timings.read, outcome.timings.background, outcome.timings.score, outcome.timings.write,
      outcome.timings.idle, outcome.committed, outcome.initial_times, outcome.resumed,
      static_cast<double>(peak_resident_bytes()) / 1e9, results_text(results.path(), !table.empty()));
}

int evaluate(const EvaluationConfig& config, const ConfigSchema& schema, const CampaignCommand& line,
             const Shard& shard) {
  const Comm comm = Comm::world();
  EvaluationSetup setup;
  if (comm.rank() != 0) {  // all ranks find the same things remarkable: one says so
    set_up_log({LogLevel::error, comm.rank(), comm.size(), {}});
  }
  agree(comm, [&] {
    if (comm.rank() == 0) {
      probe_evaluation_input(config);
    }
  });
  agree(comm, [&] { setup = set_up_evaluation(config); });
  if (line.plan) {
    if (comm.rank() == 0) {
      fmt::print("{}", evaluation_plan(setup, comm.size(), shard));
    }
    return 0;
  }
  const ResultsFolder results(config.folder);
  JobInFolder job(comm, results, setup.identity, existing_results(line), shard);
  agree(comm, [&] {
    set_up_log({log_level(config.log.level), comm.rank(), comm.size(), job.log_file(comm.rank())});
  });
  log_info("{} initial times, {} members, {} lead times of {} on {} ranks", setup.initial_times.size(),
           setup.forecast->members(), setup.leads.size(), setup.forecast->path(), comm.size());
  const std::vector<std::string> hosts = comm.all_gather(host_name());
  const EvaluationOutcome outcome = run_evaluation(setup, results, job, comm);
  if (comm.rank() == 0) {
    report(setup, results, job, outcome);
    write_run_record(setup, results, job, outcome, hosts, schema.print());
  }
  return static_cast<int>(outcome.code);
}

int run(int argc, char** argv) {
  CLI::App app{"Scores of existing forecasts against a truth, as WeatherBench 2 defines them"};
  app.set_version_flag("--version", version_text());
  app.footer(
      "Example:\n  mpirun -n 4 mosaic_evaluate --forecast ens_2020.zarr --truth era5.zarr --out scores "
      "--set score.channels=geopotential_500,2m_temperature");
  CampaignCommand line;
  declare(app, line, "config/reference_evaluate.yaml",
          {{"--forecast", "forecast.path"},
           {"--truth", "truth.path"},
           {"--climatology", "climatology.path"},
           {"--start", "times.start"},
           {"--end", "times.end"},
           {"--out", "output.folder"}});
  const bool speaker = Comm::world().rank() == 0;
  if (const auto code = end_of_parsing(app, argc, argv)) {
    return *code;
  }
  EvaluationConfig config;
  ConfigSchema schema;
  add_evaluation_keys(schema, config);
  if (line.print_reference) {
    if (speaker) {
      fmt::print("{}", schema.reference());
    }
    return 0;
  }
  Shard shard;
  agree(Comm::world(), [&] {
    read_configuration(schema, line);
    check_consistency(config);
    limit_walltime(line.max_walltime);
    shard = shard_of(line, config.folder);
  });
  if (line.print_config) {
    if (speaker) {
      fmt::print("{}", schema.print());
    }
    return 0;
  }
  return evaluate(config, schema, line, shard);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = mosaic::run_netcdf_probe(argc, argv)) {
    return *code;
  }
  return mosaic::run_app(argc, argv, run);
}
