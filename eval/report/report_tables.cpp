#include "eval/report/report_tables.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/version.hpp"
#include "eval/report/run_spectra.hpp"

namespace mosaic::eval {
namespace {

constexpr const char* nothing = "–";

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.4g}", value) : nothing; }

/// Those shown in tables.
std::vector<Duration> table_leads(const std::vector<Duration>& all) {
  constexpr std::size_t most = 12;
  if (all.size() <= most) {
    return all;
  }
  std::vector<Duration> some;
  for (const int days : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15}) {
    if (std::find(all.begin(), all.end(), Duration::days(days)) != all.end()) {
      some.push_back(Duration::days(days));
    }
  }
  return some.empty() ? std::vector<Duration>(all.begin(), all.begin() + most) : some;
}

const std::string& heading_of(const std::string& metric) {
  static const std::map<std::string, std::string> headings = {{"ensemble_mean_rmse", "RMSE of ensemble mean"},
                                                              {"crps", "fair CRPS"},
                                                              {"spread_skill_fortin", "spread-skill ratio"},
                                                              {"bias", "bias"},
                                                              {"acc", "ACC"},
                                                              {"ensemble_stddev", "ensemble stddev"},
                                                              {"spread_skill_raw", "raw ratio"},
                                                              {"spread_skill_unbiased", "unbiased ratio"}};
  return headings.at(metric);
}

// --- notes ------------------------------------------------------------------------------------------------

