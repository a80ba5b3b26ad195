#include "eval/tidy_tables.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "eval/document_axes.hpp"

namespace mosaic::eval {
namespace {

struct Row {
  std::string metric, region, variable;
  std::optional<int> level;
  double lead;  ///< [h]
  std::optional<double> quantile;
  double value;
};

/// Rows in the order metric, region, lead, level, quantile of every variable.
void for_each_row(const NetcdfDocument& document, const std::function<void(const Row&)>& use) {
  const auto& metrics = values_of<std::string>(document, "metric");
  const auto& regions = values_of<std::string>(document, "region");
  const std::vector<Duration> leads = read_lead_times(document);
  for (const NetcdfVariable& variable : document.variables) {
    if (variable.dimensions.size() < 3 || variable.dimensions[0] != "metric") {
      continue;
    }
    const auto has = [&](const char* dimension) {
      return std::find(variable.dimensions.begin(), variable.dimensions.end(), dimension) !=
             variable.dimensions.end();
    };
    const bool has_levels = has("level");
    const bool has_quantiles = has("quantile");
    const std::vector<double> one = {0.0};
    const auto& quantiles = has_quantiles ? values_of<double>(document, "quantile") : one;
    const std::vector<std::int32_t> none = {0};
    const auto& levels = has_levels ? values_of<std::int32_t>(document, "level") : none;
    const auto& values = std::get<std::vector<double>>(variable.values);
    std::size_t next = 0;
    for (const std::string& metric : metrics) {
      for (const std::string& region : regions) {
        for (const Duration lead : leads) {
          for (const std::int32_t level : levels) {
            for (const double quantile : quantiles) {
              const double value = values[next++];
              if (!std::isnan(value)) {
                use({metric, region, variable.name, has_levels ? std::optional<int>(level) : std::nullopt,
                     lead.in_hours(), has_quantiles ? std::optional(quantile) : std::nullopt, value});
              }
            }
          }
        }
      }
    }
  }
}

std::string text_of(const NetcdfAttribute& attribute) {
  return std::visit(
      [](const auto& value) -> std::string {
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          return value;
        } else if constexpr (std::is_arithmetic_v<Value>) {
          return fmt::format("{}", value);
        } else {
          return fmt::format("{}", fmt::join(value, ", "));
        }
      },
      attribute);
}

}  // namespace

std::string tidy_csv(const NetcdfDocument& metrics) {
  std::string text;
  for (const auto& [name, value] : metrics.attributes) {
    fmt::format_to(std::back_inserter(text), "# {}: {}\n", name, text_of(value));
  }
  const bool has_quantiles = std::any_of(metrics.dimensions.begin(), metrics.dimensions.end(),
                                         [](const auto& dimension) { return dimension.first == "quantile"; });
  text += has_quantiles ? "metric,region,variable,level_hpa,lead_time_h,quantile,value\n"
                        : "metric,region,variable,level_hpa,lead_time_h,value\n";
  for_each_row(metrics, [&](const Row& row) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{:g},{}{}\n", row.metric, row.region, row.variable,
                   row.level ? std::to_string(*row.level) : "", row.lead,
                   row.quantile ? fmt::format("{},", *row.quantile) : "", row.value);
  });
  return text;
}

std::string tidy_json(const NetcdfDocument& metrics) {
  nlohmann::json document = {{"attributes", nlohmann::json::object()}, {"scores", nlohmann::json::array()}};
  for (const auto& [name, value] : metrics.attributes) {
    std::visit([&, key = name](const auto& held) { document["attributes"][key] = held; }, value);
  }
  for_each_row(metrics, [&](const Row& row) {
    nlohmann::json one = {{"metric", row.metric},
                          {"region", row.region},
                          {"variable", row.variable},
                          {"lead_time_h", row.lead},
                          {"value", std::isfinite(row.value) ? nlohmann::json(row.value)
                                                             : nlohmann::json(fmt::format("{}", row.value))}};
    if (row.level) {
      one["level_hpa"] = *row.level;
    }
    if (row.quantile) {
      one["quantile"] = *row.quantile;
    }
    document["scores"].push_back(std::move(one));
  });
  return document.dump(1) + "\n";
}

}  // namespace mosaic::eval
