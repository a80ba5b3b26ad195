#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "eval/report/figure_parts.hpp"
#include "eval/report/report_tables.hpp"
#include "eval/report/run_spectra.hpp"

namespace mosaic::eval {
namespace {

constexpr const char* truth_colour = "#000000";
constexpr const char* upright_mark = "nohead back lc rgb '#888888' lw 1";

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
                  last_trusted_degree(lmax), upright_mark)};
  if (wavelengths) {
    std::string tics;
    for (const int km : {20000, 10000, 5000, 2000, 1000, 500, 200, 100, 50}) {
      const double degree = wavelength_of_degree(1) / km;
      if (degree <= static_cast<double>(lmax)) {
        tics += fmt::format("{}'{}' {:.6g}", tics.empty() ? "" : ", ", km, degree);
      }
    }
    settings.push_back(
        fmt::format("set logscale x2\nset x2range [1:{}]\nset x2tics ({}) font ',10'\nset x2label "
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
  panel.curves.push_back(spectrum_curve(all.front().curves.truth, truth_colour, CurveStyle::broad));
  for (const RunCurves& one : all) {
    panel.curves.push_back(spectrum_curve(one.curves.members, curve_colour(one.run), CurveStyle::smooth));
    if (report.runs[one.run].members() > 1) {
      panel.curves.push_back(
          spectrum_curve(one.curves.ensemble_mean, curve_colour(one.run), CurveStyle::dashed));
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
    Curve members = spectrum_curve(one.curves.ratio.of_means, curve_colour(one.run), CurveStyle::smooth);
    members.lower = spectrum_curve(one.curves.ratio.lower, "", CurveStyle::smooth).y;
    members.upper = spectrum_curve(one.curves.ratio.upper, "", CurveStyle::smooth).y;
    panel.curves.push_back(members);
    if (report.runs[one.run].members() > 1) {
      panel.curves.push_back(spectrum_curve(degree_ratio(one.curves.ensemble_mean, one.curves.truth),
                                            curve_colour(one.run), CurveStyle::dashed));
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
      legend.push_back({report.runs[run].label + ", ensemble mean", curve_colour(run), true});
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

std::vector<Figure> spectrum_figures(const Report& report) {
  std::vector<Figure> figures;
  for (const Channel& quantity : all_quantities(report)) {
    if (auto figure = spectrum_figure(report, quantity, fmt::format("spectrum{}-", figures.size()))) {
      figures.push_back(std::move(*figure));
    }
  }
  return figures;
}

}  // namespace mosaic::eval