std::string run_note(const RunResults& run) {
  std::string averages = run.options.time_mean == TimeMeanKind::pooled
                             ? "every valid cell counts by its weight"
                             : "every initial time counts the same";
  if (run.options.missing == kernels::MissingValues::skip) {
    averages += ", missing values left out";
  }
  return fmt::format("{}{}: grid {}; {} member{}; {} initial times, {}; truth {}; {}", run.label,
                     run.finished ? "" : " (NOT FINISHED)",
                     run.grid.empty() ? "not stated by an unfinished run" : run.grid, run.members(),
                     run.members() == 1 ? "" : "s", run.sums.size(), run.period(), run.truth, averages);
}

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
    note += fmt::format(" ({} to {} initial times)", shortest, longest);
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
      std::vector<std::string> row = {first ? title_of(channel) : "", lead_text(lead), nothing};
      bool there = false;
      for (const std::string& metric : metrics) {
        const ScoreCell* cell = report.find({run, channel.name(), lead, metric});
        const Interval* interval = cell == nullptr ? nullptr : of(*cell);
        row.push_back(interval == nullptr ? nothing : show(*interval));
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

void add_lead_note(Table& table, const std::vector<Duration>& leads) {
  const auto shown = table_leads(leads);
  if (shown.size() < leads.size()) {
    table.notes.push_back(
        fmt::format("{} of {} lead times; --json has all of them", shown.size(), leads.size()));
  }
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

Table score_table_of(const Report& report, std::size_t run, const std::string& title, const Columns& wanted) {
  const Columns metrics = metrics_of(report, run, wanted);
  Table table{title + " of " + report.runs[run].label, headings(metrics), {}, score_notes(report, {run})};
  add_rows(table, report, run, metrics, text_of, [](const ScoreCell& cell) { return &cell.score; });
  add_lead_note(table, report.runs[run].options.leads);
  return table;
}

Table difference_table(const Report& report, std::size_t run) {
  const Columns metrics = metrics_of(report, run, headline_metrics);
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
         (row.approximate ? "about " : "") + number(row.value),
         row.approximate ? nothing : number(ours.estimate - row.value) + (beyond ? " *" : "")});
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

// --- spectral fidelity ------------------------------------------------------------------------------------

/// Some degrees up to the last trusted one.
std::vector<std::size_t> shown_degrees(std::size_t lmax) {
  std::vector<std::size_t> degrees;
  for (const std::size_t degree : {10, 20, 40, 80}) {
    if (degree < last_trusted_degree(lmax)) {
      degrees.push_back(degree);
    }
  }
  degrees.push_back(last_trusted_degree(lmax));
  return degrees;
}

std::string with_deviation(double value, double deviation) {
  return std::isnan(value)       ? nothing
         : std::isnan(deviation) ? fmt::format("{:.3f}", value)
                                 : fmt::format("{:.3f} ± {:.3f}", value, deviation);
}

std::string resolution_text(const DegreeCurves& curves) {
  const DegreeRange range = judged_degrees(curves.lmax());
  const auto reached = effective_resolution(curves.ratio.of_means, range);
  if (!reached) {
    return fmt::format("< {}", range.first);
  }
  return fmt::format("{}{} ({:.0f} km)", *reached == range.last ? "≥ " : "", *reached,
                     wavelength_of_degree(*reached));
}

std::string bump_text(const DegreeCurves& curves) {
  if (curves.lmax() < 9) {
    return nothing;
  }
  const GridScaleBump ours = grid_scale_bump(curves.members), truth = grid_scale_bump(curves.truth);
  if (std::isnan(ours.excess)) {
    return nothing;
  }
  return fmt::format("{}{:+.1f} dB (truth {:+.1f})", ours.bump ? "BUMP " : "", ours.excess, truth.excess);
}

std::vector<std::string> spectral_row(const DegreeCurves& curves) {
  const DegreeRange range = judged_degrees(curves.lmax());
  const auto distance = [&](const std::vector<double>& spectrum) {
    const double value = log_spectral_distance(spectrum, curves.truth, range);
    return std::isnan(value) ? std::string(nothing) : fmt::format("{:.2f}", value);
  };
  std::vector<std::string> row = {std::to_string(curves.initial_times), resolution_text(curves),
                                  distance(curves.members), distance(curves.ensemble_mean)};
  const auto damping = degree_ratio(curves.ensemble_mean, curves.truth);
  for (const std::size_t degree : shown_degrees(curves.lmax())) {
    row.push_back(with_deviation(curves.ratio.of_means[degree], curves.ratio.deviation[degree]));
    row.push_back(std::isnan(damping[degree]) ? nothing : fmt::format("{:.3f}", damping[degree]));
  }
  row.push_back(bump_text(curves));
  return row;
}

std::vector<std::string> spectral_notes(const RunResults& run, std::size_t lmax) {
  const DegreeRange range = judged_degrees(lmax);
  const RatioBand band;
  return {
      run_note(run),
      fmt::format("spectra by spherical-harmonic degree l of the whole globe, exact analysis, no area "
                  "weights; wavelength {:.0f} km / l; judged are degrees {} to {}: beyond, the grid folds "
                  "back what it cannot hold",
                  wavelength_of_degree(1), range.first, range.last),
      "M/T: mean of the members' spectra over that of the truth, ± standard deviation of the ratios of "
      "initial times; E/T: spectrum of the ensemble mean over the truth's (damping by averaging)",
      fmt::format("effective resolution: largest l to which M/T stays between {} and {}; LSD: log-spectral "
                  "distance, members and ensemble mean (E); grid scale: excess over a power law at the "
                  "smallest scales, a bump above {:g} dB",
                  band.lower, band.upper, bump_threshold)};
}

Table spectral_table(const RunResults& run) {
  const SpectraByDegree& spectra = run.sums.front().by_degree;
  const std::size_t lmax = spectra.degrees - 1;
  Table table{"Spectral fidelity of " + run.label,
              {"quantity", "lead", "N", "effective resolution", "LSD [dB]", "LSD E [dB]"},
              {},
              spectral_notes(run, lmax)};
  for (const std::size_t degree : shown_degrees(lmax)) {
    table.columns.push_back(fmt::format("M/T l={}", degree));
    table.columns.push_back(fmt::format("E/T l={}", degree));
  }
  table.columns.emplace_back("grid scale");
  for (std::size_t q = 0; q < spectra.quantities.size(); ++q) {
    const Channel quantity{spectra.quantities[q].variable, spectra.quantities[q].level};
    bool first = true;
    for (const Duration lead : table_leads(run.options.leads)) {
      const auto place = std::find(run.options.leads.begin(), run.options.leads.end(), lead);
      const auto curves = degree_curves(run, static_cast<std::size_t>(place - run.options.leads.begin()), q);
      if (curves) {
        std::vector<std::string> row = {first ? quantity.name() : "", lead_text(lead)};
        const auto rest = spectral_row(*curves);
        row.insert(row.end(), rest.begin(), rest.end());
        table.rows.push_back(row);
        first = false;
      }
    }
  }
  add_lead_note(table, run.options.leads);
  return table;
}

}  // namespace

std::string text_of(const Interval& interval) {
  if (std::isnan(interval.estimate)) {
    return nothing;
  }
  const std::string value = number(interval.estimate);
  return interval.exists() ? fmt::format("{} [{}, {}]", value, number(interval.lower), number(interval.upper))
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
  if (!report.published.empty()) {
    tables.push_back(published_table(report, 0));
  }
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    if (report.runs[run].members() > 1) {
      tables.push_back(score_table_of(report, run, "Spread and skill", spread_metrics));
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
