// Forecasts from many initial times, scored while they run.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "apps/campaign_command.hpp"
#include "apps/command_line.hpp"
#include "base/machine.hpp"
#include "base/version.hpp"
#include "campaign/job_records.hpp"
#include "forecast/hindcast.hpp"
#include "forecast/score_results.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_probe.hpp"

namespace {

using namespace mosaic;

struct CommandLine : CampaignCommand {
  std::string repeat;
  double audit_fraction = 0;
};

void declare_all(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", version_text());
  app.footer(
      "Example:\n  srun mosaic_hindcast config/hindcast_era5.yaml --weights mosaic_era5.safetensors --out "
      "results");
  declare(app, line, "config/reference.yaml",
          {{"--weights", "model.weights"},
           {"--input", "input.path"},
           {"--truth", "truth.path"},
           {"--climatology", "climatology.path"},
           {"--start", "times.start"},
           {"--end", "times.end"},
           {"--members", "ensemble.members"},
           {"--lead-time", "forecast.lead_time"},
           {"--out", "output.folder"}});
  app.add_option(
      "--repeat", line.repeat,
      "Configuration of an earlier run, from its run.json; refused where program, weights, input or "
      "machine are others");
  app.add_option_function<std::string>(
      "--initial-time",
      [&line](const std::string& time) {
        for (const char* key : {"times.set", "times.list"}) {
          line.flags.emplace_back(key, "");
        }
        for (const char* key : {"times.start", "times.end"}) {
          line.flags.emplace_back(key, time);
        }
      },
      "This initial time only");
  app.add_option("--audit", line.audit_fraction,
                 "Compute this fraction of the initial times once more on other ranks and compare bits")
      ->check(CLI::Range(0.0, 1.0));
}

/// The configuration of the run that is to be repeated comes first.
void read_all_configuration(ConfigSchema& schema, const CommandLine& line) {
  if (!line.repeat.empty()) {
    const RunRecord record = read_run_record(line.repeat);
    schema.read(record.configuration, line.repeat + " (configuration)");
  }
  read_configuration(schema, line);
}

void print_timings(const std::vector<HindcastTimings>& timings) {
  HindcastTimings all;
  for (const HindcastTimings& t : timings) {
    all = {all.read + t.read,   all.compute + t.compute, all.exchange + t.exchange,
           all.score + t.score, all.write + t.write,     all.idle + t.idle};
  }
  fmt::print(
      "\ntime over all ranks: read {:.1f} s, compute {:.1f} s, exchange {:.1f} s, score {:.1f} s, "
      "write {:.1f} s, idle {:.1f} s\n",
      all.read, all.compute, all.exchange, all.score, all.write, all.idle);
}

/// On rank 0: says how it went and makes the scores.
void report(const HindcastSetup& setup, const ResultsFolder& results, JobInFolder& job,
            const HindcastOutcome& outcome) {
  if (outcome.code == ExitCode::stopped_early) {
    log_warning("stopped early: {} of {} initial times are safe in {}; run the same command again to go on",
                outcome.committed, outcome.initial_times, results.path());
    return;
  }
  for (const auto& [time, reason] : outcome.failed) {
    log_warning("initial time {} failed; the same command tries it again: {}", to_string(time), reason);
  }
  const std::string table = finish_results(setup.initial_times, setup.score, results, job);
  if (!table.empty()) {
    fmt::print("{}", table);
    print_timings(outcome.timings);
    fmt::print("to repeat one of them: {}\n", repeat_command(setup, results));
  }
  fmt::print(
      "{} of {} initial times{} ({} resumed), peak memory of rank 0 {:.2f} GB\n{}", outcome.committed,
      outcome.initial_times,
      job.shard().count > 1 ? fmt::format(" of shard {}/{}", job.shard().index, job.shard().count) : "",
      outcome.resumed, static_cast<double>(peak_resident_bytes()) / 1e9,
      results_text(results.path(), !table.empty()));
}

/// Errors: bad_configuration naming what differs from the run that is to be repeated.
void check_repeats(const HindcastSetup& setup, const CommandLine& line) {
  if (line.repeat.empty()) {
    return;
  }
  auto different = differences(read_run_record(line.repeat).identity, setup.identity);
  std::erase_if(different, [&](const std::string& text) {
    return text.starts_with("configuration.") || (line.allow_mixed_hardware && text.starts_with("machine."));
  });
  require(different.empty(), ExitCode::bad_configuration,
          "{} cannot be repeated bit for bit here (--allow-mixed-hardware lets the machine differ):\n  {}",
          line.repeat, fmt::join(different, "\n  "));
}

int hindcast(const HindcastConfig& config, const ConfigSchema& schema, const CommandLine& line,
             const Shard& shard) {
  const Comm comm = Comm::world();
  HindcastSetup setup;
  if (comm.rank() != 0) {  // all ranks find the same things remarkable: one says so
    set_up_log({LogLevel::error, comm.rank(), comm.size(), {}});
  }
  agree(comm, [&] {
    if (comm.rank() == 0) {
      probe_hindcast_input(config);
    }
  });
  agree(comm, [&] {
    setup = set_up_hindcast(config);
    check_repeats(setup, line);
  });
  if (line.plan) {
    if (comm.rank() == 0) {
      fmt::print("{}", hindcast_plan(setup, comm.size(), shard));
    }
    return 0;
  }
  const ResultsFolder results(config.output.folder);
  JobInFolder job(comm, results, setup.identity, existing_results(line), shard);
  agree(comm, [&] {
    set_up_log({log_level(config.log.level), comm.rank(), comm.size(), job.log_file(comm.rank())});
  });
  log_info("{} initial times, {} members, {} lead times on {} ranks; {}", setup.initial_times.size(),
           config.ensemble.members, setup.leads.size(), comm.size(), setup.model->info().description);
  const std::vector<std::string> hosts = comm.all_gather(host_name());
  const HindcastOutcome outcome = run_hindcast(setup, results, job, comm, line.audit_fraction);
  if (comm.rank() == 0) {
    report(setup, results, job, outcome);
    write_run_record(setup, results, job, outcome, hosts, schema.print());
  }
  return static_cast<int>(outcome.code);
}

int run(int argc, char** argv) {
  CLI::App app{"Ensemble forecasts from many initial times over the ranks of a job, scored while they run"};
  CommandLine line;
  declare_all(app, line);
  const bool speaker = Comm::world().rank() == 0;
  if (const auto code = end_of_parsing(app, argc, argv)) {
    return *code;
  }
  HindcastConfig config;
  ConfigSchema schema;
  add_hindcast_keys(schema, config);
  if (line.print_reference) {
    if (speaker) {
      fmt::print("{}", schema.reference());
    }
    return 0;
  }
  Shard shard;
  agree(Comm::world(), [&] {
    read_all_configuration(schema, line);
    limit_walltime(line.max_walltime);
    shard = shard_of(line, config.output.folder);
  });
  if (line.print_config) {
    if (speaker) {
      fmt::print("{}", schema.print());
    }
    return 0;
  }
  return hindcast(config, schema, line, shard);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = mosaic::run_netcdf_probe(argc, argv)) {
    return *code;
  }
  return mosaic::run_app(argc, argv, run);
}
