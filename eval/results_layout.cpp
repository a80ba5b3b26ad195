#include "eval/results_layout.hpp"

#include <algorithm>
#include <limits>

namespace mosaic::eval {

std::pair<std::size_t, std::size_t> level_place(const std::optional<int>& level,
                                                const std::vector<int>& levels) {
  if (!level) {
    return {0, 1};
  }
  const auto place = std::lower_bound(levels.begin(), levels.end(), *level);
  return {static_cast<std::size_t>(place - levels.begin()), levels.size()};
}

std::vector<double>& variable_of(NetcdfDocument& document, const std::string& name, bool has_level,
                                 const std::vector<std::string>& outer, const std::vector<std::string>& inner,
                                 const NetcdfAttributes& attributes) {
  for (NetcdfVariable& variable : document.variables) {
    if (variable.name == name) {
      return std::get<std::vector<double>>(variable.values);
    }
  }
  std::vector<std::string> dimensions = outer;
  if (has_level) {
    dimensions.emplace_back("level");
  }
  dimensions.insert(dimensions.end(), inner.begin(), inner.end());
  std::size_t size = 1;
  for (const std::string& dimension : dimensions) {
    size *= document.dimension(dimension);
  }
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  document.variables.push_back({name, dimensions, std::vector<double>(size, undefined), attributes});
  return std::get<std::vector<double>>(document.variables.back().values);
}

void add_provenance(NetcdfDocument& document, const TimeMean& total, const ScoreOptions& options) {
  document.variables.push_back({"initial_times_scored",
                                {"lead_time"},
                                total.counts,
                                {{"long_name", std::string("initial times with a truth for this lead")}}});
  if (!options.grid.empty()) {
    document.attributes.emplace_back("grid", options.grid);
  }
  document.attributes.emplace_back("ensemble_size", static_cast<std::int64_t>(total.mean.members));
  document.attributes.emplace_back("number_of_initial_times", static_cast<std::int64_t>(total.initial_times));
  document.attributes.emplace_back(
      "missing_values", std::string(options.missing == kernels::MissingValues::skip
                                        ? "left out: points, members and initial times that are NaN"
                                        : "NaN is not skipped"));
  document.attributes.emplace_back(
      "mean_over_initial_times",
      std::string(options.time_mean == TimeMeanKind::pooled ? "every valid cell counts by its weight"
                                                            : "every initial time counts the same"));
}

}  // namespace mosaic::eval
