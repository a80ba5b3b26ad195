#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.hpp"
#include "eval/init_time_scorer.hpp"
#include "eval/results.hpp"
#include "eval/score_shares.hpp"
#include "stores/netcdf_document.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic::eval {
namespace {

using test::code_of;

constexpr int member_count = 3;

class Sums : public testing::Test {
 protected:
  Sums() {
    options_.channels = {{"geopotential", 500}, {"2m_temperature", std::nullopt}, {"geopotential", 850}};
    options_.regions = regions_by_name({"global", "tropics"});
    options_.leads = {Duration::hours(6), Duration::hours(48)};
    options_.spectra_channels = {{"u_component_of_wind", 500}, {"v_component_of_wind", 500}};
    options_.climatology = true;
    options_.thresholds = {.quantiles = {0.25, 0.75},
                           .channels = {{"2m_temperature", std::nullopt}, {"geopotential", 850}}};
    options_.maps = {{{"geopotential", 850}}, {Duration::hours(48)}};
    // What a channel is called does not matter here: any field has dry, light and heavy values.
    options_.seeps.channels = {{"geopotential", 500}};
  }

  std::vector<float> random_state(unsigned seed) const {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(channels_->size() * grid_->points());
    std::generate(values.begin(), values.end(), [&] { return normal(engine); });
    return values;
  }

  /// Scores the chosen leads, in the order given, of pseudo-random forecasts that depend on time and lead.
  InitTimeSums score(Time time, const std::vector<std::size_t>& leads) const {
    return score(time, leads, options_);
  }
  InitTimeSums score(Time time, const std::vector<std::size_t>& leads, const ScoreOptions& options) const {
    InitTimeScorer scorer(options, grid_, channels_, member_count);
    scorer.begin(time);
    for (const std::size_t lead : leads) {
      const auto seed = static_cast<unsigned>(time.seconds / 3600 + 100 * lead);
      std::vector<std::vector<float>> states;
      std::vector<const float*> members;
      for (unsigned m = 0; m < member_count; ++m) {
        members.push_back(states.emplace_back(random_state(seed + m + 1)).data());
      }
      const Time valid = time + options_.leads[lead];
      ClimatologyFields climatology{{valid, grid_, channels_, random_state(seed + 50)}, {}, {}};
      for (std::size_t e = 0; e < options.seeps.channels.size(); ++e) {
        climatology.seeps.push_back({0.0, std::make_shared<const std::vector<float>>(grid_->points(), 0.5F),
                                     std::vector<float>(grid_->points(), 0.967F)});
      }
      for (std::size_t h = 0; h < options.thresholds.channels.size(); ++h) {
        for (const double threshold : {-0.5, 0.5}) {
          climatology.thresholds.insert(climatology.thresholds.end(), grid_->points(), threshold);
        }
      }
      scorer.add(lead, members, {valid, grid_, channels_, random_state(seed)}, &climatology);
    }
    return scorer.finish();
  }

