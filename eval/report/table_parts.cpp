#include "eval/report/table_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mosaic::eval {

std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{:.4g}", value) : no_number;
}

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

void add_lead_note(Table& table, const std::vector<Duration>& leads) {
  const auto shown = table_leads(leads);
  if (shown.size() < leads.size()) {
    table.notes.push_back(
        fmt::format("{} of {} lead times; --json has all of them", shown.size(), leads.size()));
  }
}

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

}  // namespace mosaic::eval
