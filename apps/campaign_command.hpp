#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/config.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/signals.hpp"
#include "campaign/results_folder.hpp"
#include "campaign/shard.hpp"

namespace mosaic {

/// What the command lines of all programs that work through initial times have in common.
struct CampaignCommand {
  std::string config;
  std::vector<std::string> settings;
  std::vector<std::pair<std::string, std::string>> flags;  ///< key, value
  bool print_config = false;
  bool print_reference = false;
  bool plan = false;
  std::string max_walltime;
  std::string shard;
  bool overwrite = false;
  bool allow_mixed_hardware = false;
};

/// `reference`: the file under config/ that explains every key; `flags`: pairs of flag and key.
inline void declare(CLI::App& app, CampaignCommand& line, const std::string& reference,
                    const std::vector<std::pair<std::string, std::string>>& flags) {
  app.add_option("config", line.config, "Configuration (YAML); " + reference + " explains every key");
  app.add_option("--set", line.settings, "key=value, over the file; may be repeated")
      ->allow_extra_args(false);
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
  app.add_option(
      "--shard", line.shard,
      "i/N: every N-th initial time, beginning with the i-th (from 0), for N jobs with one results "
      "folder; default: this task of a Slurm job array");
  app.add_flag("--overwrite", line.overwrite,
               "Delete the earlier results in the folder instead of resuming them");
  app.add_flag("--allow-mixed-hardware", line.allow_mixed_hardware,
               "Resume on another CPU type: bits may differ");
}

/// File, --set, flags; then everything wrong with them is reported together.
inline void read_configuration(ConfigSchema& schema, const CampaignCommand& line) {
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
inline void limit_walltime(const std::string& text) {
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

/// Errors: usage, also for an overwrite by one of several jobs.
inline Shard shard_of(const CampaignCommand& line, const std::string& folder) {
  const Shard shard = parse_shard(line.shard);
  require(!line.overwrite || shard.count == 1, ExitCode::usage,
          "--overwrite with shard {}/{}: every job of the array would delete what the others have done; "
          "remove {} first instead",
          shard.index, shard.count, folder);
  return shard;
}

inline ExistingResults existing_results(const CampaignCommand& line) {
  if (line.overwrite) {
    return ExistingResults::overwrite;
  }
  return line.allow_mixed_hardware ? ExistingResults::resume_on_other_hardware : ExistingResults::resume;
}

inline LogLevel log_level(const std::string& name) {
  return name == "debug"     ? LogLevel::debug
         : name == "warning" ? LogLevel::warning
         : name == "error"   ? LogLevel::error
                             : LogLevel::info;
}

}  // namespace mosaic
