#include "eval/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "eval/document_axes.hpp"
#include "eval/results_layout.hpp"
#include "eval/scores.hpp"
#include "eval/time_mean.hpp"

namespace mosaic::eval {
namespace {

/// The scores that are defined for these options.
std::vector<const Score*> scores_of(const ScoreOptions& options) {
  std::vector<const Score*> scores;
  for (const auto& score : all_scores()) {
    if ((options.climatology || !score->needs_climatology()) &&
        (!options.thresholds.channels.empty() || !score->needs_thresholds()) &&
        (!options.seeps.channels.empty() || !score->needs_seeps())) {
      scores.push_back(score.get());
    }
  }
  return scores;
}

std::string units_of(const std::string& variable) {
  const VariableInfo* info = find_variable(variable);
  return info == nullptr ? std::string("unknown") : info->units;
}

}  // namespace

NetcdfDocument metrics_document(const TimeMean& total, const ScoreOptions& options) {
  const InitTimeSums& mean = total.mean;
  const std::vector<const Score*> scores = scores_of(options);
  const std::vector<std::int32_t> levels = levels_of(mean.channels);
  NetcdfDocument document;
  std::vector<std::string> names;
  for (const Score* score : scores) {
    names.push_back(score->name());
    document.attributes.emplace_back("definition_of_" + score->name(), score->definition());
  }
  add_axis(document, "metric", names);
  add_axis(document, "region", mean.regions);
  add_lead_times(document, mean.leads);
  if (!levels.empty()) {
    add_axis(document, "level", levels, {{"units", std::string("hPa")}});
  }
  for (std::size_t c = 0; c < mean.channels.size(); ++c) {
    const Channel& channel = mean.channels[c];
    const auto [place, length] = level_place(channel.level, levels);
    std::vector<double>& values =
        variable_of(document, channel.variable, channel.level.has_value(), {"metric", "region", "lead_time"},
                    {}, {{"units_of_the_field", units_of(channel.variable)}});
    std::size_t cell = 0;
    for (const Score* score : scores) {
      for (std::size_t r = 0; r < mean.regions.size(); ++r) {
        for (std::size_t lead = 0; lead < mean.leads.size(); ++lead, ++cell) {
          values[cell * length + place] = score->value(total.at(lead, c, r), mean.members);
        }
      }
    }
  }
  document.attributes.emplace_back(
      "weights", std::string("w_j = (J/2)(sin upper - sin lower), cell edges half way between latitudes in "
                             "angle and closed at the poles; regions cut after weighting"));
  add_provenance(document, total, options);
  return document;
}

NetcdfDocument ranks_document(const TimeMean& total, const ScoreOptions& options) {
  const InitTimeSums& mean = total.mean;
  const std::vector<std::int32_t> levels = levels_of(options.channels);
  NetcdfDocument document;
  add_rank_axes(document, mean.members);
  add_lead_times(document, mean.leads);
  if (!levels.empty()) {
    add_axis(document, "level", levels, {{"units", std::string("hPa")}});
  }
  const std::size_t bins = static_cast<std::size_t>(mean.members) + 1;
  for (std::size_t c = 0; c < options.channels.size(); ++c) {  // not the wind vectors
    const auto [place, length] = level_place(mean.channels[c].level, levels);
    std::vector<double>& values =
        variable_of(document, mean.channels[c].variable, mean.channels[c].level.has_value(),
                    {"rank_kind", "lead_time"}, {"rank"}, {});
    for (std::size_t kind = 0; kind < kernels::rank_count_kinds; ++kind) {
      for (std::size_t lead = 0; lead < mean.leads.size(); ++lead) {
        const std::size_t from = (lead * mean.channels.size() + c) * mean.rank_numbers() + kind * bins;
        std::copy_n(mean.ranks.data() + from, bins,
                    values.data() + ((kind * mean.leads.size() + lead) * length + place) * bins);
      }
    }
  }
  document.attributes.emplace_back(
      "definition",
      std::string("points of the whole grid and all initial times by rank of the truth among the "
                  "members, without area weights"));
  add_provenance(document, total, options);
  return document;
}

namespace {

/// <variable>_by_degree(kind, lead_time, level, degree).
void add_spectra_by_degree(NetcdfDocument& document, const InitTimeSums& mean,
                           const std::vector<std::int32_t>& levels) {
  const SpectraByDegree& spectra = mean.by_degree;
  if (spectra.degrees == 0) {
    return;
  }
  add_degree_axis(document, spectra.degrees);
  for (std::size_t q = 0; q < spectra.quantities.size(); ++q) {
    const Channel named{spectra.quantities[q].variable + "_by_degree", spectra.quantities[q].level};
    const auto [place, length] = level_place(named.level, levels);
    std::vector<double>& values =
        variable_of(document, named.variable, named.level.has_value(), {"kind", "lead_time"}, {"degree"}, {});
    for (std::size_t kind = 0; kind < spectrum_kind_names.size(); ++kind) {
      for (std::size_t lead = 0; lead < mean.leads.size(); ++lead) {
        std::copy_n(&spectra.values[mean.degree_offset(static_cast<SpectrumKind>(kind), lead, q)],
                    spectra.degrees,
                    &values[((kind * mean.leads.size() + lead) * length + place) * spectra.degrees]);
      }
    }
  }
  document.attributes.emplace_back(
      "definition_by_degree",
      std::string(
          "sum over orders of |a_lm|^2, harmonics with mean square 1, continuation over the poles (exact to "
          "the "
          "largest degree); kinetic energy in the vector form, rotational and divergent part; units: the "
          "field's squared; conclusions to five sixths of the largest degree"));
}

}  // namespace

NetcdfDocument spectra_document(const TimeMean& total, const ScoreOptions& options) {
  const InitTimeSums& mean = total.mean;
  const std::vector<std::int32_t> levels = levels_of(mean.quantities);
  NetcdfDocument document;
  add_axis(document, "kind",
           std::vector<std::string>(spectrum_kind_names.begin(), spectrum_kind_names.end()));
  add_lead_times(document, mean.leads);
  if (!levels.empty()) {
    add_axis(document, "level", levels, {{"units", std::string("hPa")}});
  }
  add_axis(document, "latitude_band", mean.bands);
  std::vector<std::int64_t> wavenumbers;
  for (std::size_t k = 0; k < mean.wavenumbers; ++k) {
    wavenumbers.push_back(static_cast<std::int64_t>(k));
  }
  add_axis(document, "zonal_wavenumber", std::move(wavenumbers));
  const std::size_t row = mean.bands.size() * mean.wavenumbers;
  for (std::size_t q = 0; q < mean.quantities.size(); ++q) {
    const SpectrumQuantity& quantity = mean.quantities[q];
    const auto [place, length] = level_place(quantity.level, levels);
    std::vector<double>& values =
        variable_of(document, quantity.variable, quantity.level.has_value(), {"kind", "lead_time"},
                    {"latitude_band", "zonal_wavenumber"}, {});
    for (std::size_t kind = 0; kind < spectrum_kind_names.size(); ++kind) {
      for (std::size_t lead = 0; lead < mean.leads.size(); ++lead) {
        const std::size_t from = mean.spectrum_offset(static_cast<SpectrumKind>(kind), lead, q, 0);
        const std::size_t to = ((kind * mean.leads.size() + lead) * length + place) * row;
        std::copy_n(mean.spectra.data() + from, row, values.data() + to);
      }
    }
  }
  add_spectra_by_degree(document, mean, levels);
  document.attributes.emplace_back(
      "definition",
      std::string("S_0 = C |F_0|^2, S_k = 2 C |F_k|^2; F_k = (1/L) sum f exp(-2 pi i k l / L), "
                  "C = 2 pi 6367500 m cos(latitude); kinetic energy = (S_u + S_v) / 2; mean over "
                  "the latitudes of a band weighted by cos(latitude)"));
  document.attributes.emplace_back("units", std::string("m times the squared units of the field"));
  for (const LatitudeBand& band : spectrum_bands()) {
    document.attributes.emplace_back(
        "latitude_band_" + band.name,
        fmt::format("|latitude| between {} and {}, without the bounds", band.lower, band.upper));
  }
  add_provenance(document, total, options);
  return document;
}

namespace {

/// temperature_850 [K].
std::string with_unit(const Channel& channel) {
  const VariableInfo* info = find_variable(channel.variable);
  return info == nullptr ? channel.name() : fmt::format("{} [{}]", channel.name(), info->units);
}

}  // namespace

std::string score_table(const TimeMean& total) {
  const InitTimeSums& mean = total.mean;
  if (mean.regions.empty() || mean.channels.empty()) {
    return "no scores were asked for\n";
  }
  const std::vector<std::string> columns = {"ensemble_mean_rmse", "bias", "crps", "spread_skill_raw"};
  std::string table = fmt::format("{}: mean over {} initial times, {} members\n{:<34}{:>8}", mean.regions[0],
                                  total.initial_times, mean.members, "channel", "lead");
  for (const std::string& column : columns) {
    fmt::format_to(std::back_inserter(table), "{:>20}", column);
  }
  table += '\n';
  for (std::size_t c = 0; c < mean.channels.size(); ++c) {
    for (std::size_t lead = 0; lead < mean.leads.size(); ++lead) {
      fmt::format_to(std::back_inserter(table), "{:<34}{:>8}", with_unit(mean.channels[c]),
                     fmt::format("{:g}h", mean.leads[lead].in_hours()));
      for (const std::string& column : columns) {
        const double value = score_by_name(column).value(total.at(lead, c, 0), mean.members);
        // A ratio of zeros has a sign as well, which says nothing.
        fmt::format_to(std::back_inserter(table), "{:>20}",
                       std::isnan(value) ? "undefined" : fmt::format("{:.6g}", value));
      }
      table += '\n';
    }
  }
  return table;
}

}  // namespace mosaic::eval
