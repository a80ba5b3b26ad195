#include "eval/report/report_tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

#include "base/version.hpp"
#include "eval/report/table_parts.hpp"

namespace mosaic::eval {
namespace {

const std::string& heading_of(const std::string& metric) {
  static const std::map<std::string, std::string> headings = {
      {"ensemble_mean_rmse", "RMSE of ensemble mean"},
      {"crps", "fair CRPS"},
      {"spread_skill_fortin", "spread-skill ratio"},
      {"bias", "bias"},
      {"acc", "ACC"},
      {"ensemble_stddev", "ensemble stddev"},
      {"spread_skill_raw", "raw ratio"},
      {"spread_skill_unbiased", "unbiased ratio"},
      {"rps", "RPS"},
      {"seeps", "SEEPS of members"},
      {"ensemble_mean_seeps", "SEEPS of ensemble mean"}};
  return headings.at(metric);
}

// --- notes ------------------------------------------------------------------------------------------------

std::string weights_note(const Report& report) {
  return fmt::format(
      "region {}; weights: sine of latitude between cell edges half way in angle, closed at the poles",
      report.region);
}

std::string interval_note(const Report& report) {
  const BootstrapOptions& options = report.options.bootstrap;
  std::size_t shortest = 0, longest = 0;
  for (const auto& [key, cell] : report.scores) {
    if (cell.score.exists()) {
      shortest = shortest == 0 ? cell.score.block_length : std::min(shortest, cell.score.block_length);
      longest = std::max(longest, cell.score.block_length);
    }
  }
  std::string note = fmt::format(
      "[ ]: {:g} % interval over initial times, circular block bootstrap, percentiles of {} samples, seed "
      "{}, "
      "automatic block length",
      100.0 * options.confidence, options.samples, options.seed);
  if (longest > 0) {
    note += fmt::format(" (here {}{})", shortest,
                        longest > shortest ? fmt::format(" to {}", longest) : std::string());
  }
  const auto fewest =
      std::min_element(report.runs.begin(), report.runs.end(),
                       [](const auto& a, const auto& b) { return a.sums.size() < b.sums.size(); });
  if (fewest->sums.size() < fewest_initial_times) {
    note += fmt::format("; no interval with fewer than {} initial times", fewest_initial_times);
  } else if (fewest->sums.size() < 20) {
    note += "; with fewer than 20 initial times these intervals are too narrow";
  }
  return note;
}

constexpr const char* score_note =
    "N: initial times with a truth; RMSE: root after the mean over initial times; CRPS: fair, skill - spread "
    "/ "
    "2 with the spread over pairs of different members; bias: forecast minus truth; –: not defined";
constexpr const char* ratio_note =
    "spread-skill ratio: sqrt((M + 1) / M) ensemble stddev / RMSE of ensemble mean, 1 for a reliable "
    "ensemble; "
    "undefined for one member";
constexpr const char* acc_note = "ACC: of the ensemble mean, mean over initial times";

// --- scores -----------------------------------------------------------------------------------------------

using Columns = std::vector<std::string>;  // names of metrics

/// Those metrics that the run has anywhere.
Columns metrics_of(const Report& report, std::size_t run, const Columns& wanted) {
  Columns there;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(there), [&](const std::string& metric) {
    return std::any_of(report.scores.begin(), report.scores.end(), [&](const auto& entry) {
      return entry.first.run == run && entry.first.metric == metric;
    });
  });
  return there;
}

/// Rows channel x lead; `show` makes a cell of what was computed, N is that of `of`.
template <class Show, class Of>
void add_rows(Table& table, const Report& report, std::size_t run, const Columns& metrics, const Show& show,
              const Of& of) {
  for (const Channel& channel : report.channels) {
    bool first = true;
    for (const Duration lead : table_leads(report.runs[run].options.leads)) {
      std::vector<std::string> row = {first ? title_of(channel) : "", lead_text(lead), no_number};
      bool there = false;
      for (const std::string& metric : metrics) {
        const ScoreCell* cell = report.find({run, channel.name(), lead, metric});
        const Interval* interval = cell == nullptr ? nullptr : of(*cell);
        row.push_back(interval == nullptr ? no_number : show(*interval));
        if (interval != nullptr) {
          there = true;
          row[2] = std::to_string(interval->initial_times);
        }
      }
      if (there) {
        table.rows.push_back(row);
        first = false;
      }
    }
  }
}

std::vector<std::string> headings(const Columns& metrics) {
  std::vector<std::string> columns = {"channel", "lead", "N"};
  for (const std::string& metric : metrics) {
    columns.push_back(heading_of(metric));
  }
  return columns;
}

std::vector<std::string> score_notes(const Report& report, const std::vector<std::size_t>& runs) {
  std::vector<std::string> notes;
  for (const std::size_t run : runs) {
    notes.push_back(run_note(report.runs[run]));
  }
  notes.push_back(weights_note(report));
  notes.emplace_back(score_note);
  notes.emplace_back(ratio_note);
  if (report.runs[runs.front()].options.climatology) {
    notes.emplace_back(acc_note);
  }
  notes.push_back(interval_note(report));
  return notes;
}

const Columns headline_metrics = {"ensemble_mean_rmse", "crps", "spread_skill_fortin", "bias", "acc"};
const Columns spread_metrics = {"ensemble_mean_rmse", "ensemble_stddev", "spread_skill_raw",
                                "spread_skill_fortin", "spread_skill_unbiased"};

const Columns climate_metrics = {"rps", "seeps", "ensemble_mean_seeps"};

Table score_table_of(const Report& report, std::size_t run, const std::string& title, const Columns& wanted) {
  const Columns metrics = metrics_of(report, run, wanted);
  Table table{title + " of " + report.runs[run].label, headings(metrics), {}, score_notes(report, {run})};
  add_rows(table, report, run, metrics, text_of, [](const ScoreCell& cell) { return &cell.score; });
  add_lead_note(table, report.runs[run].options.leads);
  return table;
}

/// Scores against climatological quantiles; nothing if the run has none.
std::optional<Table> climate_table(const Report& report, std::size_t run) {
  if (metrics_of(report, run, climate_metrics).empty()) {
    return std::nullopt;
  }
  Table table = score_table_of(report, run, "RPS and SEEPS", climate_metrics);
  std::vector<std::string> percentiles;
  for (const double quantile : report.runs[run].sums.front().thresholds.quantiles) {
    percentiles.push_back(fmt::format("{:g}", 100.0 * quantile));
  }
  if (!percentiles.empty()) {
    table.notes.push_back(fmt::format(
        "RPS: sum over the climatological percentiles {} of (part of the members below it - 1 if the truth "
        "is)^2; differences only between runs with the same percentiles",
        fmt::join(percentiles, ", ")));
  }
  table.notes.emplace_back(
      "SEEPS: of dry, light and heavy precipitation, where the climatological dry fraction is 0.1 to 0.85; "
      "0 is perfect, 1 a constant forecast");
  return table;
}

Table difference_table(const Report& report, std::size_t run) {
  Columns wanted = headline_metrics;
  wanted.insert(wanted.end(), climate_metrics.begin(), climate_metrics.end());
  const Columns metrics = metrics_of(report, run, wanted);
  Table table{
      fmt::format("Differences: {} minus {}", report.runs[run].label, report.runs[*report.reference].label),
      headings(metrics),
      {},
      score_notes(report, {run, *report.reference})};
  add_rows(
      table, report, run, metrics,
      [](const Interval& interval) { return text_of(interval) + (interval.excludes(0.0) ? " *" : ""); },
      [](const ScoreCell& cell) { return cell.difference ? &*cell.difference : nullptr; });
  table.notes.emplace_back(
      "over common initial times, the same ones drawn for both; *: the interval excludes 0 (each cell by "
      "itself: of many without any difference, some are marked)");
  add_lead_note(table, report.runs[run].options.leads);
  return table;
}

// --- published scores -------------------------------------------------------------------------------------

Table published_table(const Report& report, std::size_t run) {
  Table table{"Published scores beside " + report.runs[run].label,
              {"channel", "lead", "score", "this run", "model", "published", "difference"},
              {},
              score_notes(report, {run})};
  std::string truths;
  for (const PublishedScore& row : report.published) {
    const ScoreCell* cell = report.find({run, row.channel.name(), row.lead, row.metric});
    if (cell == nullptr) {
      continue;
    }
    const Interval& ours = cell->score;
    const bool beyond = !row.approximate && ours.exists() && ours.excludes(row.value);
    table.rows.push_back(
        {title_of(row.channel), lead_text(row.lead), heading_of(row.metric), text_of(ours),
         row.model + (row.members ? fmt::format(" (M = {})", *row.members) : ""),
         (row.approximate ? "about " : "") + number_text(row.value),
         row.approximate ? no_number : number_text(ours.estimate - row.value) + (beyond ? " *" : "")});
    if (truths.find(row.truth) == std::string::npos) {
      truths += (truths.empty() ? "" : ", ") + row.truth;
    }
  }
  table.notes.push_back(
      fmt::format("published: same grid and year, region global, truth {}; whether the truth of this run "
                  "({}) is that one "
                  "cannot be told from its files, nor whether the initial times are the same",
                  truths.empty() ? "not stated" : truths, report.runs[run].truth));
  table.notes.emplace_back(
      "*: the interval of this run excludes the published value, whose own uncertainty is not known");
  table.notes.emplace_back("about: read off a figure or a web page, of unknown definition: a marker only");
  return table;
}

}  // namespace

