// Times one step of the network against the machine's rate for large matrix products, and scores and spectra
// of the evaluation against their reference bodies and the machine's copy bandwidth; steps of the simulated
// world; the step on a GPU.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include "apps/command_line.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/version.hpp"
#include "eval/scores_bench.hpp"
#include "eval/spectra_bench.hpp"
#include "model/device_bench.hpp"
#include "model/step_bench.hpp"
#include "parallel/comm.hpp"
#include "world/world_bench.hpp"

namespace {

using namespace mosaic;

struct StepFlags {
  StepBenchOptions options;
  std::string precision = to_string(Precision::float32);
  std::string markdown;
  bool json = false;
};

int hardware_threads() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

/// A flag for a number of at least 1.
void add_number(CLI::App* command, const char* flag, int& value, const char* text) {
  command->add_option(flag, value, text)->check(CLI::Range(1, 1000000))->capture_default_str();
}

CLI::App* add_step(CLI::App& program, StepFlags& flags) {
  CLI::App* command = program.add_subcommand(
      "step", "Time, operations and memory of a step, pseudo-random weights; no files are read");
  StepBenchOptions& options = flags.options;
  options.threads = hardware_threads();
  command->add_option("--preset", options.preset, "Network: era5, hres (published sizes) or demo (small)")
      ->check(CLI::IsMember({"era5", "hres", "demo"}))
      ->capture_default_str();
  command
      ->add_option("--precision", flags.precision,
                   "Operands of the matrix products; with bfloat16 the error is printed, too")
      ->check(CLI::IsMember({"float32", "bfloat16"}))
      ->capture_default_str();
  add_number(command, "--threads", options.threads, "CPU threads of steps and products");
  add_number(command, "--steps", options.steps, "Steps; 20 show whether memory grows");
  add_number(command, "--members", options.members, "Members, stepped one after the other");
  add_number(command, "--gemm-every", options.gemm_every,
             "Time the large products after every so many steps");
  add_number(command, "--gemm-repeats", options.gemm_repeats, "Repetitions of each product; the best counts");
  command->add_option("--markdown", flags.markdown, "Also write the tables to this file");
  command->add_flag("--json", flags.json, "Print one JSON object instead of tables");
  command->footer("Example: mosaic_bench step --preset era5 --threads 2 --steps 3");
  return command;
}

struct DeviceFlags {
  DeviceBenchOptions options;
  std::string preset = "era5";
  std::string precision = to_string(Precision::float16);
  std::string markdown, json_file;
};

CLI::App* add_gpu(CLI::App& program, DeviceFlags& flags) {
  CLI::App* command = program.add_subcommand("gpu",
                                             "Time of the step on the first visible GPU, and of attention "
                                             "alone, pseudo-random weights; no files are read");
  DeviceBenchOptions& options = flags.options;
  command->add_option("--preset", flags.preset, "Network: era5 or hres")
      ->check(CLI::IsMember({"era5", "hres"}))
      ->capture_default_str();
  command->add_option("--precision", flags.precision, "Operands of the matrix products")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}))
      ->capture_default_str();
  command->add_option("--chunks", options.chunks, "Members at once")->delimiter(',')->capture_default_str();
  command
      ->add_option("--attention-tokens", options.attention_tokens,
                   "Lengths of attention alone, multiples of 1024")
      ->delimiter(',')
      ->capture_default_str();
  add_number(command, "--steps", options.steps, "Steps of each measurement; the median counts");
  command->add_option("--markdown", flags.markdown, "Also write the tables to this file");
  command->add_option("--json", flags.json_file, "Also write the figures to this file");
  command->footer("Example: mosaic_bench gpu --chunks 1,8 --markdown gpu.md");
  return command;
}

struct SpectraFlags {
  eval::SpectraBenchOptions options;
  bool json = false;
};

CLI::App* add_spectra(CLI::App& program, SpectraFlags& flags) {
  CLI::App* command = program.add_subcommand(
      "spectra",
      "Time of kinetic energy by spherical-harmonic degree of pseudo-random winds; no files are read");
  eval::SpectraBenchOptions& options = flags.options;
  options.threads = hardware_threads();
  add_number(command, "--longitudes", options.longitudes, "Longitudes of the grid");
  command->add_option("--latitudes", options.latitudes, "Latitudes of the grid, both poles among them")
      ->check(CLI::Range(4, 10000))
      ->capture_default_str();
  add_number(command, "--winds", options.winds, "(u, v) pairs in the batch");
  add_number(command, "--reference-winds", options.reference_winds, "Pairs that the reference body gets");
  add_number(command, "--threads", options.threads, "CPU threads");
  add_number(command, "--repeats", options.repeats, "Repetitions; the best counts");
  command->add_flag("--json", flags.json, "Print one JSON object instead of a table");
  command->footer("Example: mosaic_bench spectra --winds 780 --threads 2");
  return command;
}

void bench_spectra(const SpectraFlags& flags) {
  const eval::SpectraBenchReport report = eval::run_spectra_bench(flags.options);
  fmt::print("{}", flags.json ? eval::spectra_bench_json(report) : eval::spectra_bench_text(report));
}

struct ScoresFlags {
  eval::ScoresBenchOptions options;
  bool json = false;
};

