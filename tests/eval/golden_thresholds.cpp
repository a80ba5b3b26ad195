#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "eval/golden_rows.hpp"
#include "eval/normal_quantile.hpp"
#include "eval/regions.hpp"
#include "kernels/threshold_statistics/threshold_statistics.hpp"
#include "stores/zarr.hpp"
#include "support/golden.hpp"
#include "support/golden_store.hpp"

namespace mosaic::eval {
namespace {

using kernels::AreaMask;
using kernels::ThresholdScore;
using kernels::ThresholdScores;
using test::GoldenStore;

const Channel scored_channel = {"2m_temperature", std::nullopt};
constexpr std::array<double, 3> probabilities = {0.1, 0.5, 0.9};

/// Fields without time: of a climatology at a day of the year and hour, or statics.
class TimelessStore {
 public:
  explicit TimelessStore(const std::filesystem::path& path) : store_(path.string()) {}

  /// One field; `at`: coordinate values of the dimensions other than latitude and longitude. Shape: [lat,
  /// lon].
  std::vector<float> read(const std::string& variable, const std::map<std::string, double>& at) const {
    const ZarrArray& array = store_.array(variable);
    ZarrBox box = ZarrBox::all(array);
    std::size_t rows = 0, columns = 0;
    for (std::size_t d = 0; d < array.shape.size(); ++d) {
      const std::string& dimension = array.dimensions[d];
      rows = dimension == "latitude" ? array.shape[d] : rows;
      columns = dimension == "longitude" ? array.shape[d] : columns;
      if (at.contains(dimension)) {
        box.start[d] = place(dimension, at.at(dimension));
        box.count[d] = 1;
      }
    }
    require(array.dimensions.back() == "latitude", "{} does not end with latitude", variable);
    const std::vector<float> stored = store_.read_float(variable, box, 1);
    std::vector<float> field(rows * columns);
    for (std::size_t k = 0; k < field.size(); ++k) {
      field[k % rows * columns + k / rows] = stored[k];
    }
    return field;
  }

 private:
  std::size_t place(const std::string& name, double value) const {
    const auto axis = store_.read_double(name, ZarrBox::all(store_.array(name)), 1);
    const auto found =
        std::find_if(axis.begin(), axis.end(), [&](double x) { return std::abs(x - value) < 0.01; });
    require(found != axis.end(), "{} has no {}", name, value);
    return static_cast<std::size_t>(found - axis.begin());
  }

