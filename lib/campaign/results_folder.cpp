#include "campaign/results_folder.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "campaign/job_records.hpp"

namespace mosaic {

namespace fs = std::filesystem;

namespace {

constexpr const char* identity_name = "identity.json";

RunIdentity read_identity(const std::string& path) {
  try {
    return nlohmann::json::parse(read_text(path)).get<RunIdentity>();
  } catch (const nlohmann::json::exception& problem) {
    fail(ExitCode::corrupt_input, "{}: not the identity of a run: {}; use --overwrite to start anew", path,
         problem.what());
  }
}

/// The files of the whole run, written by one job at a time.
constexpr std::array score_names = {"sums.nc",    "metrics.nc", "metrics.csv",   "metrics.json",
                                    "ranks.nc",   "spectra.nc", "thresholds.nc", "thresholds.csv",
                                    "seasons.nc", "maps.nc"};

/// What a run of this program writes; nothing else is ever removed.
void remove_results(const std::string& path) {
  std::vector<fs::path> results;
  for (const char* name : score_names) {
    results.push_back(fs::path(path) / name);
  }
  for (const char* name : {"sums", "forecasts", "log", "run.json", identity_name}) {
    results.push_back(fs::path(path) / name);
  }
  for (const auto& entry : fs::directory_iterator(path)) {
    if (is_job_record(entry.path().filename())) {
      results.push_back(entry.path());
    }
  }
  for (const fs::path& result : results) {
    std::error_code problem;
    fs::remove_all(result, problem);
    require(!problem, ExitCode::cannot_create, "{}: cannot remove the earlier results: {}", result.string(),
            problem.message());
  }
}

constexpr double any_moment = std::numeric_limits<double>::infinity();

/// Removes unfinished files of `folder` whose names begin with `beginning`, last written before `moment`.
void remove_temporaries(const fs::path& folder, const std::string& beginning, double moment) {
  if (!fs::is_directory(folder)) {
    return;  // who needs it says what is wrong with it
  }
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(beginning) && name.find(".tmp") != std::string::npos && entry.is_regular_file()) {
      found.push_back(entry.path());
    }
  }
  for (const fs::path& file : found) {
    const auto written = time_of_file(file);
    if (written && *written < moment) {
      log_info("removing {}, left half-written by a job that was killed", file.string());
      fs::remove(file);
    }
  }
}

}  // namespace

ResultsFolder::ResultsFolder(std::string path) : path_(std::move(path)) {}

void ResultsFolder::claim(const RunIdentity& identity, ExistingResults existing) const {
  if (existing == ExistingResults::overwrite) {
    remove_results(path_);
  }
  const std::string identity_file = file(identity_name);
  if (!fs::exists(identity_file)) {
    require(!fs::exists(file("sums")), ExitCode::bad_configuration,
            "{} holds sums but no {}: it cannot be told to which run they belong; choose another --out, or "
            "--overwrite",
            path_, identity_name);
    // Of several jobs that begin together one gives the folder its identity, and all compare theirs to it.
    write_text_if_absent(identity_file, nlohmann::json(identity).dump(1) + "\n");
  }
  auto different = differences(read_identity(identity_file), identity);
  if (existing == ExistingResults::resume_on_other_hardware) {
    std::erase_if(different, [](const std::string& text) { return text.starts_with("machine."); });
  }
  require(different.empty(), ExitCode::bad_configuration,
          "{} belongs to another run and is left as it is; choose another --out, or --overwrite to start "
          "anew:\n  {}",
          path_, fmt::join(different, "\n  "));
  for (const char* name : {"sums", "log"}) {
    create_folder(file(name));
  }
}

void ResultsFolder::remove_leftovers(double moment) const {
  remove_temporaries(path_, "", moment);
  remove_temporaries(file("sums"), "", moment);
  remove_temporaries(file("forecasts"), "", moment);
}

void ResultsFolder::remove_leftovers_of(Time initial_time) const {
  const std::string name = file_name_of(initial_time);
  remove_temporaries(file("sums"), name + ".nc", any_moment);
  for (const char* next : {".nc", "_"}) {  // 2020-01-01T00 is not 2020-01-01T0015
    remove_temporaries(file("forecasts"), "forecast_" + name + next, any_moment);
  }
}

void ResultsFolder::remove_leftovers_of_scores() const {
  for (const std::string name : score_names) {
    remove_temporaries(path_, name + ".tmp", any_moment);
  }
}

std::string ResultsFolder::sums_file(Time initial_time) const {
  return file("sums/" + file_name_of(initial_time) + ".nc");
}

bool ResultsFolder::is_committed(Time initial_time) const {
  return fs::exists(sums_file(initial_time)) ||
         is_merged();  // in this order: another job may merge meanwhile
}

bool ResultsFolder::is_merged() const { return fs::exists(merged_sums_file()); }

void ResultsFolder::tidy_complete_run() const {
  remove_temporaries(file("forecasts"), "", any_moment);
  std::error_code problem;
  fs::remove_all(file("sums"), problem);
  require(!problem, ExitCode::io_error, "{}: cannot remove the folder after the merge: {}", file("sums"),
          problem.message());
}

std::size_t ResultsFolder::count_committed(const std::vector<Time>& times) const {
  return static_cast<std::size_t>(
      std::count_if(times.begin(), times.end(), [this](Time time) { return is_committed(time); }));
}

std::vector<std::string> differences(const RunIdentity& folder, const RunIdentity& ours) {
  std::vector<std::string> found;
  const auto value = [](const RunIdentity& identity, const std::string& name) {
    const auto at = identity.find(name);
    return at == identity.end() ? std::string("(absent)") : at->second;
  };
  RunIdentity all = folder;
  all.insert(ours.begin(), ours.end());
  for (const auto& [name, unused] : all) {
    if (value(folder, name) != value(ours, name)) {
      found.push_back(fmt::format("{}: {} there, {} here", name, value(folder, name), value(ours, name)));
    }
  }
  return found;
}

}  // namespace mosaic
