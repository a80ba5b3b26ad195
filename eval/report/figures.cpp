#include "eval/report/figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <set>

#include "eval/report/plot_panels.hpp"
#include "eval/report/report_tables.hpp"
#include "eval/report/run_spectra.hpp"

namespace mosaic::eval {
namespace {

/// Told apart with every kind of colour vision (Okabe and Ito).
const std::string& colour_of(std::size_t i) {
  static const std::array<std::string, 7> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                     "#e69f00", "#56b4e9", "#777777"};
  return colours[i % colours.size()];
}

constexpr const char* truth_colour = "#000000";
constexpr const char* mark = "nohead back lc rgb '#888888' lw 1";

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

std::vector<LegendEntry> run_legend(const Report& report) {
  std::vector<LegendEntry> legend;
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    const RunResults& results = report.runs[run];
    legend.push_back({results.label + (results.finished ? "" : " (not finished)") +
                          (report.reference == run ? " (reference)" : ""),
                      colour_of(run)});
  }
  return legend;
}

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

/// Those entries whose colour is in any of the panels.
std::vector<LegendEntry> used_entries(const std::vector<LegendEntry>& all, const std::vector<Panel>& panels) {
  std::set<std::string> colours;
  for (const Panel& panel : panels) {
    for (const Curve& curve : panel.curves) {
      colours.insert(curve.colour);
    }
  }
  std::vector<LegendEntry> used;
  std::copy_if(all.begin(), all.end(), std::back_inserter(used),
               [&](const LegendEntry& entry) { return colours.contains(entry.colour); });
  return used;
}

/// Runs and published models.
std::vector<LegendEntry> score_legend(const Report& report, const std::vector<Panel>& panels) {
  std::vector<LegendEntry> all = run_legend(report);
  const auto models = published_models(report);
  for (std::size_t m = 0; m < models.size(); ++m) {
    all.push_back({models[m], colour_of(report.runs.size() + m), true});
  }
  return used_entries(all, panels);
}

/// The title without its unit.
std::string words_of(const Channel& channel) {
  const std::string title = title_of(channel);
  return title.substr(0, title.find(" ["));
}

constexpr const char* small_title = "set title font ',10'";

// --- scores by lead ---------------------------------------------------------------------------------------

