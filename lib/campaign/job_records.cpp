#include "campaign/job_records.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

namespace mosaic {

namespace fs = std::filesystem;

namespace {

constexpr const char* merged_record = "run.json";

void write_record(const std::string& path, const nlohmann::json& record) {
  write_text_atomically(path, record.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// An object with a list "jobs"; an empty list if there is no such file. A damaged one is said to be lost: it
/// is no reason to lose a run.
nlohmann::json read_record(const std::string& path) {
  nlohmann::json record;
  if (fs::exists(path)) {
    record = nlohmann::json::parse(read_text(path), nullptr, false);
    if (!record.is_object()) {
      log_warning("{} is damaged: what it said of earlier jobs is lost", path);
    }
  }
  if (!record.is_object()) {
    record = nlohmann::json::object();
  }
  if (!record.contains("jobs") || !record["jobs"].is_array()) {
    record["jobs"] = nlohmann::json::array();
  }
  return record;
}

}  // namespace

std::string job_record_name(const std::string& job_name) {
  return job_name.empty() ? merged_record : "run-" + job_name + ".json";
}

bool is_job_record(const std::string& file_name) {
  return file_name.starts_with("run-") && file_name.ends_with(".json");
}

RunRecord read_run_record(const std::string& path) {
  try {
    const auto record = nlohmann::json::parse(read_text(path));
    return {record.at("configuration").get<std::string>(), record.at("identity").get<RunIdentity>()};
  } catch (const nlohmann::json::exception& problem) {
    fail(ExitCode::corrupt_input, "{}: not the record of a run (run.json): {}", path, problem.what());
  }
}

void write_job_record(const ResultsFolder& results, const std::string& job_name, nlohmann::json run,
                      const nlohmann::json& job) {
  const std::string path = results.file(job_record_name(job_name));
  run["jobs"] = std::move(read_record(path)["jobs"]);
  run["jobs"].push_back(job);
  write_record(path, run);
}

void merge_job_records(const ResultsFolder& results) {
  std::vector<fs::path> singles;
  for (const auto& entry : fs::directory_iterator(results.path())) {
    if (is_job_record(entry.path().filename())) {
      singles.push_back(entry.path());
    }
  }
  if (singles.empty()) {
    return;
  }
  std::sort(singles.begin(), singles.end(), [](const fs::path& a, const fs::path& b) {
    return time_of_file(a.string()) < time_of_file(b.string());
  });
  nlohmann::json merged = read_record(results.file(merged_record));
  for (const fs::path& single : singles) {
    nlohmann::json record = read_record(single.string());
    nlohmann::json jobs = std::move(merged["jobs"]);
    jobs.insert(jobs.end(), record["jobs"].begin(), record["jobs"].end());
    merged = std::move(record);
    merged["jobs"] = std::move(jobs);
  }
  write_record(results.file(merged_record), merged);
  for (const fs::path& single : singles) {
    fs::remove(single);
  }
}

}  // namespace mosaic
