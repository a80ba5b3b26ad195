#include "campaign/results_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

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

void create_folder(const std::string& path) {
  std::error_code problem;
  fs::create_directories(path, problem);
  require(!problem, ExitCode::cannot_create, "{}: cannot create the folder: {}", path, problem.message());
}

/// What a run of this program writes; nothing else is ever removed.
void remove_results(const std::string& path) {
  for (const char* name :
       {"sums", "forecasts", "log", "metrics.nc", "spectra.nc", "sums.nc", "run.json", identity_name}) {
    std::error_code problem;
    fs::remove_all(fs::path(path) / name, problem);
    require(!problem, ExitCode::cannot_create, "{}/{}: cannot remove the earlier results: {}", path, name,
            problem.message());
  }
}

}  // namespace

ResultsFolder::ResultsFolder(std::string path) : path_(std::move(path)) {}

void ResultsFolder::claim(const RunIdentity& identity, ExistingResults existing) {
  create_folder(path_);
  if (existing == ExistingResults::overwrite) {
    remove_results(path_);
  }
  const std::string identity_file = file(identity_name);
  if (fs::exists(identity_file)) {
    auto different = differences(read_identity(identity_file), identity);
    if (existing == ExistingResults::resume_on_other_hardware) {
      std::erase_if(different, [](const std::string& text) { return text.starts_with("machine."); });
    }
    require(different.empty(), ExitCode::bad_configuration,
            "{} belongs to another run and is left as it is; choose another --out, or --overwrite to start "
            "anew:\n  {}",
            path_, fmt::join(different, "\n  "));
  } else {
    require(!fs::exists(file("sums")), ExitCode::bad_configuration,
            "{} holds sums but no {}: it cannot be told to which run they belong; choose another --out, or "
            "--overwrite",
            path_, identity_name);
    write_text_atomically(identity_file, nlohmann::json(identity).dump(1) + "\n");
  }
  for (const char* name : {"sums", "log"}) {
    create_folder(file(name));
  }
  remove_leftovers();
}

void ResultsFolder::remove_leftovers() const {
  for (const char* folder : {"", "sums", "forecasts"}) {
    const fs::path place = fs::path(path_) / folder;
    if (!fs::is_directory(place)) {
      continue;  // who needs it says what is wrong with it
    }
    for (const auto& entry : fs::directory_iterator(place)) {
      if (entry.is_regular_file() && entry.path().filename().string().find(".tmp") != std::string::npos) {
        log_info("removing {}, left half-written by a run that was killed", entry.path().string());
        fs::remove(entry.path());
      }
    }
  }
}

std::string ResultsFolder::sums_file(Time initial_time) const {
  std::string name = to_string(initial_time);
  std::erase(name, ':');
  return file("sums/" + name + ".nc");
}

bool ResultsFolder::is_committed(Time initial_time) const {
  return is_merged() || fs::exists(sums_file(initial_time));
}

bool ResultsFolder::is_merged() const { return fs::exists(merged_sums_file()); }

void ResultsFolder::remove_single_sums() const {
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
