#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval/report/report_tables.hpp"
#include "eval/report/run_spectra.hpp"
#include "eval/report/table_parts.hpp"

namespace mosaic::eval {
namespace {

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
  return std::isnan(value)       ? no_number
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
    return no_number;
  }
  const GridScaleBump ours = grid_scale_bump(curves.members), truth = grid_scale_bump(curves.truth);
  if (std::isnan(ours.excess)) {
    return no_number;
  }
  return fmt::format("{}{:+.1f} dB (truth {:+.1f})", ours.bump ? "BUMP " : "", ours.excess, truth.excess);
}

std::vector<std::string> spectral_row(const DegreeCurves& curves) {
  const DegreeRange range = judged_degrees(curves.lmax());
  const auto distance = [&](const std::vector<double>& spectrum) {
    const double value = log_spectral_distance(spectrum, curves.truth, range);
    return std::isnan(value) ? std::string(no_number) : fmt::format("{:.2f}", value);
  };
  std::vector<std::string> row = {std::to_string(curves.initial_times), resolution_text(curves),
                                  distance(curves.members), distance(curves.ensemble_mean)};
  const auto damping = degree_ratio(curves.ensemble_mean, curves.truth);
  for (const std::size_t degree : shown_degrees(curves.lmax())) {
    row.push_back(with_deviation(curves.ratio.of_means[degree], curves.ratio.deviation[degree]));
    row.push_back(std::isnan(damping[degree]) ? no_number : fmt::format("{:.3f}", damping[degree]));
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

}  // namespace

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

}  // namespace mosaic::eval
