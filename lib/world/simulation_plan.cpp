#include "world/simulation_plan.hpp"

#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"

namespace mosaic::world {
namespace {

constexpr const char* title = "Simulated three-level quasi-geostrophic atmosphere (qg3), not observations";
constexpr const char* source =
    "mosaic_data simulate: three-level quasi-geostrophic model after Marshall & Molteni (1993, J. Atmos. "
    "Sci. "
    "50, 1792-1818) with an analytic forcing and an invented geography";
constexpr const char* license =
    "computed from formulas alone: nothing in this data set was observed or analysed, and no data of third "
    "parties are in it";
constexpr const char* warning =
    "At each time of `seams` another realization begins, which has nothing to do with the one before: verify "
    "no forecast across a seam and take no differences in time across it.";

/// Everything that is wrong with the request.
std::vector<std::string> problems_of(const SimulationRequest& request) {
  const Duration time_step = request.parameters.time_step;
  std::vector<std::string> problems;
  if (request.step.seconds <= 0 || request.step.seconds % time_step.seconds != 0) {
    problems.push_back(
        fmt::format("--step {}: is no multiple of the model's time step {}; use for example {}",
                    to_string(request.step), to_string(time_step), to_string(Duration::hours(12))));
  }
  if (request.spin_up.seconds < 0 || request.spin_up.seconds % time_step.seconds != 0) {
    problems.push_back(
        fmt::format("--spin-up {}: is no multiple of the model's time step {}; use for example {}",
                    to_string(request.spin_up), to_string(time_step), to_string(Duration::days(150))));
  }
  if (request.last < request.first) {
    problems.push_back(fmt::format("--end {}: is before --start {}; exchange them", to_string(request.last),
                                   to_string(request.first)));
  } else if (request.step.seconds > 0) {
    const auto times = (request.last - request.first).seconds / request.step.seconds + 1;
    if (request.realizations < 1 || request.realizations > static_cast<std::uint64_t>(times)) {
      problems.push_back(
          fmt::format("--realizations {}: each needs a time of its own, and there are {}; use 1 ... {}, "
                      "a later --end or a shorter --step",
                      request.realizations, times, times));
    }
  }
  return problems;
}

std::map<std::string, std::string> attributes_of(const SimulationRequest& request,
                                                 const SimulationPlan& plan) {
  std::map<std::string, std::string> attributes = {
      {"title", title},
      {"source", source},
      {"license", license},
      {"Conventions", "CF-1.11"},
      {"dataset", "qg3"},
      {"seed", std::to_string(request.seed)},
      {"realizations", std::to_string(request.realizations)},
      {"start", to_string(plan.times.front())},
      {"end", to_string(plan.times.back())},
      {"step", to_string(request.step)},
      {"spin_up", to_string(request.spin_up)},
      {"truncation", fmt::format("T{}", request.parameters.truncation)},
      {"model_time_step", to_string(request.parameters.time_step)},
      {"grid", to_string(request.grid)}};
  for (const auto& [name, value] : named_values(request.parameters)) {
    attributes["parameter_" + name] = value;
  }
  std::vector<std::string> seams;
  for (const Stretch& stretch : plan.stretches) {
    seams.push_back(to_string(plan.times[stretch.first_time]));
  }
  attributes["first_times_of_realizations"] = fmt::format("{}", fmt::join(seams, " "));
  seams.erase(seams.begin());
  attributes["seams"] = seams.empty() ? "none" : fmt::format("{}", fmt::join(seams, " "));
  attributes["comment"] = warning;
  return attributes;
}

}  // namespace

std::int64_t SimulationPlan::steps_of_all() const {
  std::int64_t steps = 0;
  for (const Stretch& stretch : stretches) {
    steps += steps_of(stretch);
  }
  return steps;
}

SimulationPlan plan_simulation(const SimulationRequest& request) {
  const std::vector<std::string> problems = problems_of(request);
  require(problems.empty(), ExitCode::usage, "{}", fmt::join(problems, "\n"));
  SimulationPlan plan;
  plan.time_step = request.parameters.time_step;
  plan.spin_up_steps = request.spin_up.seconds / plan.time_step.seconds;
  plan.steps_per_time = request.step.seconds / plan.time_step.seconds;
  for (Time time = request.first; time <= request.last; time = time + request.step) {
    plan.times.push_back(time);
  }
  const std::size_t shortest = plan.times.size() / request.realizations;
  const std::size_t longer = plan.times.size() % request.realizations;
  std::size_t first = 0;
  for (std::size_t i = 0; i < request.realizations; ++i) {
    const std::size_t count = shortest + (i < longer ? 1 : 0);
    plan.stretches.push_back({first, count, request.seed + i});
    first += count;
  }
  plan.attributes = attributes_of(request, plan);
  return plan;
}

}  // namespace mosaic::world