  ScoreOptions options_;
  std::shared_ptr<const LatLonGrid> grid_ = std::make_shared<LatLonGrid>(LatLonGrid::with_poles(12, 7));
  std::shared_ptr<const ChannelSet> channels_ =
      std::make_shared<ChannelSet>(ChannelSet{{"v_component_of_wind", 500},
                                              {"2m_temperature", std::nullopt},
                                              {"geopotential", 850},
                                              {"u_component_of_wind", 500},
                                              {"geopotential", 500}});
};

// Results of initial times.
NetcdfDocument metrics_document_of(const std::vector<InitTimeSums>& sums, const ScoreOptions& options) {
  return metrics_document(time_mean(sums, options), options);
}
NetcdfDocument spectra_document_of(const std::vector<InitTimeSums>& sums, const ScoreOptions& options) {
  return spectra_document(time_mean(sums, options), options);
}
NetcdfDocument thresholds_document_of(const std::vector<InitTimeSums>& sums, const ScoreOptions& options) {
  return thresholds_document(time_mean(sums, options), options);
}

const std::vector<double>& doubles(const NetcdfDocument& document, const std::string& name) {
  return std::get<std::vector<double>>(document.variable(name).values);
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

TEST_F(Sums, a_file_gives_them_back) {
  const InitTimeSums sums = score({0}, {0, 1});
  const std::string path = test::scratch_dir("sums") / "sums.nc";
  write_netcdf(path, to_netcdf(sums, options_));
  const InitTimeSums back = from_netcdf(read_netcdf(path));
  EXPECT_NO_THROW(require_same_axes(sums, back));
  EXPECT_EQ(back.scored, sums.scored);
  EXPECT_EQ(back.means, sums.means);
  EXPECT_TRUE(same_bits(back.spectra, sums.spectra));
  EXPECT_EQ(back.ranks, sums.ranks);
  EXPECT_EQ(back.by_degree.values, sums.by_degree.values);
  EXPECT_EQ(back.maps.values, sums.maps.values);
  EXPECT_EQ(back.seeps.means, sums.seeps.means);
  EXPECT_EQ(back.thresholds.means, sums.thresholds.means);
  EXPECT_EQ(back.thresholds.reliability, sums.thresholds.reliability);
  EXPECT_EQ(back.thresholds.channels, options_.thresholds.channels);
  EXPECT_EQ(back.thresholds.quantiles, options_.thresholds.quantiles);
}

TEST_F(Sums, order_of_leads_and_initial_times_does_not_matter) {
  const InitTimeSums first = score({0}, {0, 1});
  const InitTimeSums swapped = score({0}, {1, 0});
  EXPECT_EQ(first.means, swapped.means);
  EXPECT_TRUE(same_bits(first.spectra, swapped.spectra));
  const InitTimeSums second = score({43200}, {0, 1});
  const InitTimeSums third = score({86400}, {0, 1});
  const auto ascending = metrics_document_of({first, second, third}, options_);
  const auto mixed = metrics_document_of({third, first, second}, options_);
  EXPECT_TRUE(same_bits(doubles(ascending, "geopotential"), doubles(mixed, "geopotential")));
  const auto merged = merge_sums({third, first});
  EXPECT_EQ(all_from_netcdf(merged)[0].initial_time, Time{0});
  EXPECT_EQ(all_from_netcdf(merged)[1].means, third.means);
}

/// Also with more parts than channels, where some parts score nothing.
TEST_F(Sums, shares_put_together_are_the_whole) {
  options_.spectra_channels = {
      {"u_component_of_wind", 500}, {"geopotential", 850}, {"v_component_of_wind", 500}};
  const InitTimeSums whole = score({0}, {1});
  for (const std::size_t parts : {1U, 2U, 3U, 7U}) {
    const ScoreShares shares(options_, *grid_, member_count, parts);
    std::vector<std::vector<double>> numbers;
    std::size_t channels = 0;
    for (std::size_t part = 0; part < parts; ++part) {
      numbers.push_back(ScoreShares::numbers_of(score({0}, {1}, shares.share(part))));
      channels += shares.share(part).channels.size() + shares.share(part).spectra_channels.size();
    }
    EXPECT_EQ(channels, options_.channels.size() + options_.spectra_channels.size());
    const InitTimeSums joined = shares.join({0}, numbers);
    EXPECT_EQ(joined.scored, whole.scored);
    EXPECT_TRUE(same_bits(ScoreShares::numbers_of(joined), ScoreShares::numbers_of(whole)))
        << parts << " parts";
    auto& first = numbers.front();  // the twin that must fail
    *std::find_if(first.begin() + 2, first.end(), [](double x) { return std::isfinite(x); }) += 1;
    EXPECT_FALSE(
        same_bits(ScoreShares::numbers_of(shares.join({0}, numbers)), ScoreShares::numbers_of(whole)));
    numbers.front().pop_back();
    EXPECT_EQ(code_of([&] { shares.join({0}, numbers); }), ExitCode::internal);
  }
}

TEST_F(Sums, changed_fields_are_noticed) { EXPECT_NE(score({0}, {0, 1}).means, score({3600}, {0, 1}).means); }

TEST_F(Sums, metrics_have_the_published_layout) {
  const auto document = metrics_document_of({score({0}, {0, 1})}, options_);
  EXPECT_EQ(document.variable("geopotential").dimensions,
            (std::vector<std::string>{"metric", "region", "lead_time", "level"}));
  EXPECT_EQ(document.variable("2m_temperature").dimensions,
            (std::vector<std::string>{"metric", "region", "lead_time"}));
  const auto& metrics = std::get<std::vector<std::string>>(document.variable("metric").values);
  EXPECT_TRUE(std::is_sorted(metrics.begin(), metrics.end()));
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(document.variable("lead_time").values),
            (std::vector<std::int64_t>{6, 48}));
}

TEST_F(Sums, a_lead_without_truth_is_missing_and_does_not_enter_the_mean) {
  const InitTimeSums whole = score({0}, {0, 1});
  const InitTimeSums partial = score({43200}, {0});
  EXPECT_TRUE(std::isnan(partial.mean(1, 0, 0)[0]));
  const auto both = metrics_document_of({whole, partial}, options_);
  const auto alone = metrics_document_of({whole}, options_);
  const auto counts = std::get<std::vector<std::int64_t>>(both.variable("initial_times_scored").values);
  EXPECT_EQ(counts, (std::vector<std::int64_t>{2, 1}));
  // [metric, region, lead]: the second lead comes from the whole one alone.
  EXPECT_EQ(doubles(both, "2m_temperature")[1], doubles(alone, "2m_temperature")[1]);
  EXPECT_NE(doubles(both, "2m_temperature")[0], doubles(alone, "2m_temperature")[0]);
}

// The same for every point and lead, so that numbers can be counted by hand.
TEST_F(Sums, scores_at_quantiles_have_their_places) {
  const InitTimeSums first = score({0}, {0, 1});
  const InitTimeSums second = score({43200}, {0, 1});
  const auto document = thresholds_document_of({first, second}, options_);
  EXPECT_EQ(document.variable("geopotential").dimensions,
            (std::vector<std::string>{"metric", "region", "lead_time", "level", "quantile"}));
  const auto& brier = doubles(document, "2m_temperature");  // [metric, region, lead, quantile]
  const auto& thresholds = first.thresholds;
  for (std::size_t lead = 0; lead < 2; ++lead) {
    for (std::size_t q = 0; q < 2; ++q) {
      const std::size_t from = thresholds.mean_offset(lead, 0, 1, 2) + q;  // tropics
      EXPECT_DOUBLE_EQ(brier[(1 * 2 + lead) * 2 + q],
                       (thresholds.means[from][0] + second.thresholds.means[from][0]) / 2);
    }
  }
  const auto& reliability = doubles(document, "2m_temperature_reliability");
  double forecasts = 0;  // of the first lead and quantile: the weights of all points, twice
  for (std::size_t k = 0; k <= member_count; ++k) {
    forecasts += reliability[k];
  }
  EXPECT_NEAR(forecasts, 2 * 7 * 12, 1e-12) << "weights of rows add up to their number";
}

TEST_F(Sums, the_ranked_probability_score_is_a_sum_over_quantiles) {
  const std::vector<InitTimeSums> sums = {score({0}, {0, 1})};
  const auto metrics = metrics_document_of(sums, options_);
  const auto thresholds = thresholds_document_of(sums, options_);
  const auto& names = std::get<std::vector<std::string>>(metrics.variable("metric").values);
  const auto rps = static_cast<std::size_t>(std::find(names.begin(), names.end(), "rps") - names.begin());
  ASSERT_LT(rps, names.size());
  const auto& terms = doubles(thresholds, "2m_temperature");
  const std::size_t last = 3 * 2 * 2 * 2;  // ranked_probability is the last metric
  EXPECT_EQ(doubles(metrics, "2m_temperature")[rps * 4], terms[last] + terms[last + 1]);
  EXPECT_TRUE(std::isnan(doubles(metrics, "geopotential")[rps * 8])) << "500 hPa has no thresholds";
  options_.thresholds = {};
  const auto without = metrics_document_of({score({0}, {0, 1})}, options_);
  const auto& fewer = std::get<std::vector<std::string>>(without.variable("metric").values);
  EXPECT_EQ(std::count(fewer.begin(), fewer.end(), "rps"), 0);
}

// The leads of 6 h and 48 h from 30 November are in different seasons.
// Half of a standard normal distribution is dry, a third of the other half heavy: independent members
// score 1.
TEST_F(Sums, seeps_of_independent_members_is_near_one) {
  std::vector<InitTimeSums> sums;
  for (int day = 0; day < 20; ++day) {
    sums.push_back(score({86400 * day}, {0}));
  }
  const auto metrics = metrics_document(time_mean(sums, options_), options_);
  const auto& names = std::get<std::vector<std::string>>(metrics.variable("metric").values);
  const auto seeps = static_cast<std::size_t>(std::find(names.begin(), names.end(), "seeps") - names.begin());
  ASSERT_LT(seeps, names.size());
  const double value = doubles(metrics, "geopotential")[seeps * 8];  // global, 6 h, 500 hPa
  // 3 members x 20 times x 84 points share 20 x 84 truths, costs of standard deviation below 1.5: 0.04.
  EXPECT_NEAR(value, 1.0, 0.12);
  EXPECT_TRUE(std::isnan(doubles(metrics, "geopotential")[seeps * 8 + 1])) << "850 hPa has none";
}

TEST_F(Sums, seasons_are_those_of_valid_times) {
  const Time autumn = parse_time("2020-11-29T00"), winter = parse_time("2020-12-29T00");
  const std::vector<InitTimeSums> sums = {score(autumn, {0, 1}), score(winter, {0, 1})};
  const auto seasons = seasons_document(sums, options_);
  EXPECT_EQ(seasons.variable("2m_temperature").dimensions,
            (std::vector<std::string>{"season", "metric", "region", "lead_time"}));
  const auto& counts = std::get<std::vector<std::int64_t>>(seasons.variable("initial_times_scored").values);
  EXPECT_EQ(counts, (std::vector<std::int64_t>{1, 2, 0, 0, 0, 0, 1, 0}));  // [season, lead]
  const auto& values = doubles(seasons, "2m_temperature");
  const auto alone = metrics_document_of({sums[1]}, options_);
  const auto both = metrics_document_of(sums, options_);
  const std::size_t size = doubles(alone, "2m_temperature").size();
  ASSERT_EQ(values.size(), 4 * size);
  EXPECT_EQ(values[0], doubles(alone, "2m_temperature")[0]) << "6 h: winter has one";
  EXPECT_EQ(values[1], doubles(both, "2m_temperature")[1]) << "48 h: winter has both";
  EXPECT_TRUE(std::isnan(values[size])) << "no spring";
}

// The area mean of a map is the score; the mean over initial times is that of all of them.
TEST_F(Sums, maps_average_to_the_scores) {
  const std::vector<InitTimeSums> sums = {score({0}, {0, 1}), score({43200}, {0, 1}), score({86400}, {0})};
  MapMean mean;
  for (const InitTimeSums& one : sums) {
    mean.add(one, options_);
  }
  const auto maps = mean.document(options_);
  EXPECT_EQ(maps.variable("geopotential").dimensions,
            (std::vector<std::string>{"metric", "lead_time", "level", "latitude", "longitude"}));
  const auto metrics = metrics_document(time_mean(sums, options_), options_);
  const auto& names = std::get<std::vector<std::string>>(metrics.variable("metric").values);
  const auto& map_names = std::get<std::vector<std::string>>(maps.variable("metric").values);
  const std::vector<double> weights = area_weights(*grid_);
  for (std::size_t m = 0; m < map_names.size(); ++m) {
    const auto metric =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), map_names[m]) - names.begin());
    ASSERT_LT(metric, names.size()) << map_names[m];
    double area_mean = 0;
    for (std::size_t i = 0; i < grid_->points(); ++i) {
      area_mean += weights[i / 12] * doubles(maps, "geopotential")[m * grid_->points() + i] / (7 * 12);
    }
    // [metric, region, lead, level]; values are rounded to float32 (2^-24 of at most 10) in the maps.
    EXPECT_NEAR(area_mean, doubles(metrics, "geopotential")[metric * 8 + 3], 1e-6) << map_names[m];
  }
}

