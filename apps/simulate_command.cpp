#include "apps/simulate_command.hpp"

#include <fmt/ranges.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "apps/command_line.hpp"
#include "base/collect_problems.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/signals.hpp"
#include "base/time.hpp"
#include "campaign/job_locks.hpp"
#include "campaign/progress.hpp"
#include "parallel/agree.hpp"
#include "stores/regrid.hpp"

namespace mosaic {
namespace {

constexpr const char* what_it_makes = R"(What it makes
  States of a small chaotic atmosphere, three-level quasi-geostrophic (qg3): an easy world, not the weather,
  and nothing in it was observed. u_component_of_wind, v_component_of_wind, geopotential and temperature at
  200, 500, 800 hPa, upper_ and lower_layer_temperature; geopotential_at_surface and land_sea_mask.
  The time axis is cut into as many stretches as there are realizations; realization i has the seed
  SEED + i and a spin-up of its own. At the seams between stretches the weather jumps: verify no forecast
  across a seam. The store's attribute `seams` lists them, with every parameter of the model beside.
  The bytes of the store depend neither on ranks nor on threads.
  A run that was stopped or killed goes on with the same command. SIGTERM, SIGUSR1, SIGINT: exit code 75.
Examples
  mosaic_data simulate qg3.zarr --start 2000-01-01 --end 2000-12-31 --realizations 4
  mpirun -n 16 mosaic_data simulate qg3.zarr --start 2000-01-01 --end 2009-12-31 --step 6h --grid 240x121 \
    --realizations 32 --seed 7)";

/// Keeps other jobs from writing the same store for as long as it exists. On rank 0.
class StoreLock {
 public:
  /// Errors: bad_configuration if another job lives there, cannot_create.
  explicit StoreLock(const world::SimulationFolder& folder)
      : folder_(folder), locks_folder_(folder.work_folder() + "/locks") {
    const JobOwner owner = this_job();
    announcement_.emplace(locks_folder_, owner);
    locks_.emplace(locks_folder_, owner);
    if (locks_->try_lock_after_sign_of_life(lock_name, stop_requested) == LockOutcome::held) {
      const auto holder = locks_->holder(lock_name);
      fail(ExitCode::bad_configuration, "{} is being written by {}; wait for that job or stop it",
           folder.path(), holder ? holder->text() : "another job");
    }
    locks_->remove_dead();
  }
  ~StoreLock() {
    locks_->unlock(lock_name);
    announcement_.reset();
    std::error_code not_empty;  // other jobs, or a run that was stopped
    for (const std::string& path : {locks_folder_, folder_.work_folder(), folder_.path()}) {
      std::filesystem::remove(path, not_empty);
    }
  }
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  static constexpr const char* lock_name = "store";
  const world::SimulationFolder& folder_;
  std::string locks_folder_;
  std::optional<JobAnnouncement> announcement_;
  std::optional<JobLocks> locks_;
};

/// Member-days on stderr.
class SimulationBar {
 public:
  void show(double done, double total) {
    done_ = static_cast<std::size_t>(done);
    if (!progress_) {
      constexpr Duration interval{10};
      progress_.emplace(
          static_cast<std::size_t>(total), interval, [this] { return done_; }, "member-days");
    }
    progress_->tick();
  }

 private:
  std::size_t done_ = 0;
  std::optional<Progress> progress_;
};

void report(const world::SimulationOutcome& outcome, const std::string& output) {
  if (outcome.was_complete) {
    fmt::print("{}: is complete, {} times of {} realizations\n", output, outcome.plan.times.size(),
               outcome.plan.stretches.size());
    return;
  }
  const double rate = outcome.seconds > 0 ? outcome.member_days / outcome.seconds : 0;
  fmt::print(stderr, "seconds of rank 0: model {:.2f}, synthesis {:.2f}, writing {:.2f}, in all {:.2f}\n",
             outcome.parts.model, outcome.parts.synthesis, outcome.parts.writing, outcome.seconds);
  if (outcome.stopped) {
    fmt::print(
        stderr,
        "stopped by a signal; {} of {} times are in {} and the states of its realizations are saved; run "
        "the same command again to go on\n",
        outcome.times_done, outcome.plan.times.size(), output);
    return;
  }
  fmt::print("{}: {} times of {} channels, {} realizations ({} resumed), {:.1f} member-days per second\n",
             output, outcome.plan.times.size(), world::world_channels().size(), outcome.plan.stretches.size(),
             outcome.resumed, rate);
}

}  // namespace

