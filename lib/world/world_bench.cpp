#include "world/world_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "world/dynamics.hpp"
#include "world/world.hpp"

namespace mosaic::world {
namespace {

/// Seconds of `repeats` calls, ascending.
std::vector<double> times_of(int repeats, const std::function<void()>& body) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times;
}

double median(const std::vector<double>& sorted) { return sorted[sorted.size() / 2]; }

WorldState start(const World& world, int members) {
  std::vector<std::uint64_t> seeds;
  for (int e = 0; e < members; ++e) {
    seeds.push_back(static_cast<std::uint64_t>(e));
  }
  WorldState state = world.start(std::vector<Time>(seeds.size(), epoch), seeds);
  world.advance(state, 2, 1);
  return state;
}

double synthesis_seconds(const World& world, int repeats, kernels::Backend backend) {
  const SpectralSpace& space = world.dynamics().space();
  constexpr std::size_t columns = 48;
  const auto& shape = space.shape();
  const std::vector<Extended> south(
      space.latitudes().colatitude.begin(),
      space.latitudes().colatitude.begin() + static_cast<std::ptrdiff_t>(shape.half()));
  const SpectralTables tables = make_spectral_tables(shape.truncation, south);
  const std::vector<double> spectrum(shape.rows() * 2 * columns, 0.5);
  std::vector<double> grid(space.points() * columns);
  kernels::SpectralWorkspace workspace;
  return median(times_of(repeats, [&] {
    kernels::spectral_synthesis({shape,
                                 tables.value,
                                 kernels::Mirror::even,
                                 kernels::ZonalFactor::one,
                                 spectrum,
                                 columns,
                                 {0, shape.half()},
                                 grid},
                                workspace, backend);
  }));
}

}  // namespace

double WorldBenchReport::member_days_per_second() const {
  return options.members * time_step / 86400 / step_seconds;
}

WorldBenchReport run_world_bench(const WorldBenchOptions& options) {
  require(std::min({options.members, options.threads, options.steps, options.repeats}) >= 1,
          ExitCode::bad_configuration, "world bench: numbers must be at least 1");
  WorldBenchReport report;
  report.options = options;
  report.processor = machine_identity().at("cpu");
  report.load = load_average();
  const World world(parameters_of(options.truncation));
  report.time_step = static_cast<double>(world.parameters().time_step.seconds);
  WorldState state = start(world, options.members);
  const auto times = times_of(options.repeats, [&] { world.advance(state, options.steps, options.threads); });
  report.step_seconds = median(times) / options.steps;
  report.best_seconds = times.front() / options.steps;
  WorldState single = start(world, 1);
  report.single_seconds =
      median(times_of(options.repeats, [&] { world.advance(single, options.steps, 1); })) / options.steps;
  report.synthesis_seconds = synthesis_seconds(world, options.repeats, kernels::Backend::cpu);
  report.synthesis_reference_seconds = synthesis_seconds(world, 1, kernels::Backend::reference);
  return report;
}

std::string world_bench_text(const WorldBenchReport& report) {
  const WorldBenchOptions& options = report.options;
  std::string text = fmt::format(
      "# Simulated world at T{}: {} members, steps of {} s, {} threads\n\n{}, load average {:.2f} at the "
      "start; median of {} times {} steps\n\n",
      options.truncation, options.members, report.time_step, options.threads, report.processor, report.load,
      options.repeats, options.steps);
  const auto row = [&](const char* what, const std::string& value) {
    text += fmt::format("| {:<58} | {:>16} |\n", what, value);
  };
  row("quantity", "value");
  text += fmt::format("|{:-<60}|{:-<18}|\n", "", "");
  const double days = report.member_days_per_second();
  row("a Runge-Kutta step of all members", fmt::format("{:.3f} ms", 1e3 * report.step_seconds));
  row("member-days per second", fmt::format("{:.1f}", days));
  row("member-days per second and thread", fmt::format("{:.1f}", days / options.threads));
  row("the same, fastest of all repetitions",
      fmt::format("{:.1f}", days / options.threads * report.step_seconds / report.best_seconds));
  row("one member alone: days per second",
      fmt::format("{:.1f}", report.time_step / 86400 / report.single_seconds));
  row("spectral synthesis of 48 columns, fast body",
      fmt::format("{:.3f} ms", 1e3 * report.synthesis_seconds));
  row("spectral synthesis of 48 columns, reference body",
      fmt::format("{:.1f} ms", 1e3 * report.synthesis_reference_seconds));
  row("reference / fast body",
      fmt::format("{:.0f}", report.synthesis_reference_seconds / report.synthesis_seconds));
  return text;
}

std::string world_bench_json(const WorldBenchReport& report) {
  const nlohmann::ordered_json json = {
      {"truncation", report.options.truncation},
      {"members", report.options.members},
      {"threads", report.options.threads},
      {"steps", report.options.steps},
      {"repeats", report.options.repeats},
      {"processor", report.processor},
      {"load", report.load},
      {"time_step", report.time_step},
      {"step_seconds", report.step_seconds},
      {"best_seconds", report.best_seconds},
      {"member_days_per_second", report.member_days_per_second()},
      {"single_seconds", report.single_seconds},
      {"synthesis_seconds", report.synthesis_seconds},
      {"synthesis_reference_seconds", report.synthesis_reference_seconds},
  };
  return json.dump(2) + "\n";
}

}  // namespace mosaic::world
