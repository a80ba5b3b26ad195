#include "eval/document_axes.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "base/error.hpp"

namespace mosaic::eval {

void add_axis(NetcdfDocument& document, const std::string& name, NetcdfValues values,
              NetcdfAttributes attributes) {
  const std::size_t size = std::visit([](const auto& list) { return list.size(); }, values);
  document.dimensions.emplace_back(name, size);
  document.variables.push_back({name, {name}, std::move(values), std::move(attributes)});
}

void add_lead_times(NetcdfDocument& document, const std::vector<Duration>& leads) {
  const bool whole_hours =
      std::all_of(leads.begin(), leads.end(), [](Duration lead) { return lead.seconds % 3600 == 0; });
  std::vector<std::int64_t> values;
  for (const Duration lead : leads) {
    values.push_back(whole_hours ? lead.seconds / 3600 : lead.seconds);
  }
  // xarray since 2026.04 wants dtype besides units, older ones ignore it.
  add_axis(document, "lead_time", std::move(values),
           {{"units", whole_hours ? std::string("hours") : std::string("seconds")},
            {"dtype", std::string("timedelta64[ns]")},
            {"long_name", std::string("time since the initial time")}});
}

void add_rank_axes(NetcdfDocument& document, int members) {
  add_axis(document, "rank_kind", std::vector<std::string>{"below", "not_above", "ties_split"},
           {{"comment", std::string("rank of the truth = members below it; not above it; or ties broken at "
                                    "random, of which these are the expected counts")}});
  std::vector<std::int64_t> ranks(static_cast<std::size_t>(members) + 1);
  std::iota(ranks.begin(), ranks.end(), 0);
  add_axis(document, "rank", std::move(ranks));
}

void add_degree_axis(NetcdfDocument& document, std::size_t degrees) {
  std::vector<std::int64_t> list(degrees);
  std::iota(list.begin(), list.end(), 0);
  add_axis(document, "degree", std::move(list), {{"long_name", std::string("spherical-harmonic degree")}});
}

std::vector<Duration> read_lead_times(const NetcdfDocument& document) {
  std::int64_t unit = 0;
  for (const auto& [name, value] : document.variable("lead_time").attributes) {
    if (const auto* text = std::get_if<std::string>(&value); text != nullptr && name == "units") {
      unit = *text == "hours" ? 3600 : *text == "seconds" ? 1 : 0;
    }
  }
  require(unit != 0, ExitCode::corrupt_input, "lead_time must have the units hours or seconds");
  std::vector<Duration> leads;
  for (const std::int64_t value : values_of<std::int64_t>(document, "lead_time")) {
    leads.push_back({value * unit});
  }
  return leads;
}

template <class T>
const std::vector<T>& values_of(const NetcdfDocument& document, const std::string& name) {
  const NetcdfVariable& variable = document.variable(name);
  const auto* values = std::get_if<std::vector<T>>(&variable.values);
  require(values != nullptr, ExitCode::corrupt_input, "variable {} has another type than expected", name);
  std::size_t size = 1;
  for (const std::string& dimension : variable.dimensions) {
    size *= document.dimension(dimension);
  }
  require(values->size() == size, ExitCode::corrupt_input, "variable {} has {} values, its dimensions say {}",
          name, values->size(), size);
  return *values;
}

template const std::vector<double>& values_of(const NetcdfDocument&, const std::string&);
template const std::vector<std::int32_t>& values_of(const NetcdfDocument&, const std::string&);
template const std::vector<std::int64_t>& values_of(const NetcdfDocument&, const std::string&);
template const std::vector<std::string>& values_of(const NetcdfDocument&, const std::string&);

}  // namespace mosaic::eval