void add_run_curves(Panel& panel, const Report& report, const LeadAxis& axis, const Channel& channel,
                    const std::string& metric) {
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    Curve curve{.colour = colour_of(run)};
    for (const Duration lead : report.runs[run].options.leads) {
      const ScoreCell* cell = report.find({run, channel.name(), lead, metric});
      if (cell != nullptr && std::isfinite(cell->score.estimate)) {
        curve.x.push_back(axis.place(lead));
        curve.y.push_back(cell->score.estimate);
        curve.lower.push_back(cell->score.lower);
        curve.upper.push_back(cell->score.upper);
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
    Curve curve{.colour = colour_of(report.runs.size() + m)};
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
  add_run_curves(panel, report, axis, channel, metric);
  add_published_curves(panel, report, axis, channel, metric);
  return panel.curves.empty() ? std::nullopt : std::optional(panel);
}

Figure score_figure(const Report& report, const LeadAxis& axis, const Channel& channel,
                    const std::string& prefix) {
  std::vector<Panel> panels;
  const auto add = [&](const char* metric, const char* title, const std::string& unit,
                       const std::vector<double>& levels) {
    if (auto panel = score_panel(report, axis, channel, metric, title, unit)) {
      panel->settings.emplace_back("set yrange [*<0:0<*]");
      panel->levels = levels;
      panels.push_back(*panel);
    }
  };
  const std::string unit = fmt::format("[{}]", unit_of(channel));
  add("ensemble_mean_rmse", "RMSE of ensemble mean", unit, {});
  add("crps", "fair CRPS", unit, {});
  add("bias", "bias", unit, {0.0});
  add("acc", "ACC", "", {1.0});
  Figure figure{title_of(channel), score_legend(report, panels), "", ""};
  figure.caption = fmt::format("Region {}. Bands: {:g} % intervals over initial times (block bootstrap).",
                               report.region, 100.0 * report.options.bootstrap.confidence);
  if (!report.published.empty()) {
    figure.caption += " Dashed and crosses: published scores; crosses are approximate.";
  }
  if (!panels.empty()) {
    const int columns = std::max(3, static_cast<int>(panels.size()));
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
      curve->colour = colour_of(r);
      panel.curves.push_back(*curve);
    }
  }
  return panel;
}

/// First and last of the leads that all runs have; of all leads if they have none in common.
std::vector<Duration> outer_leads(const Report& report) {
  std::vector<Duration> leads = report.leads(), common;
  std::copy_if(leads.begin(), leads.end(), std::back_inserter(common), [&](Duration lead) {
    return std::all_of(report.runs.begin(), report.runs.end(), [&](const RunResults& run) {
      return std::find(run.options.leads.begin(), run.options.leads.end(), lead) != run.options.leads.end();
    });
  });
  leads = common.empty() ? leads : common;
  return leads.size() > 1 ? std::vector{leads.front(), leads.back()} : leads;
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

// --- spectra ----------------------------------------------------------------------------------------------

/// One quantity of one run.
struct RunCurves {
  std::size_t run;
  DegreeCurves curves;
};

std::vector<RunCurves> curves_of(const Report& report, const Channel& quantity, Duration lead) {
  std::vector<RunCurves> found;
  for (std::size_t r = 0; r < report.runs.size(); ++r) {
    const RunResults& run = report.runs[r];
    const auto& quantities = run.sums.front().by_degree.quantities;
    const auto q = std::find_if(quantities.begin(), quantities.end(), [&](const SpectrumQuantity& one) {
      return one.variable == quantity.variable && one.level == quantity.level;
    });
    const auto l = std::find(run.options.leads.begin(), run.options.leads.end(), lead);
    if (q != quantities.end() && l != run.options.leads.end()) {
      auto curves = degree_curves(run, static_cast<std::size_t>(l - run.options.leads.begin()),
                                  static_cast<std::size_t>(q - quantities.begin()));
      if (curves) {
        found.push_back({r, std::move(*curves)});
      }
    }
  }
  return found;
}

Curve spectrum_curve(const std::vector<double>& values, const std::string& colour, CurveStyle style) {
  Curve curve{.colour = colour, .style = style};
  for (std::size_t l = 1; l < values.size(); ++l) {
    curve.x.push_back(static_cast<double>(l));
    curve.y.push_back(values[l]);
  }
  return curve;
}

/// Degrees below, wavelengths above, the last trusted degree marked.
std::vector<std::string> degree_axes(std::size_t lmax, bool wavelengths) {
  std::vector<std::string> settings = {
      fmt::format("set logscale x\nset xrange [1:{}]", lmax),
      fmt::format("set arrow from first {0}, graph 0 to first {0}, graph 1 {1} dt (4,4)",
                  last_trusted_degree(lmax), mark)};
  if (wavelengths) {
    std::string tics;
    for (const int km : {20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50}) {
      const double degree = wavelength_of_degree(1) / km;
      if (degree <= static_cast<double>(lmax)) {
        tics += fmt::format("{}'{}' {:.6g}", tics.empty() ? "" : ", ", km, degree);
      }
    }
    settings.push_back(
        fmt::format("set logscale x2\nset x2range [1:{}]\nset x2tics ({})\nset x2label "
                    "'wavelength [km]' font ',11' offset 0,-0.4",
                    lmax, tics));
  }
  return settings;
}

/// Whether there is anything to see on logarithmic axes.
bool has_power(const std::vector<double>& spectrum) {
  return std::count_if(spectrum.begin(), spectrum.end(),
                       [](double power) { return power > 0.0 && std::isfinite(power); }) > 1;
}

Panel spectrum_panel(const Report& report, const std::vector<RunCurves>& all, const std::string& title) {
  Panel panel{title, "degree", "power", degree_axes(all.front().curves.lmax(), true), {}};
  panel.settings.emplace_back("set logscale y\nset format y '1e%T'");
  panel.curves.push_back(spectrum_curve(all.front().curves.truth, truth_colour, CurveStyle::smooth));
  for (const RunCurves& one : all) {
    panel.curves.push_back(spectrum_curve(one.curves.members, colour_of(one.run), CurveStyle::smooth));
    if (report.runs[one.run].members() > 1) {
      panel.curves.push_back(
          spectrum_curve(one.curves.ensemble_mean, colour_of(one.run), CurveStyle::dashed));
    }
  }
  return panel;
}

Panel ratio_panel(const Report& report, const std::vector<RunCurves>& all) {
  Panel panel{"", "degree", "ratio to truth", degree_axes(all.front().curves.lmax(), false), {}};
  const RatioBand band;
  panel.levels = {band.lower, 1.0, band.upper};
  panel.settings.emplace_back("set yrange [0:1.4<*<2.5]");
  for (const RunCurves& one : all) {
    Curve members = spectrum_curve(one.curves.ratio.of_means, colour_of(one.run), CurveStyle::smooth);
    members.lower = spectrum_curve(one.curves.ratio.lower, "", CurveStyle::smooth).y;
    members.upper = spectrum_curve(one.curves.ratio.upper, "", CurveStyle::smooth).y;
    panel.curves.push_back(members);
    if (report.runs[one.run].members() > 1) {
      panel.curves.push_back(spectrum_curve(degree_ratio(one.curves.ensemble_mean, one.curves.truth),
                                            colour_of(one.run), CurveStyle::dashed));
    }
  }
  return panel;
}

std::vector<LegendEntry> spectrum_legend(const Report& report) {
  std::vector<LegendEntry> legend = {{"truth", truth_colour}};
  for (const LegendEntry& entry : run_legend(report)) {
    legend.push_back({entry.label + ", members", entry.colour});
  }
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    if (report.runs[run].members() > 1) {
      legend.push_back({report.runs[run].label + ", ensemble mean", colour_of(run), true});
    }
  }
  return legend;
}

std::optional<Figure> spectrum_figure(const Report& report, const Channel& quantity,
                                      const std::string& prefix) {
  std::vector<Panel> spectra, ratios;
  std::size_t trusted = 0;
  for (const Duration lead : outer_leads(report)) {
    const auto curves = curves_of(report, quantity, lead);
    if (!curves.empty() && has_power(curves.front().curves.truth)) {
      spectra.push_back(spectrum_panel(report, curves, "lead " + lead_text(lead)));
      ratios.push_back(ratio_panel(report, curves));
      trusted = last_trusted_degree(curves.front().curves.lmax());
    }
  }
  if (spectra.empty()) {
    return std::nullopt;
  }
  const int columns = static_cast<int>(spectra.size());
  spectra.insert(spectra.end(), ratios.begin(), ratios.end());
  const RatioBand band;
  return Figure{
      "Spectrum of " + words_of(quantity), used_entries(spectrum_legend(report), spectra),
      fmt::format(
          "Power by spherical-harmonic degree over the whole globe, units of the field squared; mean "
          "over initial times. Below: ratios to the truth; band: 5 to 95 % of the initial times; grey: 1, "
          "and {} and {}, within which the forecast counts as having the truth's power; dashed upright: "
          "degree {}, up to which conclusions may be drawn. Ratios above 2.5 are cut.",
          band.lower, band.upper, trusted),
      panels_svg(spectra, columns, 1160 / 2, 330, prefix)};
}

ChannelSet all_quantities(const Report& report) {
  ChannelSet all;
  for (const RunResults& run : report.runs) {
    for (const SpectrumQuantity& quantity : run.sums.front().by_degree.quantities) {
      const Channel channel{quantity.variable, quantity.level};
      if (std::find(all.begin(), all.end(), channel) == all.end()) {
        all.push_back(channel);
      }
    }
  }
  return all;
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
  for (const Channel& quantity : all_quantities(report)) {
    add(spectrum_figure(report, quantity, prefix()));
  }
  return figures;
}

}  // namespace mosaic::eval
