#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "apps/campaign_command.hpp"
#include "apps/command_line.hpp"
#include "base/machine.hpp"
#include "campaign/job_in_folder.hpp"
#include "forecast/campaign_outcome.hpp"
#include "parallel/agree.hpp"

namespace mosaic {

// How a program that works through initial times goes, from its command line to its record: the same for all
// of them. What differs is in the fields of two structs.

/// A job whose configuration is read. `probe` and `report` run on rank 0; `set_up` on all, which agree that
/// all went well; `work` and `line` (a line of the log) on all.
template <class Setup, class Outcome>
struct CampaignJob {
  std::function<void()> probe;
  std::function<Setup()> set_up;
  std::function<std::string(const Setup&, int ranks, const Shard&)> plan;
  std::function<std::string(const Setup&, int ranks)> line;
  std::function<Outcome(const Setup&, const ResultsFolder&, const JobInFolder&, const Comm&)> work;
  std::function<void(const Setup&, const ResultsFolder&, JobInFolder&, const Outcome&)> report;
};

/// Checks, plans or does all of it; the program's exit code. Collective over Comm::world().
template <class Setup, class Outcome>
int run_job(const CampaignJob<Setup, Outcome>& steps, const CampaignCommand& line, const ConfigSchema& schema,
            const std::string& folder, const std::string& level, const Shard& shard) {
  const Comm comm = Comm::world();
  Setup setup;
  if (comm.rank() != 0) {  // all ranks find the same things remarkable: one says so
    set_up_log({LogLevel::error, comm.rank(), comm.size(), {}});
  }
  agree(comm, [&] {
    if (comm.rank() == 0) {
      steps.probe();
    }
  });
  agree(comm, [&] { setup = steps.set_up(); });
  if (line.plan) {
    if (comm.rank() == 0) {
      fmt::print("{}", steps.plan(setup, comm.size(), shard));
    }
    return 0;
  }
  const ResultsFolder results(folder);
  JobInFolder job(comm, results, setup.identity, existing_results(line), shard);
  agree(comm, [&] { set_up_log({log_level(level), comm.rank(), comm.size(), job.log_file(comm.rank())}); });
  log_info("{}", steps.line(setup, comm.size()));
  const std::vector<std::string> hosts = comm.all_gather(host_name());
  const Outcome outcome = steps.work(setup, results, job, comm);
  if (comm.rank() == 0) {
    steps.report(setup, results, job, outcome);
    write_run_record(setup, results, job, outcome, hosts, schema.print());
  }
  return static_cast<int>(outcome.code);
}

/// A program that has parsed its command line. `read` takes the configuration into the schema and checks it,
/// on all ranks, which agree that all went well.
template <class Config>
struct CampaignProgram {
  std::function<void(ConfigSchema&, Config&)> add_keys;
  std::function<void(ConfigSchema&, const Config&)> read;
  std::function<std::string(const Config&)> folder;
  std::function<int(const Config&, const ConfigSchema&, const Shard&)> run;
};

/// Reads the configuration; prints it or runs the job. The program's exit code.
template <class Config>
int run_program(const CampaignProgram<Config>& program, const CampaignCommand& line) {
  const bool speaker = Comm::world().rank() == 0;
  Config config;
  ConfigSchema schema;
  program.add_keys(schema, config);
  if (line.print_reference) {
    if (speaker) {
      fmt::print("{}", schema.reference());
    }
    return 0;
  }
  Shard shard;
  agree(Comm::world(), [&] {
    program.read(schema, config);
    limit_walltime(line.max_walltime);
    shard = shard_of(line, program.folder(config));
  });
  if (line.print_config) {
    if (speaker) {
      fmt::print("{}", schema.print());
    }
    return 0;
  }
  return program.run(config, schema, shard);
}

/// On rank 0, first: whether the job came to its end, and what failed on the way.
inline bool report_end(const CampaignOutcome& outcome, const std::string& folder) {
  if (outcome.code == ExitCode::stopped_early) {
    log_warning("stopped early: {} of {} initial times are safe in {}; run the same command again to go on",
                outcome.committed, outcome.initial_times, folder);
    return false;
  }
  for (const auto& [time, reason] : outcome.failed) {
    log_warning("initial time {} failed; the same command tries it again: {}", to_string(time), reason);
  }
  return true;
}

/// On rank 0, last: counts, memory, and where results and report are. `scores`: whether they were made.
inline std::string end_text(const CampaignOutcome& outcome, const Shard& shard, const std::string& folder,
                            bool scores) {
  const std::string part =
      shard.count > 1 ? fmt::format(" of shard {}/{}", shard.index, shard.count) : std::string();
  return fmt::format(
      "{} of {} initial times{} ({} resumed), peak memory of rank 0 {:.2f} GB\nresults: {}\n{}",
      outcome.committed, outcome.initial_times, part, outcome.resumed,
      static_cast<double>(peak_resident_bytes()) / 1e9, folder,
      scores ? fmt::format("report: {0}/report.html, once `mosaic_report {0}` has made it\n", folder)
             : std::string());
}

}  // namespace mosaic
