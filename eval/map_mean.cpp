#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.hpp"
#include "eval/document_axes.hpp"
#include "eval/init_time_sums.hpp"
#include "eval/results_layout.hpp"

namespace mosaic::eval {
namespace {

using kernels::Statistic;

struct NamedMap {
  const char* name;
  Statistic statistic;
  const char* definition;
};

constexpr std::array<NamedMap, 6> maps = {
    {{"bias", Statistic::error, "mean over members of forecast minus truth"},
     {"crps", Statistic::absolute_error, "fair CRPS: mae minus half the mean distance of two members"},
     {"ensemble_mean_mse", Statistic::ensemble_mean_squared_error, "squared error of the ensemble mean"},
     {"ensemble_variance", Statistic::variance, "variance of the members, M - 1"},
     {"mae", Statistic::absolute_error, "mean over members of the absolute error"},
     {"mse", Statistic::squared_error, "mean over members of the squared error"}}};

std::size_t place_of(const std::vector<Duration>& leads, Duration lead) {
  return static_cast<std::size_t>(std::find(leads.begin(), leads.end(), lead) - leads.begin());
}

}  // namespace

void MapMean::add(const InitTimeSums& sums, const ScoreOptions& options) {
  if (initial_times_ == 0) {
    mean_ = sums.maps;
    members_ = sums.members;
    std::fill(mean_.values.begin(), mean_.values.end(), 0.0);
    counts_.assign(mean_.values.size(), 0.0);
  }
  require(sums.maps.values.size() == mean_.values.size() && sums.maps.channels == mean_.channels,
          ExitCode::corrupt_input, "the maps of {} have other axes than those of other initial times",
          to_string(sums.initial_time));
  ++initial_times_;
  const std::size_t of_lead = mean_.channels.size() * kernels::map_statistic_count * mean_.points();
  for (std::size_t lead = 0; lead < mean_.leads.size(); ++lead) {
    const std::size_t scored = place_of(sums.leads, mean_.leads[lead]);
    if (scored == sums.leads.size() || sums.scored[scored] == 0) {
      continue;
    }
    for (std::size_t k = lead * of_lead; k < (lead + 1) * of_lead; ++k) {
      const double value = sums.maps.values[k];
      if (options.missing == kernels::MissingValues::propagate || !std::isnan(value)) {
        mean_.values[k] += value;
        counts_[k] += 1.0;
      }
    }
  }
}

NetcdfDocument MapMean::document(const ScoreOptions& options) const {
  const std::vector<int> levels = levels_of(mean_.channels);
  NetcdfDocument document;
  std::vector<std::string> names;
  for (const NamedMap& map : maps) {
    names.emplace_back(map.name);
    document.attributes.emplace_back(std::string("definition_of_") + map.name, std::string(map.definition));
  }
  add_axis(document, "metric", names);
  add_lead_times(document, mean_.leads);
  if (!levels.empty()) {
    add_axis(document, "level", levels, {{"units", std::string("hPa")}});
  }
  add_axis(document, "latitude", mean_.latitude,
           {{"units", std::string("degrees_north")}, {"standard_name", std::string("latitude")}});
  add_axis(document, "longitude", mean_.longitude,
           {{"units", std::string("degrees_east")}, {"standard_name", std::string("longitude")}});
  const std::size_t points = mean_.points();
  for (std::size_t c = 0; c < mean_.channels.size(); ++c) {
    const Channel& channel = mean_.channels[c];
    const auto [place, length] = level_place(channel.level, levels);
    std::vector<double>& values = variable_of(document, channel.variable, channel.level.has_value(),
                                              {"metric", "lead_time"}, {"latitude", "longitude"}, {});
    for (std::size_t m = 0; m < maps.size(); ++m) {
      for (std::size_t lead = 0; lead < mean_.leads.size(); ++lead) {
        const auto mean_of = [&](Statistic which, std::size_t i) {
          const std::size_t from = mean_.offset(lead, c) + static_cast<std::size_t>(which) * points + i;
          return mean_.values[from] / counts_[from];  // 0 / 0 for nothing: NaN
        };
        double* to = &values[((m * mean_.leads.size() + lead) * length + place) * points];
        const double half_spread = std::string_view(maps[m].name) == "crps" ? 0.5 : 0.0;
        for (std::size_t i = 0; i < points; ++i) {
          to[i] = mean_of(maps[m].statistic, i) -
                  (half_spread > 0 ? half_spread * mean_of(Statistic::spread, i) : 0.0);
        }
      }
    }
  }
  if (!options.grid.empty()) {
    document.attributes.emplace_back("grid", options.grid);
  }
  document.attributes.emplace_back("ensemble_size", static_cast<std::int64_t>(members_));
  document.attributes.emplace_back("number_of_initial_times", static_cast<std::int64_t>(initial_times_));
  return document;
}

}  // namespace mosaic::eval