SimulateCommand::SimulateCommand(CLI::App& program)
    : command_(
          program.add_subcommand("simulate", "Make a store of a simulated atmosphere (qg3), in parallel")) {
  CLI::App& command = *command_;
  command.add_option("OUT", output_, "The Zarr store to write, or to go on with")->required();
  command.add_option("--start", start_, "First time (ISO-8601)")->required();
  command.add_option("--end", end_, "Last time, a day to its end")->required();
  command.add_option("--step", step_, "Between times: 6h, 12h, 24h, ...")->capture_default_str();
  command
      .add_option("--grid", grid_,
                  "LONGITUDESxLATITUDES; an odd number of latitudes has both poles, an even one neither")
      ->capture_default_str();
  command.add_option("--truncation", truncation_, "Of the model, triangular")
      ->check(CLI::IsMember({21, 42}))
      ->capture_default_str();
  command.add_option("--seed", seed_, "Of realization 0")->capture_default_str();
  command.add_option("--realizations", realizations_, "Runs that share the time axis")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command.add_option("--spin-up", spin_up_, "Simulated before the first time of each realization")
      ->capture_default_str();
  command.add_option("--threads", threads_, "Of each rank")->check(CLI::Range(1, 256))->capture_default_str();
  command.footer(what_it_makes);
}

world::SimulationRequest SimulateCommand::request() const {
  world::SimulationRequest request;
  request.output = output_;
  request.seed = seed_;
  request.realizations = realizations_;
  request.threads = threads_;
  request.parameters = world::parameters_of(truncation_);
  std::vector<std::string> problems;
  const auto read = [&](const char* flag, auto&& action) {
    const std::size_t before = problems.size();
    collect_problems(problems, action);
    if (problems.size() > before) {
      problems.back() = fmt::format("{}: {}", flag, problems.back());
    }
  };
  read("--start", [&] { request.first = parse_time(start_); });
  read("--end", [&] { request.last = parse_last(end_); });
  read("--step", [&] { request.step = parse_duration(step_); });
  read("--spin-up", [&] { request.spin_up = parse_duration(spin_up_); });
  read("--grid", [&] { request.grid = parse_grid(grid_); });
  require(problems.empty(), ExitCode::usage, "{}", fmt::join(problems, "\n"));
  return request;
}

int SimulateCommand::run(const Comm& comm) const {
  world::SimulationRequest wanted;
  const world::SimulationFolder folder(output_);
  std::unique_ptr<StoreLock> lock;
  agree(comm, [&] {
    wanted = request();
    const world::SimulationPlan plan = world::plan_simulation(wanted);
    if (comm.rank() == 0 && (folder.status(plan.attributes) != world::SimulationStatus::complete ||
                             std::filesystem::exists(folder.work_folder()))) {
      lock = std::make_unique<StoreLock>(folder);
    }
  });
  auto bar = std::make_unique<SimulationBar>();
  const world::SimulationOutcome outcome =
      world::simulate(wanted, comm, [&](double done, double total) { bar->show(done, total); });
  bar.reset();  // a line of its own for what follows
  if (comm.rank() == 0) {
    report(outcome, folder.path());
  }
  return static_cast<int>(outcome.stopped ? ExitCode::stopped_early : ExitCode::complete);
}

}  // namespace mosaic
