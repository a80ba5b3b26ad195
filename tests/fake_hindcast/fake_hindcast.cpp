// mosaic_hindcast with the null model on fields without files, and with faults on demand: everything but the
// model and the input is the program's own code.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "apps/command_line.hpp"
#include "base/log.hpp"
#include "base/machine.hpp"
#include "base/signals.hpp"
#include "fake_hindcast/null_model.hpp"
#include "fake_hindcast/null_setup.hpp"
#include "forecast/score_results.hpp"
#include "parallel/agree.hpp"

namespace {

using namespace mosaic;
using test::NullRun;

struct CommandLine {
  int initial_times = 8;
  int leads = 4;
  std::vector<std::string> settings;  // key=value
  std::string write_store;
  std::string max_walltime;
  bool overwrite = false;
  std::string shard;
  double audit_fraction = 0;
  double sleep = 0;
  int slow_rank = -1;
  double slow_factor = 1;
  int leak = 0;
  std::string fault = "none";
  std::string fault_rank = "last";
  int fault_at = 1;
};

void declare(CLI::App& app, CommandLine& line) {
  app.footer("Example: mpirun -n 2 fake_hindcast --out results --initial-times 12 --fault segv");
  app.add_option("--initial-times", line.initial_times, "Every 12 h from 2020-01-01T00")
      ->check(CLI::PositiveNumber);
  app.add_option("--leads", line.leads, "Steps of 12 h")->check(CLI::PositiveNumber);
  const auto setting = [&](const std::string& flag, const std::string& key) {
    app.add_option_function<std::string>(
        flag, [&line, key](const std::string& value) { line.settings.push_back(key + "=" + value); },
        "Sets " + key);
  };
  setting("--members", "ensemble.members");
  setting("--batch", "ensemble.batch");
  setting("--out", "output.folder");
  setting("--on-error", "on_error");
  setting("--input", "input.path");
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&line](const std::vector<std::string>& values) {
           line.settings.insert(line.settings.end(), values.begin(), values.end());
         },
         "key=value of the configuration; may be repeated")
      ->allow_extra_args(false);
  app.add_flag_callback(
      "--forecasts", [&line] { line.settings.emplace_back("output.forecasts=true"); },
      "Sets output.forecasts");
  app.add_option("--write-store", line.write_store, "Write the input as a Zarr store here and stop");
  app.add_option("--max-walltime", line.max_walltime, "Stop with code 75 this long after the start");
  app.add_flag("--overwrite", line.overwrite, "Delete earlier results");
  app.add_option("--shard", line.shard, "i/N, as in mosaic_hindcast");
  app.add_option("--audit", line.audit_fraction, "As in mosaic_hindcast");
  app.add_option("--sleep", line.sleep, "Seconds that an initial time takes at least");
  app.add_option("--slow-rank", line.slow_rank, "This rank takes --slow-factor times as long");
  app.add_option("--slow-factor", line.slow_factor, "See --slow-rank");
  app.add_option("--leak", line.leak, "KiB that each initial time keeps, with a file descriptor");
  app.add_option("--fault", line.fault,
                 "exception, segv, sigkill, oom or non-finite: in the rank's second initial time, or its "
                 "first one in the second half of all");
  app.add_option("--fault-rank", line.fault_rank, "first, middle, last or a number");
  app.add_option("--fault-at", line.fault_at, "Step of the fault, from 0");
}

int fault_rank(const std::string& text, int ranks) {
  if (text == "first" || text == "middle" || text == "last") {
    return text == "first" ? 0 : text == "middle" ? ranks / 2 : ranks - 1;
  }
  return std::stoi(text);
}

NullRun null_run(const CommandLine& line, const Comm& comm) {
  NullRun run;
  run.leak = line.leak;
  run.sleep = line.sleep * (comm.rank() == line.slow_rank ? line.slow_factor : 1);
  if (comm.rank() == fault_rank(line.fault_rank, comm.size())) {
    run.fault = {test::parse_fault(line.fault), line.fault_at};
  }
  return run;
}

void report(const HindcastSetup& setup, const ResultsFolder& results, JobInFolder& job,
            const HindcastOutcome& outcome) {
  for (const auto& [time, reason] : outcome.failed) {
    log_warning("initial time {} failed: {}", to_string(time), reason);
  }
  fmt::print("{} of {} initial times ({} resumed)\n", outcome.committed, outcome.initial_times,
             outcome.resumed);
  if (outcome.code != ExitCode::stopped_early) {
    fmt::print("{}", finish_results(setup.initial_times, setup.score, results, job));
  }
}

int hindcast(const HindcastConfig& config, const ConfigSchema& schema, const CommandLine& line) {
  const Comm comm = Comm::world();
  HindcastSetup setup;
  agree(comm, [&] { setup = test::set_up_null_hindcast(config, null_run(line, comm)); });
  const ResultsFolder results(config.output.folder);
  JobInFolder job(comm, results, setup.identity,
                  line.overwrite ? ExistingResults::overwrite : ExistingResults::resume,
                  parse_shard(line.shard));
  agree(comm, [&] { set_up_log({LogLevel::info, comm.rank(), comm.size(), job.log_file(comm.rank())}); });
  const std::vector<std::string> hosts = comm.all_gather(host_name());
  const HindcastOutcome outcome = run_hindcast(setup, results, job, comm, line.audit_fraction);
  agree(comm, [&] {
    const auto& model = dynamic_cast<const test::NullModel&>(*setup.model);
    require(!model.fault_is_due(), "the fault {} did not come about on rank {}", line.fault, comm.rank());
  });
  if (comm.rank() == 0) {
    report(setup, results, job, outcome);
    write_run_record(setup, results, job, outcome, hosts, schema.print());
  }
  return static_cast<int>(outcome.code);
}

int run(int argc, char** argv) {
  CLI::App app{"The hindcast program with a model that costs nothing and fails on demand"};
  CommandLine line;
  declare(app, line);
  if (const auto code = end_of_parsing(app, argc, argv)) {
    return *code;
  }
  HindcastConfig config = test::null_config(line.initial_times, line.leads);
  ConfigSchema schema;
  add_hindcast_keys(schema, config);
  if (!line.write_store.empty()) {
    test::write_hash_store(line.write_store, config);
    return 0;
  }
  agree(Comm::world(), [&] {
    for (const std::string& setting : line.settings) {
      schema.set(setting, "--set");
    }
    schema.check();
    if (!line.max_walltime.empty()) {
      stop_after(parse_duration(line.max_walltime));
    }
  });
  return hindcast(config, schema, line);
}

}  // namespace

int main(int argc, char** argv) { return mosaic::run_app(argc, argv, run); }
