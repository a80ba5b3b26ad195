// Times one step of the network against the machine's rate for large matrix products.
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
#include "model/step_bench.hpp"
#include "parallel/comm.hpp"

namespace {

using namespace mosaic;

struct StepFlags {
  StepBenchOptions options;
  std::string markdown;
  bool json = false;
};

CLI::App* add_step(CLI::App& program, StepFlags& flags) {
  CLI::App* command = program.add_subcommand(
      "step", "Time, operations and memory of a step, pseudo-random weights, float32; no files are read");
  StepBenchOptions& options = flags.options;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  command->add_option("--preset", options.preset, "Network: era5, hres (published sizes) or demo (small)")
      ->check(CLI::IsMember({"era5", "hres", "demo"}))
      ->capture_default_str();
  const auto number = [&](const char* flag, int& value, const char* text) {
    command->add_option(flag, value, text)->check(CLI::Range(1, 1000000))->capture_default_str();
  };
  number("--threads", options.threads, "CPU threads of steps and products");
  number("--steps", options.steps, "Steps; 20 show whether memory grows");
  number("--members", options.members, "Members, stepped one after the other");
  number("--gemm-every", options.gemm_every, "Time the large products after every so many steps");
  number("--gemm-repeats", options.gemm_repeats, "Repetitions of each product; the best counts");
  command->add_option("--markdown", flags.markdown, "Also write the tables to this file");
  command->add_flag("--json", flags.json, "Print one JSON object instead of tables");
  command->footer("Example: mosaic_bench step --preset era5 --threads 2 --steps 3");
  return command;
}

/// Before minutes of work, not after them.
void check_folder_of(const std::string& file) {
  const auto folder = std::filesystem::absolute(file).parent_path();
  require(std::filesystem::is_directory(folder), ExitCode::cannot_create, "--markdown {}: no folder {}", file,
          folder.string());
}

void bench_step(const StepFlags& flags) {
  if (!flags.markdown.empty()) {
    check_folder_of(flags.markdown);
  }
  const StepBenchReport report =
      run_step_bench(flags.options, [](const std::string& line) { fmt::print(stderr, "{}\n", line); });
  if (!flags.markdown.empty()) {
    write_text_atomically(flags.markdown, step_bench_text(report));
  }
  fmt::print("{}", flags.json ? step_bench_json(report) : step_bench_text(report));
}

int run(int argc, char** argv) {
  CLI::App program{"Time the parts of the Mosaic suite"};
  program.set_version_flag("--version", version_text());
  program.require_subcommand(1);
  program.footer("Example: mosaic_bench step --preset demo\nmosaic_bench COMMAND --help explains a command.");
  StepFlags flags;
  const CLI::App* step = add_step(program, flags);
  const bool speaks = Comm::world().rank() == 0;  // with several ranks the first one does the work
  if (const auto code = end_of_parsing(program, argc, argv)) {
    return *code;
  }
  if (speaks && step->parsed()) {
    bench_step(flags);
  }
  return static_cast<int>(ExitCode::complete);
}

}  // namespace

int main(int argc, char** argv) { return mosaic::run_app(argc, argv, run); }
