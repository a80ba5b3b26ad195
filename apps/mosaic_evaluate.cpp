// Scores of forecasts that exist, over the ranks of a job.
#include <fmt/format.h>

#include <string>

#include "apps/campaign_program.hpp"
#include "base/version.hpp"
#include "forecast/evaluation.hpp"
#include "forecast/score_results.hpp"
#include "stores/netcdf_probe.hpp"

namespace {

using namespace mosaic;

/// On rank 0: says how it went and makes the scores.
void report(const EvaluationSetup& setup, const ResultsFolder& results, JobInFolder& job,
            const EvaluationOutcome& outcome) {
  if (!report_end(outcome, results.path())) {
    return;
  }
  const std::string table = finish_results(setup.initial_times, setup.score, results, job);
  const EvaluationTimings& timings = outcome.timings;
  fmt::print(
      "{}\ntime over all ranks: read {:.1f} s (and {:.1f} s while scoring), score {:.1f} s, write {:.1f} s, "
      "idle {:.1f} s\n{}",
      table, timings.read, timings.background, timings.score, timings.write, timings.idle,
      end_text(outcome, job.shard(), results.path(), !table.empty()));
}

int evaluate(const EvaluationConfig& config, const ConfigSchema& schema, const CampaignCommand& line,
             const Shard& shard) {
  const CampaignJob<EvaluationSetup, EvaluationOutcome> job = {
      .probe = [&] { probe_evaluation_input(config); },
      .set_up = [&] { return set_up_evaluation(config); },
      .plan = evaluation_plan,
      .line =
          [](const EvaluationSetup& setup, int ranks) {
            return fmt::format("{} initial times, {} members, {} lead times of {} on {} ranks",
                               setup.initial_times.size(), setup.forecast->members(), setup.leads.size(),
                               setup.forecast->path(), ranks);
          },
      .work = run_evaluation,
      .report = report};
  return run_job(job, line, schema, config.folder, config.log.level, shard);
}

int run(int argc, char** argv) {
  CLI::App app{"Scores of existing forecasts against a truth, as WeatherBench 2 defines them"};
  app.set_version_flag("--version", version_text());
  app.footer(
      "Example:\n  mpirun -n 4 mosaic_evaluate --forecast ens_2020.zarr --truth era5.zarr --out scores "
      "--set score.channels=geopotential_500,2m_temperature");
  CampaignCommand line;
  declare(app, line, "config/reference_evaluate.yaml",
          {{"--forecast", "forecast.path"},
           {"--truth", "truth.path"},
           {"--climatology", "climatology.path"},
           {"--start", "times.start"},
           {"--end", "times.end"},
           {"--out", "output.folder"}});
  if (const auto code = end_of_parsing(app, argc, argv)) {
    return *code;
  }
  const CampaignProgram<EvaluationConfig> program = {
      .add_keys = add_evaluation_keys,
      .read =
          [&](ConfigSchema& schema, const EvaluationConfig& config) {
            read_configuration(schema, line);
            check_consistency(config);
          },
      .folder = [](const EvaluationConfig& config) { return config.folder; },
      .run = [&](const EvaluationConfig& config, const ConfigSchema& schema,
                 const Shard& shard) { return evaluate(config, schema, line, shard); }};
  return run_program(program, line);
}

}  // namespace

int main(int argc, char** argv) {
  if (const auto code = mosaic::run_netcdf_probe(argc, argv)) {
    return *code;
  }
  return mosaic::run_app(argc, argv, run);
}