  ZarrStore store_;
};

/// Thresholds at a valid time: the stored quantiles, or mean + z standard deviations. Shape: [Q, lat, lon].
std::vector<double> thresholds_at(const TimelessStore& climatology, Time valid, const std::string& kind) {
  const CalendarTime date = calendar(valid);
  std::map<std::string, double> at = {{"hour", date.hour}, {"dayofyear", date.day_of_year}};
  const std::string& name = scored_channel.variable;
  std::vector<double> result;
  for (const double p : probabilities) {
    if (kind == "stored_quantile") {
      at["quantile"] = p;
      const std::vector<float> field = climatology.read(name + "_quantile", at);
      result.insert(result.end(), field.begin(), field.end());
      continue;
    }
    const std::vector<float> mean = climatology.read(name, at);
    const std::vector<float> deviation = climatology.read(name + "_std", at);
    for (std::size_t i = 0; i < mean.size(); ++i) {
      result.push_back(mean[i] + normal_quantile(p) * deviation[i]);
    }
  }
  return result;
}

AreaMask area_of(const std::string& name, const TimelessStore& truth, const LatLonGrid& grid) {
  const auto land_mask = std::make_shared<const std::vector<float>>(truth.read("land_sea_mask", {}));
  return area_mask(regions_by_name({name}).front(), grid, land_mask);
}

const std::vector<std::string> scored_regions = {"global", "tropics_land", "europe"};

/// Means over the initial times: [lead, region, Q].
std::vector<ThresholdScores> score_store(const GoldenStore& forecasts, const GoldenStore& truths,
                                         const TimelessStore& climatology, const TimelessStore& statics,
                                         const std::string& kind) {
  const LatLonGrid& grid = *forecasts.grid;
  std::vector<AreaMask> areas;
  for (const std::string& name : scored_regions) {
    areas.push_back(area_of(name, statics, grid));
  }
  const std::size_t of_lead = areas.size() * probabilities.size();
  std::vector<ThresholdScores> mean(forecasts.leads.size() * of_lead, ThresholdScores{});
  for (std::size_t t = 0; t < forecasts.times.size(); ++t) {
    for (std::size_t lead = 0; lead < forecasts.leads.size(); ++lead) {
      const Time valid = forecasts.times[t] + forecasts.leads[lead];
      const std::vector<float> truth = truths.read(scored_channel, truths.time_index(valid));
      const std::vector<float> members = forecasts.read(scored_channel, t, lead);
      std::vector<const float*> pointers;
      for (std::size_t m = 0; m < forecasts.members; ++m) {
        pointers.push_back(members.data() + m * grid.points());
      }
      const std::vector<double> thresholds = thresholds_at(climatology, valid, kind);
      std::vector<ThresholdScores> scores(of_lead);
      kernels::threshold_statistics({.members = pointers,
                                     .truth = truth.data(),
                                     .thresholds = thresholds,
                                     .latitudes = grid.latitude.size(),
                                     .longitudes = grid.longitude.size(),
                                     .areas = areas,
                                     .means = scores});
      for (std::size_t k = 0; k < of_lead; ++k) {
        for (std::size_t s = 0; s < scores[k].size(); ++s) {
          mean[lead * of_lead + k][s] += scores[k][s] / static_cast<double>(forecasts.times.size());
        }
      }
    }
  }
  return mean;
}

/// Our value for a row of the table; the RPS is a sum over thresholds.
std::optional<double> value_of(const Row& row, const std::vector<ThresholdScores>& means,
                               const std::vector<Duration>& leads) {
  static const std::vector<std::string> names = {"brier_score", "debiased_brier_score", "ignorance", "rps"};
  const auto score = std::find(names.begin(), names.end(), row.metric);
  const auto region = std::find(scored_regions.begin(), scored_regions.end(), row.region);
  const auto lead = std::find(leads.begin(), leads.end(), Duration::hours(std::stol(row.lead)));
  if (score == names.end() || region == scored_regions.end() || lead == leads.end() ||
      row.variable != scored_channel.variable) {
    return std::nullopt;
  }
  const auto s = static_cast<std::size_t>(score - names.begin());
  const auto area = static_cast<std::size_t>((lead - leads.begin()) * std::ssize(scored_regions) +
                                             (region - scored_regions.begin()));
  double sum = 0.0;
  for (std::size_t q = 0; q < probabilities.size(); ++q) {
    const bool wanted =
        row.metric == "rps" || row.extra.ends_with(fmt::format("quantile={}", probabilities[q]));
    sum += wanted ? means[area * probabilities.size() + q][s] : 0.0;
  }
  return sum;
}

struct Comparison {
  std::size_t rows = 0, wrong = 0;
  double largest = 0.0;  ///< relative difference
};

Comparison compare(const std::vector<Row>& rows, const std::vector<ThresholdScores>& means,
                   const std::vector<Duration>& leads) {
  Comparison result;
  for (const Row& row : rows) {
    const std::optional<double> value = value_of(row, means, leads);
    if (!value) {
      continue;
    }
    ++result.rows;
    const bool equal = *value == row.value || (std::isnan(*value) && std::isnan(row.value));
    const double difference = equal ? 0.0 : std::abs(*value - row.value) / std::abs(row.value);
    result.wrong += difference <= 1e-9 ? 0 : 1;
    result.largest = std::max(result.largest, std::isnan(difference) ? 1.0 : difference);
  }
  return result;
}

class GoldenThresholds : public testing::TestWithParam<std::string> {};

TEST_P(GoldenThresholds, are_those_of_weatherbench) {
  GOLDEN_OR_SKIP(table, "eval/small/expected/scores_wb2.csv");
  GOLDEN_OR_SKIP(truth, "eval/small/truth.zarr");
  GOLDEN_OR_SKIP(forecast, "eval/small/ensemble.zarr");
  GOLDEN_OR_SKIP(climate, "eval/small/climatology.zarr");
  std::vector<Row> rows = read_rows(table, "threshold", GetParam());
  for (const double p : probabilities) {
    const auto more = read_rows(table, "threshold", fmt::format("{} quantile={}", GetParam(), p));
    rows.insert(rows.end(), more.begin(), more.end());
  }
  if (rows.empty()) {
    GTEST_SKIP() << "golden data absent: suite threshold of " << table.string();
  }
  const GoldenStore forecasts(forecast);
  std::vector<ThresholdScores> means =
      score_store(forecasts, GoldenStore(truth), TimelessStore(climate), TimelessStore(truth), GetParam());
  const Comparison result = compare(rows, means, forecasts.leads);
  RecordProperty("values_compared", static_cast<int>(result.rows));
  RecordProperty("largest_relative_difference", fmt::format("{:.2g}", result.largest));
  EXPECT_EQ(result.rows, rows.size());
  EXPECT_EQ(result.wrong, 0U) << "of " << result.rows << "; largest difference " << result.largest;

  // Must fail: thresholds under each other's names are noticed.
  std::rotate(means.begin(), means.begin() + 1, means.end());
  EXPECT_GT(compare(rows, means, forecasts.leads).wrong, result.rows / 2);
}

INSTANTIATE_TEST_SUITE_P(suites, GoldenThresholds, testing::Values("stored_quantile", "gaussian_quantile"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace mosaic::eval