TEST_F(Sums, spectra_of_kinds_differ_and_have_their_places) {
  const auto document = spectra_document_of({score({0}, {0, 1})}, options_);
  EXPECT_EQ(document.variable("kinetic_energy").dimensions,
            (std::vector<std::string>{"kind", "lead_time", "level", "latitude_band", "zonal_wavenumber"}));
  const auto& values = doubles(document, "kinetic_energy");
  const std::size_t kind = 2 * 3 * 7;  // leads x bands x wavenumbers
  ASSERT_EQ(values.size(), 3 * kind);
  EXPECT_GT(values[1], values[kind + 1]) << "the mean of independent members has less energy than they";
}

// Total, rotational and divergent energy of every kind, lead and degree.
TEST_F(Sums, parts_of_the_kinetic_energy_add_up) {
  const auto document = spectra_document_of({score({0}, {0, 1})}, options_);
  const auto& total = doubles(document, "kinetic_energy_by_degree");
  const auto& rotational = doubles(document, "rotational_kinetic_energy_by_degree");
  const auto& divergent = doubles(document, "divergent_kinetic_energy_by_degree");
  EXPECT_EQ(document.variable("kinetic_energy_by_degree").dimensions,
            (std::vector<std::string>{"kind", "lead_time", "level", "degree"}));
  ASSERT_EQ(total.size(), 3U * 2 * 6);  // kinds, leads, degrees 0 ... 5 of 7 latitudes
  for (std::size_t i = 0; i < total.size(); ++i) {
    EXPECT_NEAR(total[i], rotational[i] + divergent[i], 1e-14) << i;
    EXPECT_EQ(total[i] > 0, i % 6 != 0) << "only degree 0 has none, " << i;
  }
}

