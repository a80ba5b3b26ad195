#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "eval/results.hpp"
#include "forecast/hindcast.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic {

namespace {

nlohmann::json timings_json(const std::vector<HindcastTimings>& timings) {
  nlohmann::json list = nlohmann::json::array();
  for (const HindcastTimings& t : timings) {
    list.push_back({{"read_s", t.read},
                    {"compute_s", t.compute},
                    {"score_s", t.score},
                    {"write_s", t.write},
                    {"idle_s", t.idle}});
  }
  return list;
}

/// The sums of all committed initial times; kept in one file in place of theirs once the run is complete.
NetcdfDocument merged_sums(const HindcastSetup& setup, const ResultsFolder& results) {
  if (results.is_merged()) {
    return read_netcdf(results.merged_sums_file());
  }
  std::vector<NetcdfDocument> documents;
  for (const Time time : setup.initial_times) {
    if (results.is_committed(time)) {
      documents.push_back(read_netcdf(results.sums_file(time)));
    }
  }
  NetcdfDocument merged = eval::merge_sums(documents);
  if (documents.size() == setup.initial_times.size()) {
    write_netcdf(results.merged_sums_file(), merged);
    results.remove_single_sums();
  }
  return merged;
}

}  // namespace

std::string finish_results(const HindcastSetup& setup, const ResultsFolder& results) {
  const NetcdfDocument merged = merged_sums(setup, results);
  const auto sums = eval::all_from_netcdf(merged);
  write_netcdf(results.file("metrics.nc"), eval::metrics_document(sums, setup.score));
  write_netcdf(results.file("spectra.nc"), eval::spectra_document(sums, setup.score));
  return eval::score_table(sums, setup.score);
}

void write_run_record(const HindcastSetup& setup, const ResultsFolder& results,
                      const HindcastOutcome& outcome, const std::vector<std::string>& hosts,
                      const std::string& configuration) {
  const ModelInfo& model = setup.model->info();
  nlohmann::json status;
  for (const Time time : setup.initial_times) {
    status[to_string(time)] = results.is_committed(time) ? "committed" : "pending";
  }
  for (const auto& [time, reason] : outcome.failed) {
    status[to_string(time)] = "failed: " + reason;
  }
  const nlohmann::json record = {
      {"program", version_text()},
      {"configuration", configuration},
      {"identity", setup.identity},
      {"model", {{"name", model.name}, {"description", model.description}, {"identity", model.identity}}},
      {"input", {{"path", setup.input->path()}, {"identity", setup.input->identity()}}},
      {"truth", {{"path", setup.truth->path()}, {"identity", setup.truth->identity()}}},
      {"initial_times", {{"count", setup.initial_times.size()}, {"status", status}}},
      {"members", setup.config.ensemble.members},
      {"lead_times", setup.leads.size()},
      {"ranks", hosts.size()},
      {"hosts", hosts},
      {"resumed_initial_times", outcome.resumed},
      {"exit_code", static_cast<int>(outcome.code)},
      {"timings_by_rank", timings_json(outcome.timings)},
  };
  write_text_atomically(results.file("run.json"),
                        record.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

}  // namespace mosaic
