#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "forecast/hindcast.hpp"
#include "forecast/score_results.hpp"

namespace mosaic {

namespace {

nlohmann::json timings_json(const std::vector<HindcastTimings>& timings) {
  nlohmann::json list = nlohmann::json::array();
  for (const HindcastTimings& t : timings) {
    list.push_back({{"read_s", t.read},
                    {"compute_s", t.compute},
                    {"exchange_s", t.exchange},
                    {"score_s", t.score},
                    {"write_s", t.write},
                    {"idle_s", t.idle}});
  }
  return list;
}

}  // namespace

void write_run_record(const HindcastSetup& setup, const ResultsFolder& results, JobInFolder& job,
                      const HindcastOutcome& outcome, const std::vector<std::string>& hosts,
                      const std::string& configuration) {
  const ModelInfo& model = setup.model->info();
  std::vector<std::string> audited;
  for (const Time time : outcome.audited) {
    audited.push_back(to_string(time));
  }
  const nlohmann::json run = {
      {"program", version_text()},
      {"configuration", configuration},
      {"identity", setup.identity},
      {"model", {{"name", model.name}, {"description", model.description}, {"identity", model.identity}}},
      {"input", {{"path", setup.input->path()}, {"identity", setup.input->identity()}}},
      {"truth", {{"path", setup.truth->path()}, {"identity", setup.truth->identity()}}},
      {"initial_times",
       {{"count", setup.initial_times.size()},
        {"status", status_json(setup.initial_times, outcome, results)}}},
      {"members", setup.config.ensemble.members},
      {"lead_times", setup.leads.size()},
      {"repeat", repeat_command(setup, results)},
  };
  nlohmann::json this_job = job_json(job, outcome, hosts);
  this_job["groups"] = outcome.groups;
  this_job["audited_initial_times"] = audited;
  this_job["timings_by_rank"] = timings_json(outcome.timings);
  write_records(results, job, run, this_job);
}

std::string repeat_command(const HindcastSetup& setup, const ResultsFolder& results) {
  const auto& ensemble = setup.config.ensemble;
  return fmt::format(
      "mosaic_hindcast --repeat {} --initial-time {} --lead-time {} --set ensemble.first_member={} --members "
      "1 --out FOLDER",
      results.file("run.json"), to_string(setup.initial_times.front()), to_string(setup.leads.front()),
      ensemble.first_member + ensemble.members - 1);
}

}  // namespace mosaic
