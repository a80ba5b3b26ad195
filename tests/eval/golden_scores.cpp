#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "eval/init_time_scorer.hpp"
#include "eval/results.hpp"
#include "eval/scores.hpp"
#include "stores/cf_time.hpp"
#include "stores/zarr.hpp"
#include "support/golden.hpp"

namespace mosaic::eval {
namespace {

std::vector<Time> times_of(const ZarrStore& store) {
  const auto values = store.read_double("time", ZarrBox::all(store.array("time")), 1);
  const ZarrArray& array = store.array("time");
  return decode_cf_times(values, array.attribute("units"), array.attribute("calendar"), store.path());
}

std::size_t place(const std::vector<std::int64_t>& axis, std::int64_t value) {
  return static_cast<std::size_t>(std::find(axis.begin(), axis.end(), value) - axis.begin());
}

/// Reads one field at the given indices of the leading dimensions, [longitude, latitude] -> [lat, lon].
void read_field(const ZarrStore& store, const Channel& channel, std::vector<std::size_t> start, float* out) {
  if (channel.level) {
    start.push_back(place(store.read_int64("level"), *channel.level));
  }
  const auto& shape = store.array(channel.variable).shape;
  const std::size_t n_lon = shape[shape.size() - 2];
  const std::size_t n_lat = shape.back();
  ZarrBox box{start, std::vector<std::size_t>(start.size(), 1)};
  box.start.insert(box.start.end(), {0, 0});
  box.count.insert(box.count.end(), {n_lon, n_lat});
  const std::vector<float> values = store.read_float(channel.variable, box, 1);
  for (std::size_t i = 0; i < n_lon * n_lat; ++i) {
    out[i % n_lat * n_lon + i / n_lat] = values[i];
  }
}

ScoreOptions options_for(const ZarrStore& forecast, const std::vector<std::string>& variables) {
  ScoreOptions options;
  for (const std::string& variable : variables) {
    if (forecast.array(variable).dimensions[3] != "level") {
      options.channels.push_back({variable, std::nullopt});
      continue;
    }
    for (const std::int64_t level : forecast.read_int64("level")) {
      options.channels.push_back({variable, static_cast<int>(level)});
    }
  }
  options.regions = known_regions();
  for (const std::int64_t hours : forecast.read_int64("prediction_timedelta")) {
    options.leads.push_back(Duration::hours(hours));
  }
  return options;
}

/// Scores all initial times of an ensemble store.
std::vector<InitTimeSums> score_store(const ZarrStore& forecast, const ZarrStore& truths,
                                      const ScoreOptions& options) {
  const auto grid = std::make_shared<LatLonGrid>(
      LatLonGrid{truths.read_double("latitude", ZarrBox::all(truths.array("latitude")), 1),
                 truths.read_double("longitude", ZarrBox::all(truths.array("longitude")), 1)});
  const auto channels = std::make_shared<ChannelSet>(options.channels);
  const std::size_t members = forecast.array("number").shape[0];
  const std::vector<Time> truth_times = times_of(truths);
  InitTimeScorer scorer(options, grid, channels, static_cast<int>(members));
  std::vector<std::vector<float>> states(members, std::vector<float>(channels->size() * grid->points()));
  std::vector<InitTimeSums> all;
  for (std::size_t t = 0; t < times_of(forecast).size(); ++t) {
    const Time initial = times_of(forecast)[t];
    scorer.begin(initial);
    for (std::size_t lead = 0; lead < options.leads.size(); ++lead) {
      State truth{initial + options.leads[lead], grid, channels, states[0]};
      const auto valid = static_cast<std::size_t>(
          std::find(truth_times.begin(), truth_times.end(), truth.time) - truth_times.begin());
      std::vector<const float*> pointers;
      for (std::size_t c = 0; c < channels->size(); ++c) {
        read_field(truths, (*channels)[c], {valid}, truth.field(c).data());
        for (std::size_t m = 0; m < members; ++m) {
          read_field(forecast, (*channels)[c], {t, m, lead}, states[m].data() + c * grid->points());
        }
      }
      for (const auto& state : states) {
        pointers.push_back(state.data());
      }
      scorer.add(lead, pointers, truth);
    }
    all.push_back(scorer.finish());
  }
  return all;
}

struct Row {
  std::string metric, region, variable, level, lead;
  double value;
};

std::vector<Row> read_rows(const std::filesystem::path& path, const std::string& suite) {
  std::ifstream file(path);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::vector<std::string> parts;
    for (std::string part; std::getline(fields, part, ',');) {
      parts.push_back(part);
    }
    if (parts.size() == 9 && parts[0] == suite && parts[7].empty()) {
      rows.push_back({parts[1], parts[2], parts[3], parts[4], parts[5], std::stod(parts[8])});
    }
  }
  return rows;
}

/// Place of a row's value in the metrics document, or nothing for rows of scores that are not made here.
std::optional<double> find_value(const NetcdfDocument& document, const ScoreOptions& options,
                                 const Row& row) {
  std::size_t index = 0;
  const auto add = [&](const auto& list, const auto& wanted) {
    const auto found = std::find(list.begin(), list.end(), wanted);
    index = index * list.size() + static_cast<std::size_t>(found - list.begin());
    return found != list.end();
  };
  const auto variable = std::find_if(document.variables.begin(), document.variables.end(),
                                     [&](const NetcdfVariable& v) { return v.name == row.variable; });
  if (variable == document.variables.end() ||
      !add(std::get<std::vector<std::string>>(document.variable("metric").values), row.metric) ||
      !add(std::get<std::vector<std::string>>(document.variable("region").values), row.region) ||
      !add(options.leads, Duration::hours(std::stol(row.lead))) ||
      (!row.level.empty() &&
       !add(std::get<std::vector<std::int32_t>>(document.variable("level").values), std::stoi(row.level)))) {
    return std::nullopt;
  }
  return std::get<std::vector<double>>(variable->values)[index];
}

/// Scores with the ensemble mean: WeatherBench 2 averages members in float32.
double tolerance(const std::string& metric) {
  static const std::set<std::string> of_mean = {"ensemble_mean_mse",   "debiased_ensemble_mean_mse",
                                                "ensemble_mean_rmse",  "spread_skill_raw",
                                                "spread_skill_fortin", "spread_skill_unbiased"};
  return of_mean.contains(metric) ? 1e-5 : 5e-7;
}

struct Comparison {
  std::size_t rows = 0, wrong = 0;
};

Comparison compare(const std::vector<Row>& rows, const NetcdfDocument& document,
                   const ScoreOptions& options) {
  Comparison result;
  for (const Row& row : rows) {
    const std::optional<double> value = find_value(document, options, row);
    if (value) {
      ++result.rows;
      const bool close = std::abs(*value - row.value) <= tolerance(row.metric) * std::abs(row.value);
      const bool right = std::isnan(row.value) ? std::isnan(*value) : close;
      result.wrong += right ? 0 : 1;
    }
  }
  return result;
}

class GoldenScores : public testing::TestWithParam<std::string> {};

TEST_P(GoldenScores, ensemble_scores_are_those_of_weatherbench) {
  const std::string folder = "eval/" + GetParam();
  GOLDEN_OR_SKIP(ensemble, folder + "/ensemble.zarr");
  GOLDEN_OR_SKIP(truth, folder + "/truth.zarr");
  GOLDEN_OR_SKIP(table, folder + "/expected/scores_wb2.csv");
  const ZarrStore forecast(ensemble.string());
  const ZarrStore truths(truth.string());
  ScoreOptions options =
      options_for(forecast, {"geopotential", "2m_temperature", "u_component_of_wind", "v_component_of_wind"});
  const std::vector<InitTimeSums> sums = score_store(forecast, truths, options);
  const std::vector<Row> rows = read_rows(table, "probabilistic");
  const Comparison result = compare(rows, metrics_document(sums, options), options);
  EXPECT_GT(result.rows, 0U);
  EXPECT_EQ(result.wrong, 0U) << "of " << result.rows;

  // Must fail: regions under each other's names are noticed.
  std::vector<InitTimeSums> shifted = sums;
  for (InitTimeSums& one : shifted) {
    std::rotate(one.regions.begin(), one.regions.begin() + 1, one.regions.end());
  }
  EXPECT_GT(compare(rows, metrics_document(shifted, options), options).wrong, result.rows / 2);
}

INSTANTIATE_TEST_SUITE_P(stores, GoldenScores, testing::Values("small", "medium"));

}  // namespace
}  // namespace mosaic::eval
