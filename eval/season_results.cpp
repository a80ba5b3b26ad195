#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eval/document_axes.hpp"
#include "eval/results.hpp"

namespace mosaic::eval {
namespace {

const std::vector<std::string> season_names = {"DJF", "MAM", "JJA", "SON"};

std::size_t season_of(Time time) { return static_cast<std::size_t>(calendar(time).month % 12) / 3; }

/// Only the leads whose valid time is in the season, and of these what metrics_document() needs.
std::vector<InitTimeSums> sums_of_season(const std::vector<InitTimeSums>& sums, std::size_t season) {
  std::vector<InitTimeSums> chosen;
  for (const InitTimeSums& all : sums) {
    InitTimeSums one = all;
    one.quantities.clear();
    one.by_degree = {};
    one.spectra.clear();
    for (std::size_t lead = 0; lead < one.leads.size(); ++lead) {
      if (season_of(one.initial_time + one.leads[lead]) != season) {
        one.scored[lead] = 0;
      }
    }
    chosen.push_back(std::move(one));
  }
  return chosen;
}

/// Adds the values of a season behind those of the seasons before.
void append(const NetcdfDocument& season, NetcdfDocument& all) {
  for (std::size_t v = 0; v < season.variables.size(); ++v) {
    const NetcdfVariable& from = season.variables[v];
    if (all.variables[v].dimensions.front() != "season") {
      continue;  // an axis
    }
    std::visit(
        [&](const auto& values) {
          auto& to = std::get<std::decay_t<decltype(values)>>(all.variables[v].values);
          to.insert(to.end(), values.begin(), values.end());
        },
        from.values);
  }
}

}  // namespace

NetcdfDocument seasons_document(const std::vector<InitTimeSums>& sums, const ScoreOptions& options) {
  NetcdfDocument all;
  for (std::size_t season = 0; season < season_names.size(); ++season) {
    const NetcdfDocument one = metrics_document(time_mean(sums_of_season(sums, season), options), options);
    if (season == 0) {
      all = one;
      for (NetcdfVariable& variable : all.variables) {
        if (variable.name != variable.dimensions.front()) {
          variable.dimensions.insert(variable.dimensions.begin(), "season");
        }
      }
    } else {
      append(one, all);
    }
  }
  add_axis(all, "season", season_names, {{"long_name", std::string("season of the valid time")}});
  return all;
}

}  // namespace mosaic::eval
