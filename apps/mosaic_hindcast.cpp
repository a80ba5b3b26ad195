// Forecasts from many initial times, scored while they run.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "apps/command_line.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/machine.hpp"
#include "base/signals.hpp"
#include "base/version.hpp"
#include "forecast/hindcast.hpp"
#include "parallel/agree.hpp"
#include "stores/netcdf_probe.hpp"

namespace {

using namespace mosaic;

struct CommandLine {
  std::string config;
  std::vector<std::string> settings;
  std::vector<std::pair<std::string, std::string>> flags;  ///< key, value
  bool print_config = false;
  bool print_reference = false;
  bool plan = false;
  std::string max_walltime;
  bool overwrite = false;
  bool allow_mixed_hardware = false;
};

void declare(CLI::App& app, CommandLine& line) {
  app.set_version_flag("--version", version_text());
  app.footer(
      "Example:\n  srun mosaic_hindcast config/hindcast_era5.yaml --weights mosaic_era5.safetensors --out "
      "results");
  app.add_option("config", line.config, "Configuration (YAML); config/reference.yaml explains every key");
  app.add_option("--set", line.settings, "key=value, over the file; may be repeated")
      ->allow_extra_args(false);
  const std::vector<std::pair<std::string, std::string>> flags = {{"--weights", "model.weights"},
                                                                  {"--input", "input.path"},
                                                                  {"--truth", "truth.path"},
                                                                  {"--start", "times.start"},
                                                                  {"--end", "times.end"},
                                                                  {"--members", "ensemble.members"},
                                                                  {"--lead-time", "forecast.lead_time"},
                                                                  {"--out", "output.folder"}};
  for (const auto& [flag, key] : flags) {
    app.add_option_function<std::string>(
        flag, [&line, key = key](const std::string& value) { line.flags.emplace_back(key, value); },
        "Sets " + key);
  }
  app.add_flag("--plan", line.plan, "Check all input, print what would be done and needed, and stop");
  app.add_flag("--print-config", line.print_config, "Print the complete effective configuration and stop");
  app.add_flag("--print-reference", line.print_reference, "Print every key with its explanation and stop");
  app.add_option(
      "--max-walltime", line.max_walltime,
      "Stop with code 75 this long after the start (12h, 90min, 300s): less than the job's time limit");
  app.add_flag("--overwrite", line.overwrite,
               "Delete the earlier results in the folder instead of resuming them");
  app.add_flag("--allow-mixed-hardware", line.allow_mixed_hardware,
               "Resume on another CPU type: bits may differ");
}

void read_configuration(ConfigSchema& schema, const CommandLine& line) {
  if (!line.config.empty()) {
    schema.read(read_text(line.config), line.config);
  }
  for (const std::string& setting : line.settings) {
    schema.set(setting, "--set");
  }
  for (const auto& [key, value] : line.flags) {
    schema.set(key + "=" + value, "flag for " + key);
  }
  schema.check();
}

/// Errors: usage.
void limit_walltime(const std::string& text) {
  if (text.empty()) {
    return;
  }
  try {
    const Duration walltime = parse_duration(text);
    require(walltime.seconds > 0, ExitCode::usage, "'{}' is not positive", text);
    stop_after(walltime);
  } catch (const Error& problem) {
    fail(ExitCode::usage, "--max-walltime: {}", problem.what());
  }
}

ExistingResults existing_results(const CommandLine& line) {
  if (line.overwrite) {
    return ExistingResults::overwrite;
  }
  return line.allow_mixed_hardware ? ExistingResults::resume_on_other_hardware : ExistingResults::resume;
}

LogLevel log_level(const std::string& name) {
  return name == "debug"     ? LogLevel::debug
         : name == "warning" ? LogLevel::warning
         : name == "error"   ? LogLevel::error
                             : LogLevel::info;
}

int report(const HindcastSetup& setup, const ResultsFolder& results, const HindcastOutcome& outcome) {
  if (outcome.code == ExitCode::stopped_early) {
    log_warning("stopped early: {} of {} initial times are safe in {}; run the same command again to go on",
                outcome.committed, setup.initial_times.size(), results.path());
    return static_cast<int>(outcome.code);
  }
  for (const auto& [time, reason] : outcome.failed) {
    log_warning("initial time {} failed; the same command tries it again: {}", to_string(time), reason);
  }
  if (outcome.committed == 0) {
    log_warning("no initial time could be forecast: there are no scores");
    return static_cast<int>(outcome.code);
  }
  fmt::print("{}", finish_results(setup, results));
  HindcastTimings all;
  for (const HindcastTimings& t : outcome.timings) {
    all = {all.read + t.read, all.compute + t.compute, all.score + t.score, all.write + t.write,
           all.idle + t.idle};
  }
  fmt::print(
      "\ntime over all ranks: read {:.1f} s, compute {:.1f} s, score {:.1f} s, write {:.1f} s, idle {:.1f} "
      "s\n",
      all.read, all.compute, all.score, all.write, all.idle);
  fmt::print("{} of {} initial times ({} resumed), peak memory of rank 0 {:.2f} GB\nresults: {}\n",
             outcome.committed, setup.initial_times.size(), outcome.resumed,
             static_cast<double>(peak_resident_bytes()) / 1e9, results.path());
  return static_cast<int>(outcome.code);
}

int hindcast(const HindcastConfig& config, const ConfigSchema& schema, const CommandLine& line) {
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
  agree(comm, [&] { setup = set_up_hindcast(config); });
  if (line.plan) {
    if (comm.rank() == 0) {
      fmt::print("{}", hindcast_plan(setup, comm.size()));
    }
    return 0;
  }
  ResultsFolder results(config.output.folder);
  agree(comm, [&] {
    if (comm.rank() == 0) {
      results.claim(setup.identity, existing_results(line));
    }
  });
  agree(comm, [&] {
    set_up_log({log_level(config.log.level), comm.rank(), comm.size(),
                results.file(fmt::format("log/rank{}.log", comm.rank()))});
  });
  log_info("{} initial times, {} members, {} lead times on {} ranks; {}", setup.initial_times.size(),
           config.ensemble.members, setup.leads.size(), comm.size(), setup.model->info().description);
  const std::vector<std::string> hosts = comm.all_gather(host_name());
  const HindcastOutcome outcome = run_hindcast(setup, results, comm);
  int code = static_cast<int>(outcome.code);
  if (comm.rank() == 0) {
    code = report(setup, results, outcome);
    write_run_record(setup, results, outcome, hosts, schema.print());
  }
  return code;
}

int run(int argc, char** argv) {
  CLI::App app{"Ensemble forecasts from many initial times over the ranks of a job, scored while they run"};
  CommandLine line;
  declare(app, line);
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
  agree(Comm::world(), [&] {
    read_configuration(schema, line);
    limit_walltime(line.max_walltime);
  });
  if (line.print_config) {
    if (speaker) {
      fmt::print("{}", schema.print());
    }
    return 0;
  }
  return hindcast(config, schema, line);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = mosaic::run_netcdf_probe(argc, argv)) {
    return *code;
  }
  return mosaic::run_app(argc, argv, run);
}