CLI::App* add_scores(CLI::App& program, ScoresFlags& flags) {
  CLI::App* command =
      program.add_subcommand("scores", "Time of ensemble scores of pseudo-random fields; no files are read");
  eval::ScoresBenchOptions& options = flags.options;
  options.threads = hardware_threads();
  add_number(command, "--longitudes", options.longitudes, "Longitudes of the grid");
  command->add_option("--latitudes", options.latitudes, "Latitudes of the grid, both poles among them")
      ->check(CLI::Range(4, 10000))
      ->capture_default_str();
  add_number(command, "--members", options.members, "Members");
  add_number(command, "--fields", options.fields, "Channels x lead times");
  add_number(command, "--regions", options.regions, "Regions");
  add_number(command, "--reference-fields", options.reference_fields, "Fields that the reference body gets");
  add_number(command, "--threads", options.threads, "CPU threads");
  add_number(command, "--repeats", options.repeats, "Repetitions; the best counts");
  command->add_flag("--gpu", options.on_device, "Also on this rank's GPU, of fields that lie there");
  command->add_flag("--json", flags.json, "Print one JSON object instead of a table");
  command->footer("Example: mosaic_bench scores --members 24 --fields 200 --threads 2");
  return command;
}

void bench_scores(const ScoresFlags& flags) {
  const eval::ScoresBenchReport report = eval::run_scores_bench(flags.options);
  fmt::print("{}", flags.json ? eval::scores_bench_json(report) : eval::scores_bench_text(report));
}

struct WorldFlags {
  world::WorldBenchOptions options;
  bool json = false;
};

CLI::App* add_world(CLI::App& program, WorldFlags& flags) {
  CLI::App* command =
      program.add_subcommand("world", "Time of steps of the simulated world; no files are read");
  world::WorldBenchOptions& options = flags.options;
  options.threads = hardware_threads();
  command->add_option("--truncation", options.truncation, "21 or 42")
      ->check(CLI::IsMember({21, 42}))
      ->capture_default_str();
  add_number(command, "--members", options.members, "Members, advanced together");
  add_number(command, "--threads", options.threads, "CPU threads");
  add_number(command, "--steps", options.steps, "Runge-Kutta steps of each measurement");
  add_number(command, "--repeats", options.repeats, "Repetitions; the median counts");
  command->add_flag("--json", flags.json, "Print one JSON object instead of a table");
  command->footer("Example: mosaic_bench world --members 32 --threads 1");
  return command;
}

void bench_world(const WorldFlags& flags) {
  const world::WorldBenchReport report = world::run_world_bench(flags.options);
  fmt::print("{}", flags.json ? world::world_bench_json(report) : world::world_bench_text(report));
}

/// Before minutes of work, not after them.
void check_folder_of(const std::string& file) {
  const auto folder = std::filesystem::absolute(file).parent_path();
  require(std::filesystem::is_directory(folder), ExitCode::cannot_create, "{}: no folder {}", file,
          folder.string());
}

void bench_step(const StepFlags& flags) {
  if (!flags.markdown.empty()) {
    check_folder_of(flags.markdown);
  }
  StepBenchOptions options = flags.options;
  options.precision = parse_precision(flags.precision);
  const StepBenchReport report =
      run_step_bench(options, [](const std::string& line) { fmt::print(stderr, "{}\n", line); });
  if (!flags.markdown.empty()) {
    write_text_atomically(flags.markdown, step_bench_text(report));
  }
  fmt::print("{}", flags.json ? step_bench_json(report) : step_bench_text(report));
}

void bench_gpu(DeviceFlags& flags) {
  flags.options.network = published_network(flags.preset);
  flags.options.grid = LatLonGrid::with_poles(240, 121);
  flags.options.precision = parse_precision(flags.precision);
  for (const std::string& file : {flags.markdown, flags.json_file}) {
    if (!file.empty()) {
      check_folder_of(file);
    }
  }
  const DeviceBenchReport report = run_device_bench(flags.options);
  fmt::print("{}", device_bench_text(report));
  if (!flags.markdown.empty()) {
    write_text_atomically(flags.markdown, device_bench_text(report));
  }
  if (!flags.json_file.empty()) {
    write_text_atomically(flags.json_file, device_bench_json(report));
  }
}

int run(int argc, char** argv) {
  CLI::App program{"Time the parts of the Mosaic suite"};
  program.set_version_flag("--version", version_text());
  program.require_subcommand(1);
  program.footer("Example: mosaic_bench step --preset demo\nmosaic_bench COMMAND --help explains a command.");
  StepFlags flags;
  SpectraFlags spectra_flags;
  const CLI::App* step = add_step(program, flags);
  ScoresFlags scores_flags;
  const CLI::App* spectra = add_spectra(program, spectra_flags);
  const CLI::App* scores = add_scores(program, scores_flags);
  WorldFlags world_flags;
  const CLI::App* world_command = add_world(program, world_flags);
  DeviceFlags device_flags;
  const CLI::App* gpu = add_gpu(program, device_flags);
  const bool speaks = Comm::world().rank() == 0;  // with several ranks the first one does the work
  if (const auto code = end_of_parsing(program, argc, argv)) {
    return *code;
  }
  if (speaks && step->parsed()) {
    bench_step(flags);
  }
  if (speaks && spectra->parsed()) {
    bench_spectra(spectra_flags);
  }
  if (speaks && scores->parsed()) {
    bench_scores(scores_flags);
  }
  if (speaks && gpu->parsed()) {
    bench_gpu(device_flags);
  }
  if (speaks && world_command->parsed()) {
    bench_world(world_flags);
  }
  return static_cast<int>(ExitCode::complete);
}

}  // namespace

int main(int argc, char** argv) { return mosaic::run_app(argc, argv, run); }
