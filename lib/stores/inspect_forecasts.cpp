#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stores/climatology_store.hpp"
#include "stores/forecast_store.hpp"
#include "stores/inspect.hpp"
#include "stores/inspect_parts.hpp"

namespace mosaic {

namespace {

using nlohmann::ordered_json;

/// "4 hours: 0, 6, 12, 18"; `what` is one of them.
template <class Value>
std::string list_as_text(const std::string& what, const std::vector<Value>& values) {
  return values.empty() ? fmt::format("no {}\n", what)
                        : fmt::format("{} {}{}: {}\n", values.size(), what, values.size() == 1 ? "" : "s",
                                      fmt::join(values, ", "));
}

}  // namespace

std::string inspect_forecasts(const std::string& path, InspectFormat format) {
  const auto store = open_forecast_store(path, {});
  if (format == InspectFormat::json) {
    const ordered_json document = {{"path", store->path()},
                                   {"kind", "forecasts"},
                                   {"grid", grid_as_json(store->grid())},
                                   {"initial_times", texts_as_json(store->initial_times())},
                                   {"leads", texts_as_json(store->leads())},
                                   {"members", store->member_numbers()},
                                   {"variables", variables_as_json(store->channels())},
                                   {"identity", store->identity()}};
    return document.dump() + "\n";
  }
  return fmt::format("{}: forecasts on {}{}{}{}{}", store->path(), grid_as_text(store->grid()),
                     range_as_text("initial times", store->initial_times()),
                     range_as_text("leads", store->leads()), list_as_text("member", store->member_numbers()),
                     variables_as_text(store->channels()));
}

std::string inspect_climatology(const std::string& path, InspectFormat format) {
  const ClimatologyStore store(path, {});
  const auto of = [&](ClimatologyPart part) { return store.channels(part); };
  if (format == InspectFormat::json) {
    const ordered_json document = {{"path", store.path()},
                                   {"kind", "climatology"},
                                   {"grid", grid_as_json(store.grid())},
                                   {"days_of_year", store.days_of_year()},
                                   {"hours", store.hours()},
                                   {"quantiles", store.quantiles()},
                                   {"mean", variables_as_json(of(ClimatologyPart::mean))},
                                   {"deviation", variables_as_json(of(ClimatologyPart::deviation))},
                                   {"quantile", variables_as_json(of(ClimatologyPart::quantile))},
                                   {"identity", store.identity()}};
    return document.dump() + "\n";
  }
  return fmt::format(
      "{}: climatology on {}{} days of the year, {} to {}\n{}{}mean\n{}deviation\n{}quantile\n{}",
      store.path(), grid_as_text(store.grid()), store.days_of_year().size(), store.days_of_year().front(),
      store.days_of_year().back(), list_as_text("hour", store.hours()),
      list_as_text("quantile", store.quantiles()), variables_as_text(of(ClimatologyPart::mean)),
      variables_as_text(of(ClimatologyPart::deviation)), variables_as_text(of(ClimatologyPart::quantile)));
}

}  // namespace mosaic
