#include "world/simulation_worker.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/parallel_for.hpp"
#include "base/signals.hpp"
#include "base/stopwatch.hpp"
#include "fields/state_checks.hpp"
#include "world/world_members.hpp"

namespace mosaic::world {
namespace {

constexpr Duration between_saves = Duration::days(30);
/// A stop signal is looked for so often.
constexpr Duration longest_advance = Duration::hours(6);
/// Members whose fields are in memory together: 50 MB on 240 x 121.
constexpr std::size_t fields_at_once = 32;

}  // namespace

SimulationWorker::SimulationWorker(const SimulationRequest& request, const SimulationPlan& plan,
                                   const SimulationFolder& folder)
    : request_(request),
      plan_(plan),
      folder_(folder),
      world_(request.parameters),
      grid_(std::make_shared<const LatLonGrid>(request.grid)),
      fields_(request.parameters, grid_),
      steps_between_saves_(plan.steps_in(between_saves)) {}

void SimulationWorker::open_store(Statics statics) {
  ZarrWriterOptions options;
  options.attributes = plan_.attributes;
  options.existing = ExistingStore::go_on;
  options.sync = ChunkSync::caller;
  writer_.emplace(folder_.path(), grid_, std::make_shared<const ChannelSet>(world_channels()), plan_.times,
                  options);
  if (statics == Statics::write) {
    writer_->write_static("geopotential_at_surface", surface_geopotential(*grid_));
    writer_->write_static("land_sea_mask", land_sea_mask(*grid_));
  }
}

void SimulationWorker::take(std::span<const std::size_t> realizations) {
  std::vector<WorldState> states;
  for (const std::size_t i : realizations) {
    const Stretch& stretch = plan_.stretches[i];
    const Time start = plan_.start_of(stretch);
    Member member{i, 0, 0};
    if (auto restart = folder_.load(i, plan_, request_.parameters)) {
      member.steps = (restart->state.times.front() - start).seconds / plan_.time_step.seconds;
      member.outputs = restart->outputs;
      states.push_back(std::move(restart->state));
      ++resumed_;
      earlier_steps_ += member.steps;
      outputs_ += member.outputs;
    } else {
      states.push_back(world_.start({&start, 1}, {&stretch.seed, 1}));
    }
    members_.push_back(member);
  }
  state_ = joined(states);
  drop_finished();
}

void SimulationWorker::work(Duration duration) {
  std::int64_t left = plan_.steps_in(duration);
  while (!members_.empty() && left > 0 && !stop_requested()) {
    std::int64_t steps = std::min(left, plan_.steps_in(longest_advance));
    for (const Member& member : members_) {
      steps = std::min(steps, next_event(member) - member.steps);
    }
    advance(steps);
    left -= steps;
    write_due();
    save(members_to_save());
    drop_finished();
  }
  if (stop_requested()) {
    save_all();
  }
}

/// The step at which a member has something to write.
std::int64_t SimulationWorker::next_event(const Member& member) const {
  return std::min(plan_.steps_to(member.outputs),
                  (member.steps / steps_between_saves_ + 1) * steps_between_saves_);
}

void SimulationWorker::advance(std::int64_t steps) {
  if (steps == 0) {
    return;  // the first time of a run without spin-up
  }
  const Stopwatch watch(seconds_.model);
  world_.advance(state_, steps, request_.threads);
  steps_ += steps * static_cast<std::int64_t>(members_.size());
  saved_ = false;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    Member& member = members_[m];
    member.steps += steps;
    require(state_.times[m] == plan_.start_of(stretch_of(member)) + member.steps * plan_.time_step,
            "realization {} lost count of its steps at {}", member.realization, to_string(state_.times[m]));
  }
}

void SimulationWorker::write_due() {
  std::vector<std::size_t> due;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    if (members_[m].steps == plan_.steps_to(members_[m].outputs)) {
      due.push_back(m);
    }
  }
  for (std::size_t first = 0; first < due.size(); first += fields_at_once) {
    write(std::span(due).subspan(first, std::min(fields_at_once, due.size() - first)));
  }
  outputs_ += due.size();
  synced_ = synced_ && due.empty();
}

void SimulationWorker::write(std::span<const std::size_t> members) {
  const std::vector<State> states = synthesize(members);
  const Stopwatch watch(seconds_.writing);
  parallel_for(states.size(), request_.threads, [&](std::size_t k) {
    const std::vector<std::string> problems = check_state(states[k]);
    require(problems.empty(), "realization {} is no atmosphere any more: {}",
            members_[members[k]].realization, fmt::join(problems, "; "));
    writer_->write(states[k]);
  });
  for (const std::size_t m : members) {
    ++members_[m].outputs;
  }
}

std::vector<State> SimulationWorker::synthesize(std::span<const std::size_t> members) {
  const Stopwatch watch(seconds_.synthesis);
  return fields_.states(world_, members_of(state_, members), request_.threads);
}

std::vector<std::size_t> SimulationWorker::members_to_save() const {
  std::vector<std::size_t> members;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    const Member& member = members_[m];
    if (is_finished(member) || (member.steps > 0 && member.steps % steps_between_saves_ == 0)) {
      members.push_back(m);
    }
  }
  return members;
}

void SimulationWorker::save_all() {
  std::vector<std::size_t> members(saved_ ? 0 : members_.size());
  std::iota(members.begin(), members.end(), 0);
  save(members);
}

/// Chunks first: a restart file promises that they are there.
void SimulationWorker::save(const std::vector<std::size_t>& members) {
  if (members.empty()) {
    return;
  }
  const Stopwatch watch(seconds_.writing);
  if (!synced_) {
    sync_file_system(folder_.path());
    synced_ = true;
  }
  for (const std::size_t m : members) {
    folder_.save(members_[m].realization, {members_[m].outputs, members_of(state_, {&m, 1})});
  }
  saved_ = members.size() == members_.size();
}

void SimulationWorker::drop_finished() {
  std::vector<std::size_t> rest;
  std::vector<Member> members;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    if (!is_finished(members_[m])) {
      rest.push_back(m);
      members.push_back(members_[m]);
    }
  }
  if (rest.size() < members_.size()) {
    state_ = members_of(state_, rest);
    members_ = std::move(members);
  }
}

}  // namespace mosaic::world
