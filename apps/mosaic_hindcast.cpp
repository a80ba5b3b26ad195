// Forecasts from many initial times, scored while they run.
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

#include "apps/campaign_program.hpp"
#include "base/version.hpp"
#include "campaign/job_records.hpp"
#include "forecast/hindcast.hpp"
#include "forecast/score_results.hpp"
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
  if (!report_end(outcome, results.path())) {
    return;
  }
  const std::string table = finish_results(setup.initial_times, setup.score, results, job);
  if (!table.empty()) {
    fmt::print("{}", table);
    print_timings(outcome.timings);
    fmt::print("to repeat one of them: {}\n", repeat_command(setup, results));
  }
  fmt::print("{}", end_text(outcome, job.shard(), results.path(), !table.empty()));
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

HindcastSetup set_up(const HindcastConfig& config, const CommandLine& line, const DevicePlace& place) {
  HindcastSetup setup = set_up_hindcast(config, place);
  check_repeats(setup, line);
  return setup;
}

int hindcast(const HindcastConfig& config, const ConfigSchema& schema, const CommandLine& line,
             const Shard& shard) {
  const DevicePlace place = config.model.device == "cuda" ? find_device_place(Comm::world()) : DevicePlace{};
  const CampaignJob<HindcastSetup, HindcastOutcome> job = {
      .probe = [&] { probe_hindcast_input(config); },
      .set_up = [&] { return set_up(config, line, place); },
      .plan = hindcast_plan,
      .line =
          [](const HindcastSetup& setup, int ranks) {
            return fmt::format("{} initial times, {} members, {} lead times on {} ranks; {}",
                               setup.initial_times.size(), setup.config.ensemble.members, setup.leads.size(),
                               ranks, setup.model->info().description);
          },
      .work =
          [&](const HindcastSetup& setup, const ResultsFolder& results, const JobInFolder& folder,
              const Comm& comm) { return run_hindcast(setup, results, folder, comm, line.audit_fraction); },
      .report = report};
  return run_job(job, line, schema, config.output.folder, config.log.level, shard);
}

int run(int argc, char** argv) {
  CLI::App app{"Ensemble forecasts from many initial times over the ranks of a job, scored while they run"};
  CommandLine line;
  declare_all(app, line);
  if (const auto code = end_of_parsing(app, argc, argv)) {
    return *code;
  }
  const CampaignProgram<HindcastConfig> program = {
      .add_keys = add_hindcast_keys,
      .read = [&](ConfigSchema& schema, const HindcastConfig&) { read_all_configuration(schema, line); },
      .folder = [](const HindcastConfig& config) { return config.output.folder; },
      .run = [&](const HindcastConfig& config, const ConfigSchema& schema,
                 const Shard& shard) { return hindcast(config, schema, line, shard); }};
  return run_program(program, line);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = mosaic::run_netcdf_probe(argc, argv)) {
    return *code;
  }
  return mosaic::run_app(argc, argv, run);
}
