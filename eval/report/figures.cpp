#include "eval/report/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "eval/report/figure_parts.hpp"
#include "eval/report/report_tables.hpp"

namespace mosaic::eval {
namespace {

/// Leads on the axis: days, or hours if the last one is within two days.
struct LeadAxis {
  explicit LeadAxis(const Report& report) {
    const std::vector<Duration> leads = report.leads();
    in_days = leads.back() > Duration::days(2);
    first = place(leads.front());
    last = place(leads.back());
    for (const Duration lead : leads) {
      tics += fmt::format("{}{:g}", tics.empty() ? "" : ", ", place(lead));
    }
    constexpr std::size_t most_tics = 8;
    tics = leads.size() <= most_tics ? "set xtics (" + tics + ")" : "set xtics autofreq";
  }
  double place(Duration lead) const { return lead.in_hours() / (in_days ? 24.0 : 1.0); }
  std::string label() const { return in_days ? "lead time [days]" : "lead time [h]"; }
  std::string range() const {
    const double pad = last > first ? 0.03 * (last - first) : 1.0;
    return fmt::format("set xrange [{}:{}]\n{}", first - pad, last + pad, tics);
  }

  bool in_days = true;
  double first = 0, last = 0;
  std::string tics;
};

/// Models of published scores, in the order in which they come.
std::vector<std::string> published_models(const Report& report) {
  std::vector<std::string> models;
  for (const PublishedScore& row : report.published) {
    if (std::find(models.begin(), models.end(), row.model) == models.end()) {
      models.push_back(row.model);
    }
  }
  return models;
}

/// Runs and published models.
std::vector<LegendEntry> score_legend(const Report& report, const std::vector<Panel>& panels) {
  std::vector<LegendEntry> all = run_legend(report);
  const auto models = published_models(report);
  for (std::size_t m = 0; m < models.size(); ++m) {
    all.push_back({models[m], curve_colour(report.runs.size() + m), true});
  }
  return used_entries(all, panels);
}

constexpr const char* small_title = "set title font ',10'";

// --- scores by lead ---------------------------------------------------------------------------------------

/// What of a ScoreCell a panel shows.
enum class Shown { score, difference };

/// Nothing where it is not defined.
std::optional<Interval> shown_of(const ScoreCell* cell, Shown shown) {
  if (cell == nullptr) {
    return std::nullopt;
  }
  const std::optional<Interval> interval = shown == Shown::score ? cell->score : cell->difference;
  return interval && std::isfinite(interval->estimate) ? interval : std::nullopt;
}

void add_run_curves(Panel& panel, const Report& report, const LeadAxis& axis, const Channel& channel,
                    const std::string& metric, Shown shown) {
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    Curve curve{.colour = curve_colour(run)};
    for (const Duration lead : report.runs[run].options.leads) {
      if (const auto interval = shown_of(report.find({run, channel.name(), lead, metric}), shown)) {
        curve.x.push_back(axis.place(lead));
        curve.y.push_back(interval->estimate);
        curve.lower.push_back(interval->lower);
        curve.upper.push_back(interval->upper);
      }
    }
    if (!curve.x.empty()) {
      panel.curves.push_back(curve);
    }
  }
}

/// Only together with a run's own curve, and only leads within those of the runs.
void add_published_curves(Panel& panel, const Report& report, const LeadAxis& axis, const Channel& channel,
                          const std::string& metric) {
  const auto models = published_models(report);
  for (std::size_t m = 0; m < models.size() && !panel.curves.empty(); ++m) {
    Curve curve{.colour = curve_colour(report.runs.size() + m)};
    for (const PublishedScore& row : report.published) {
      const double place = axis.place(row.lead);
      if (row.model == models[m] && row.channel == channel && row.metric == metric && place >= axis.first &&
          place <= axis.last) {
        curve.style = row.approximate ? CurveStyle::marker : CurveStyle::dashed;
        curve.x.push_back(place);
        curve.y.push_back(row.value);
      }
    }
    if (curve.x.size() == 1) {
      curve.style = CurveStyle::marker;
    }
    if (!curve.x.empty()) {
      panel.curves.push_back(curve);
    }
  }
}

/// Nothing if no run has the score.
std::optional<Panel> score_panel(const Report& report, const LeadAxis& axis, const Channel& channel,
                                 const std::string& metric, const std::string& title,
                                 const std::string& unit) {
  Panel panel{title, axis.label(), unit, {axis.range()}, {}};
  add_run_curves(panel, report, axis, channel, metric, Shown::score);
  add_published_curves(panel, report, axis, channel, metric);
  return panel.curves.empty() ? std::nullopt : std::optional(panel);
}

/// A score that figures show against lead.
struct ShownScore {
  const char* metric;
  const char* title;
  bool has_unit;
  std::vector<double> levels;
};

/// Scores first, then their differences to the reference.
std::vector<Panel> score_panels(const Report& report, const LeadAxis& axis, const Channel& channel) {
  static const std::vector<ShownScore> scores = {{"ensemble_mean_rmse", "RMSE of ensemble mean", true, {}},
                                                 {"crps", "fair CRPS", true, {}},
                                                 {"bias", "bias", true, {0.0}},
                                                 {"acc", "ACC", false, {1.0}},
                                                 {"rps", "RPS", false, {}},
                                                 {"seeps", "SEEPS", false, {}}};
  const std::string unit = fmt::format("[{}]", unit_of(channel));
  std::vector<Panel> panels, differences;
  for (const ShownScore& score : scores) {
    const std::string label = score.has_unit ? unit : "";
    if (auto panel = score_panel(report, axis, channel, score.metric, score.title, label)) {
      panel->settings.emplace_back("set yrange [*<0:0<*]");
      panel->levels = score.levels;
      panels.push_back(*panel);
    }
    Panel difference{std::string(score.title) + " minus reference", axis.label(), label, {axis.range()}, {}};
    add_run_curves(difference, report, axis, channel, score.metric, Shown::difference);
    if (!difference.curves.empty()) {
      difference.settings.insert(difference.settings.end(), {"set yrange [*<0:0<*]", small_title});
      difference.levels = {0.0};
      differences.push_back(difference);
    }
  }
  panels.insert(panels.end(), differences.begin(), differences.end());
  return panels;
}

Figure score_figure(const Report& report, const LeadAxis& axis, const Channel& channel,
                    const std::string& prefix) {
  const std::vector<Panel> panels = score_panels(report, axis, channel);
  Figure figure{title_of(channel), score_legend(report, panels), "", ""};
  figure.caption = fmt::format("Region {}. Bands: {:g} % intervals over initial times (block bootstrap).",
                               report.region, 100.0 * report.options.bootstrap.confidence);
  if (report.reference) {
    figure.caption += " Differences are paired, over common initial times.";
  }
  if (!report.published.empty()) {
    figure.caption += " Dashed and crosses: published scores; crosses are approximate.";
  }
  if (!panels.empty()) {
    const int columns = report.runs.front().options.climatology ? 4 : 3;
    figure.svg = panels_svg(panels, columns, 1160 / columns, 300, prefix);
  }
  return figure;
}

std::optional<Figure> spread_figure(const Report& report, const LeadAxis& axis, const std::string& prefix) {
  std::vector<Panel> panels;
  for (const Channel& channel : report.channels) {
    if (auto panel = score_panel(report, axis, channel, "spread_skill_fortin", words_of(channel), "")) {
      panel->settings.emplace_back(small_title);
      panel->levels = {1.0};
      panel->settings.emplace_back("set yrange [0:1.2<*<3]");
      panels.push_back(*panel);
    }
  }
  if (panels.empty()) {
    return std::nullopt;
  }
  return Figure{"Spread-skill ratio", score_legend(report, panels),
                "sqrt((M + 1) / M) times ensemble standard deviation over RMSE of the ensemble mean: 1 (grey "
                "line) for a reliable ensemble, below it the ensemble is too sure. Region " +
                    report.region + ". Axes end at 3.",
                panels_svg(panels, 4, 290, 250, prefix)};
}

// --- rank histograms --------------------------------------------------------------------------------------

/// Relative frequencies times M + 1 of one lead and channel, ties split; nothing without counts.
std::optional<Curve> rank_curve(const RunResults& run, std::size_t lead, std::size_t channel) {
  const std::size_t bins = static_cast<std::size_t>(run.members()) + 1;
  const std::size_t kind = static_cast<std::size_t>(kernels::RankCount::ties_split);
  Curve curve{.colour = {}, .style = CurveStyle::steps};
  curve.y.resize(bins);
  double total = 0.0;
  for (const InitTimeSums& sums : run.sums) {
    if (sums.scored[lead] == 0) {
      continue;
    }
    const std::size_t from = (lead * sums.channels.size() + channel) * sums.rank_numbers() + kind * bins;
    for (std::size_t bin = 0; bin < bins; ++bin) {
      curve.y[bin] += sums.ranks[from + bin];
      total += sums.ranks[from + bin];
    }
  }
  for (std::size_t bin = 0; bin < bins; ++bin) {
    curve.x.push_back((static_cast<double>(bin) + 0.5) / static_cast<double>(bins));
    curve.y[bin] *= static_cast<double>(bins) / total;
  }
  return total > 0.0 ? std::optional(curve) : std::nullopt;
}

Panel rank_panel(const Report& report, const Channel& channel, Duration lead) {
  Panel panel{fmt::format("{}, {}", words_of(channel), lead_text(lead)),
              "rank of truth / (M + 1)",
              "",
              {"set xrange [0:1]", "set yrange [0:*]", small_title},
              {},
              {1.0}};
  for (std::size_t r = 0; r < report.runs.size(); ++r) {
    const RunResults& run = report.runs[r];
    const auto c = std::find(run.options.channels.begin(), run.options.channels.end(), channel);
    const auto l = std::find(run.options.leads.begin(), run.options.leads.end(), lead);
    if (run.members() < 2 || c == run.options.channels.end() || l == run.options.leads.end()) {
      continue;
    }
    if (auto curve = rank_curve(run, static_cast<std::size_t>(l - run.options.leads.begin()),
                                static_cast<std::size_t>(c - run.options.channels.begin()))) {
      curve->colour = curve_colour(r);
      panel.curves.push_back(*curve);
    }
  }
  return panel;
}

std::optional<Figure> rank_figure(const Report& report, const std::string& prefix) {
  std::vector<Panel> panels;
  for (const Channel& channel : report.channels) {
    for (const Duration lead : outer_leads(report)) {
      Panel panel = rank_panel(report, channel, lead);
      if (!panel.curves.empty()) {
        panels.push_back(panel);
      }
    }
  }
  if (panels.empty()) {
    return std::nullopt;
  }
  return Figure{"Rank histograms", used_entries(run_legend(report), panels),
                "Rank of the truth among the members, first and last lead; frequency over its mean, 1 (grey "
                "line) for a reliable ensemble. Points of the whole grid without area weights, ties split.",
                panels_svg(panels, 4, 290, 250, prefix)};
}

}  // namespace

std::vector<Figure> report_figures(const Report& report) {
  std::vector<Figure> figures;
  const auto prefix = [&] { return fmt::format("figure{}-", figures.size()); };
  const auto add = [&](std::optional<Figure> figure) {
    if (figure && !figure->svg.empty()) {
      figures.push_back(std::move(*figure));
    }
  };
  const LeadAxis axis(report);
  for (const Channel& channel : report.channels) {
    add(score_figure(report, axis, channel, prefix()));
  }
  add(spread_figure(report, axis, prefix()));
  add(rank_figure(report, prefix()));
  for (Figure& figure : spectrum_figures(report)) {
    figures.push_back(std::move(figure));
  }
  for (Figure& figure : map_figures(report)) {
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace mosaic::eval
