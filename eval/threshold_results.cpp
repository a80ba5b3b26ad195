#include <fmt/format.h>

#include <array>
#include <utility>

#include "eval/document_axes.hpp"
#include "eval/results.hpp"
#include "eval/results_layout.hpp"

namespace mosaic::eval {
namespace {

using kernels::ThresholdScore;

struct NamedScore {
  ThresholdScore score;
  const char* name;  ///< WeatherBench 2's metric name
  const char* definition;
};

constexpr std::array<NamedScore, 4> scores = {
    {{ThresholdScore::brier, "brier_score", "(p - o)^2; p = part of the members above q, o = 1 where y > q"},
     {ThresholdScore::debiased_brier, "debiased_brier_score",
      "(p - o)^2 - p (1 - p) / (M - 1); NaN for one member"},
     {ThresholdScore::ignorance, "ignorance",
      "-ln p where y > q, -ln(1 - p) elsewhere; infinite where no member agrees with the truth"},
     {ThresholdScore::ranked_probability, "ranked_probability",
      "(F - 1{y < q})^2, F = part of the members below q; its sum over the quantiles is the rps"}}};

void add_scores(NetcdfDocument& document, const InitTimeSums& mean, const std::vector<std::int32_t>& levels) {
  const ThresholdSums& thresholds = mean.thresholds;
  const std::size_t quantiles = thresholds.quantiles.size();
  for (std::size_t c = 0; c < thresholds.channels.size(); ++c) {
    const Channel& channel = thresholds.channels[c];
    const auto [place, length] = level_place(channel.level, levels);
    std::vector<double>& values = variable_of(document, channel.variable, channel.level.has_value(),
                                              {"metric", "region", "lead_time"}, {"quantile"}, {});
    std::size_t cell = 0;
    for (const NamedScore& named : scores) {
      for (std::size_t r = 0; r < mean.regions.size(); ++r) {
        for (std::size_t lead = 0; lead < mean.leads.size(); ++lead, ++cell) {
          const auto* from = &thresholds.means[thresholds.mean_offset(lead, c, r, mean.regions.size())];
          for (std::size_t q = 0; q < quantiles; ++q) {
            values[(cell * length + place) * quantiles + q] = at(from[q], named.score);
          }
        }
      }
    }
  }
}

/// <variable>_reliability(reliability_kind, lead_time, level, quantile, probability).
void add_reliability(NetcdfDocument& document, const InitTimeSums& mean,
                     const std::vector<std::int32_t>& levels) {
  const ThresholdSums& thresholds = mean.thresholds;
  constexpr std::size_t kinds = 2;
  const std::size_t bins = thresholds.reliability_numbers(mean.members) / kinds;
  for (std::size_t c = 0; c < thresholds.channels.size(); ++c) {
    const Channel& channel = thresholds.channels[c];
    const auto [place, length] = level_place(channel.level, levels);
    std::vector<double>& values =
        variable_of(document, channel.variable + "_reliability", channel.level.has_value(),
                    {"reliability_kind", "lead_time"}, {"quantile", "probability"}, {});
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      for (std::size_t lead = 0; lead < mean.leads.size(); ++lead) {
        const double* from = &thresholds.reliability[thresholds.reliability_offset(lead, c, mean.members)];
        double* to = &values[((kind * mean.leads.size() + lead) * length + place) * bins];
        for (std::size_t bin = 0; bin < bins; ++bin) {
          to[bin] = from[bin * kinds + kind];
        }
      }
    }
  }
}

}  // namespace

NetcdfDocument thresholds_document(const TimeMean& total, const ScoreOptions& options) {
  const InitTimeSums& mean = total.mean;
  const std::vector<std::int32_t> levels = levels_of(mean.thresholds.channels);
  NetcdfDocument document;
  std::vector<std::string> names;
  for (const NamedScore& named : scores) {
    names.emplace_back(named.name);
    document.attributes.emplace_back(fmt::format("definition_of_{}", named.name),
                                     std::string(named.definition));
  }
  add_axis(document, "metric", std::move(names));
  add_axis(document, "region", mean.regions);
  add_lead_times(document, mean.leads);
  if (!levels.empty()) {
    add_axis(document, "level", levels, {{"units", std::string("hPa")}});
  }
  add_axis(document, "quantile", mean.thresholds.quantiles);
  std::vector<double> probabilities;
  for (int above = 0; above <= mean.members; ++above) {
    probabilities.push_back(static_cast<double>(above) / mean.members);
  }
  add_axis(document, "probability", std::move(probabilities),
           {{"long_name", std::string("part of the members above the quantile")}});
  add_axis(document, "reliability_kind", std::vector<std::string>{"forecasts", "occurrences"},
           {{"comment", std::string("area weights of the points of the whole grid with this probability, and "
                                    "of those among them where the truth is above the quantile")}});
  add_scores(document, mean, levels);
  add_reliability(document, mean, levels);
  document.attributes.emplace_back(
      "thresholds", std::string(options.thresholds.kind == ThresholdKind::stored
                                    ? "quantiles stored in the climatology, of day of year and hour"
                                    : "mean + z standard deviations of the climatology, of day of year and "
                                      "hour, as if it were Gaussian"));
  add_provenance(document, total, options);
  return document;
}

}  // namespace mosaic::eval