TEST_F(Sums, wrong_use_is_refused) {
  EXPECT_EQ(code_of([&] {
              ScoreOptions unfit = options_;
              unfit.climatology = false;
              InitTimeScorer(unfit, grid_, channels_, 1);
            }),
            ExitCode::internal)
      << "quantiles without a climatology";
  options_.thresholds = {};
  options_.seeps = {};
  options_.climatology = false;
  InitTimeScorer scorer(options_, grid_, channels_, 1);
  const std::vector<float> values = random_state(1);
  const std::vector<const float*> member = {values.data()};
  const State truth{Time{6 * 3600}, grid_, channels_, values};
  EXPECT_THROW(scorer.add(0, member, truth), Error) << "before begin()";
  scorer.begin({0});
  EXPECT_THROW(scorer.add(1, member, truth), Error) << "truth of another time";
  scorer.add(0, member, truth);
  EXPECT_THROW(scorer.add(0, member, truth), Error) << "twice";
  scorer.begin({0});
  const ClimatologyFields climatology{truth, {}, {}};
  EXPECT_THROW(scorer.add(0, member, truth, &climatology), Error) << "a climatology that was not announced";
  options_.channels.push_back({"specific_humidity", 700});
  EXPECT_THROW(InitTimeScorer(options_, grid_, channels_, 1), Error);
}