std::string text_of(const Interval& interval) {
  if (std::isnan(interval.estimate)) {
    return no_number;
  }
  const std::string value = number_text(interval.estimate);
  return interval.exists()
             ? fmt::format("{} [{}, {}]", value, number_text(interval.lower), number_text(interval.upper))
             : value;
}

std::string lead_text(Duration lead) { return fmt::format("{:g} h", lead.in_hours()); }

std::string title_of(const Channel& channel) {
  std::string words = channel.variable;
  std::replace(words.begin(), words.end(), '_', ' ');
  return fmt::format("{}{} [{}]", words, channel.level ? fmt::format(" {} hPa", *channel.level) : "",
                     unit_of(channel));
}

std::vector<Table> report_tables(const Report& report) {
  std::vector<Table> tables;
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    tables.push_back(score_table_of(report, run, "Headline scores", headline_metrics));
  }
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    if (report.has_difference(run)) {
      tables.push_back(difference_table(report, run));
    }
  }
  for (std::size_t run = 0; run < report.runs.size() && !report.published.empty(); ++run) {
    tables.push_back(published_table(report, run));
  }
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    if (report.runs[run].members() > 1) {
      tables.push_back(score_table_of(report, run, "Spread and skill", spread_metrics));
    }
  }
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    if (auto table = climate_table(report, run)) {
      tables.push_back(std::move(*table));
    }
  }
  for (const RunResults& run : report.runs) {
    if (run.sums.front().by_degree.degrees > 1) {
      tables.push_back(spectral_table(run));
    }
  }
  return tables;
}

std::string report_terminal(const Report& report) {
  std::string text;
  for (const std::string& remark : report.remarks) {
    text += "NOTE: " + remark + "\n";
  }
  text += text.empty() ? "" : "\n";
  for (const Table& table : report_tables(report)) {
    text += terminal_text(table);
  }
  return text;
}

std::string report_markdown(const Report& report) {
  std::string text = fmt::format("# Forecast verification: {}\n\n", report.runs.front().label);
  for (const std::string& remark : report.remarks) {
    text += fmt::format("**Note:** {}\n\n", remark);
  }
  for (const Table& table : report_tables(report)) {
    text += markdown_text(table);
  }
  return text + fmt::format("Made by mosaic_report, {}\n", version_text());
}

}  // namespace mosaic::eval
