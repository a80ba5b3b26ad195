#include <cmath>
#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "eval/report/report_tables.hpp"

namespace mosaic::eval {
namespace {

using nlohmann::json;

json finite(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

json interval_json(const Interval& interval) {
  return {{"value", finite(interval.estimate)},
          {"lower", finite(interval.lower)},
          {"upper", finite(interval.upper)},
          {"initial_times", interval.initial_times},
          {"block_length", interval.block_length}};
}

json run_json(const RunResults& run) {
  return {{"label", run.label},
          {"folder", run.folder},
          {"finished", run.finished},
          {"initial_times", run.sums.size()},
          {"planned_initial_times", run.planned == 0 ? json(nullptr) : json(run.planned)},
          {"first_initial_time", to_string(run.sums.front().initial_time)},
          {"last_initial_time", to_string(run.sums.back().initial_time)},
          {"members", run.members()},
          {"grid", run.grid.empty() ? json(nullptr) : json(run.grid)},
          {"truth", run.truth}};
}

json score_json(const Report& report, const ScoreKey& key, const ScoreCell& cell) {
  json row = interval_json(cell.score);
  row["run"] = report.runs[key.run].label;
  row["channel"] = key.channel;
  row["lead_time_h"] = key.lead.in_hours();
  row["metric"] = key.metric;
  if (cell.difference) {
    row["difference"] = interval_json(*cell.difference);
    row["difference"]["reference"] = report.runs[*report.reference].label;
    row["difference"]["excludes_zero"] = cell.difference->excludes(0.0);
  }
  return row;
}

json published_json(const PublishedScore& row) {
  return {{"model", row.model},
          {"year", row.year},
          {"truth", row.truth},
          {"grid", row.grid},
          {"members", row.members ? json(*row.members) : json(nullptr)},
          {"channel", row.channel.name()},
          {"metric", row.metric},
          {"lead_time_h", row.lead.in_hours()},
          {"value", row.value},
          {"approximate", row.approximate}};
}

}  // namespace

std::string report_json(const Report& report) {
  const BootstrapOptions& options = report.options.bootstrap;
  json document = {
      {"program", version_text()},  {"region", report.region}, {"confidence", options.confidence},
      {"samples", options.samples}, {"seed", options.seed},    {"remarks", report.remarks},
      {"runs", json::array()},      {"scores", json::array()}, {"published", json::array()}};
  for (const RunResults& run : report.runs) {
    document["runs"].push_back(run_json(run));
  }
  for (const auto& [key, cell] : report.scores) {
    document["scores"].push_back(score_json(report, key, cell));
  }
  for (const PublishedScore& row : report.published) {
    document["published"].push_back(published_json(row));
  }
  return document.dump(1) + "\n";
}

}  // namespace mosaic::eval