TEST_F(Sums, sums_that_cannot_be_merged_are_corrupt_input) {
  const InitTimeSums once = score({0}, {0});
  EXPECT_EQ(code_of([&] { merge_sums({once, once}); }), ExitCode::corrupt_input) << "twice";
  EXPECT_EQ(code_of([&] { merge_sums({}); }), ExitCode::corrupt_input) << "none";
  InitTimeSums other = score({3600}, {0});
  other.regions.front() = "elsewhere";
  std::string message;
  EXPECT_EQ(code_of([&] { merge_sums({once, other}); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find("regions"), std::string::npos) << message;
  EXPECT_EQ(code_of([&] {
              metrics_document_of({score({0}, {0}), other}, options_);
            }),
            ExitCode::corrupt_input);
  auto damaged = to_netcdf(once, options_);
  std::get<std::vector<double>>(damaged.variables.back().values).pop_back();
  EXPECT_EQ(code_of([&] { from_netcdf(damaged); }), ExitCode::corrupt_input) << "a value is missing";
}

TEST_F(Sums, the_table_names_channels_and_leads) {
  const std::string table = score_table(time_mean({score({0}, {0, 1})}, options_));
  EXPECT_NE(table.find("geopotential_850 [m2 s-2]"), std::string::npos);
  EXPECT_NE(table.find(" 6h "), std::string::npos);
  EXPECT_NE(table.find(" 48h "), std::string::npos) << "one unit for all leads";
}

}  // namespace
}  // namespace mosaic::eval
