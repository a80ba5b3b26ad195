#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "campaign/results_folder.hpp"

namespace mosaic {

/// The record of a job that has the folder for itself: run.json. Of another job: run-<name>.json, until the
/// run is complete.
std::string job_record_name(const std::string& job_name);
/// Whether a file of a results folder is the record of one of several jobs.
bool is_job_record(const std::string& file_name);

/// What a later run needs of a record.
struct RunRecord {
  std::string configuration;  ///< effective configuration, YAML
  RunIdentity identity;
};

/// Errors: missing_input, corrupt_input.
RunRecord read_run_record(const std::string& path);

/// Writes what is known of the run (`run`, an object) and adds `job` to its list "jobs", behind those that an
/// earlier record of this name holds. Errors: cannot_create, io_error.
void write_job_record(const ResultsFolder& results, const std::string& job_name, nlohmann::json run,
                      const nlohmann::json& job);

/// Joins the records of all jobs into run.json, newest run last, and removes the single ones. For one process
/// at a time. Errors: io_error, cannot_create.
void merge_job_records(const ResultsFolder& results);

}  // namespace mosaic
