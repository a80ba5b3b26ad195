#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "eval/regions.hpp"
#include "eval/scores.hpp"
#include "eval/spectra.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "kernels/kokkos_session.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

namespace mosaic::eval {
namespace {

using kernels::AreaMask;
using kernels::EnsembleStatisticsBackend;
using kernels::Statistic;
using kernels::Statistics;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

/// Statistics of fields on `rows` x `columns` points over one area with the given row weights.
Statistics statistics_of(const std::vector<std::vector<float>>& members, const std::vector<float>& truth,
                         const std::vector<double>& row_weight, EnsembleStatisticsBackend backend) {
  std::vector<const float*> pointers;
  for (const std::vector<float>& member : members) {
    pointers.push_back(member.data());
  }
  const std::size_t columns = truth.size() / row_weight.size();
  const AreaMask area{row_weight, std::vector<std::uint8_t>(columns, 1), nullptr};
  Statistics means{};
  kernels::ensemble_statistics({.members = pointers,
                                .truth = truth.data(),
                                .latitudes = row_weight.size(),
                                .longitudes = columns,
                                .areas = std::span(&area, 1),
                                .means = std::span(&means, 1),
                                .threads = 2},
                               backend);
  return means;
}

/// One ensemble at one point with its scores.
struct PointCase {
  std::vector<float> members;
  float truth;
  double skill, spread, crps, variance, mean_mse, debiased;
};

class PointScores : public testing::TestWithParam<EnsembleStatisticsBackend> {
 protected:
  Statistics at_point(const std::vector<float>& members, float truth) const {
    std::vector<std::vector<float>> fields;
    for (const float member : members) {
      fields.push_back({member});
    }
    return statistics_of(fields, {truth}, {1.0}, GetParam());
  }
};

std::vector<float> one_to_fifty() {
  std::vector<float> members;
  for (int m = 50; m >= 1; --m) {
    members.push_back(static_cast<float>(m));
  }
  return members;
}

TEST_P(PointScores, closed_forms) {
  const std::vector<PointCase> cases = {
      {{3}, 1, 2, 0, 2, 0, 4, nan_value},
      {{0, 2}, 1, 1, 2, 0, 2, 0, -1},
      {{0, 2}, 3, 2, 2, 1, 2, 4, 3},
      {{1, 2, 4}, 3, 4.0 / 3, 2, 1.0 / 3, 7.0 / 3, 4.0 / 9, -1.0 / 3},
      {{4, 1, 2}, 3, 4.0 / 3, 2, 1.0 / 3, 7.0 / 3, 4.0 / 9, -1.0 / 3},
      {{5, 5, 5, 5}, 7, 2, 0, 2, 0, 4, 4},
      {{1, 1, 3}, 2, 1, 4.0 / 3, 1.0 / 3, 4.0 / 3, 1.0 / 9, -1.0 / 3},
      {one_to_fifty(), 25.5, 12.5, 17, 4, 212.5, 0, -4.25},
      {{50000, 50001, 50003}, 50002, 4.0 / 3, 2, 1.0 / 3, 7.0 / 3, 4.0 / 9, -1.0 / 3},
      {{-1, -1, 1, 1}, 0, 1, 4.0 / 3, 1.0 / 3, 4.0 / 3, 0, -1.0 / 3},
      {{-3, -1, 0, 5, 9}, -2, 4.4, 6, 1.4, 24, 16, 11.2},
  };
  for (const PointCase& expected : cases) {
    const int members = static_cast<int>(expected.members.size());
    const Statistics means = at_point(expected.members, expected.truth);
    const auto check = [&](const char* name, double value) {
      const double got = score_by_name(name).value(time_means_of_one(means), members);
      if (std::isnan(value)) {
        EXPECT_TRUE(std::isnan(got)) << name << " M=" << members;
      } else {
        // Doubles of magnitude up to 5e4 are summed: 5e4 * 2^-52 * a few terms.
        EXPECT_NEAR(got, value, 1e-9) << name << " M=" << members;
      }
    };
    check("crps_skill", expected.skill);
    check("crps_spread", expected.spread);
    check("crps", expected.crps);
    check("ensemble_variance", expected.variance);
    check("ensemble_mean_mse", expected.mean_mse);
    check("debiased_ensemble_mean_mse", expected.debiased);
  }
}

TEST_P(PointScores, missing_members_propagate) {
  for (const float where : {0.0F, 1.0F, 2.0F}) {
    std::vector<float> members = {1, 3, 2, 5};
    members[static_cast<std::size_t>(where)] = std::nanf("");
    const Statistics means = at_point(members, 2);
    for (std::size_t s = 0; s < static_cast<std::size_t>(Statistic::energy_skill); ++s) {
      EXPECT_TRUE(std::isnan(means[s])) << s;
    }
  }
  std::vector<float> odd = {1, std::nanf(""), 3};
  EXPECT_TRUE(std::isnan(at(at_point(odd, 2), Statistic::spread)));
  EXPECT_TRUE(std::isnan(at(at_point({1, 3}, std::nanf("")), Statistic::absolute_error)));
}

// T23: two initial times; ratios are taken of the means.
TEST_P(PointScores, spread_skill_after_the_time_mean) {
  Statistics mean = at_point({0, 2}, 4);
  const Statistics second = at_point({1, 5}, 5);
  for (std::size_t s = 0; s < mean.size(); ++s) {
    mean[s] = (mean[s] + second[s]) / 2.0;
  }
  EXPECT_NEAR(score_by_name("spread_skill_raw").value(time_means_of_one(mean), 2), 0.8770580193070292, 1e-12);
  EXPECT_NEAR(score_by_name("spread_skill_fortin").value(time_means_of_one(mean), 2), 1.0741723110591492,
              1e-12);
  EXPECT_NEAR(score_by_name("spread_skill_unbiased").value(time_means_of_one(mean), 2), 1.118033988749895,
              1e-12);
  EXPECT_TRUE(
      std::isnan(score_by_name("spread_skill_unbiased").value(time_means_of_one(at_point({1, 5}, 3)), 2)));
}

// T06, T07: three rows with area weights, two columns.
TEST_P(PointScores, area_weights) {
  const std::vector<double> weights = area_weights(LatLonGrid{{-90, 0, 90}, {0, 180}});
  const Statistics first = statistics_of({{1, 1, 2, 2, 3, 3}}, std::vector<float>(6, 0), weights, GetParam());
  const Statistics second =
      statistics_of({{0, 0, 4, 0, 0, 0}}, std::vector<float>(6, 0), weights, GetParam());
  EXPECT_NEAR(at(first, Statistic::squared_error), 4.292893218813453, 1e-12);
  EXPECT_NEAR(at(second, Statistic::squared_error), 5.65685424949238, 1e-12);
  EXPECT_NEAR((at(first, Statistic::error) + at(second, Statistic::error)) / 2, 1.7071067811865475, 1e-12);
  Statistics mean{};
  at(mean, Statistic::squared_error) =
      (at(first, Statistic::squared_error) + at(second, Statistic::squared_error)) / 2;
  EXPECT_NEAR(score_by_name("rmse").value(time_means_of_one(mean), 1), 2.2304424973876635, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(backends, PointScores,
                         testing::Values(EnsembleStatisticsBackend::reference,
                                         EnsembleStatisticsBackend::kokkos));

std::vector<float> random_field(std::size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(5.5e4F, 30.0F);
  std::vector<float> field(size);
  for (float& value : field) {
    value = normal(engine);
  }
  return field;
}

TEST(EnsembleStatistics, backends_agree_on_awkward_shapes) {
  for (const std::size_t members : {1U, 2U, 3U, 7U, 24U}) {
    const LatLonGrid grid = LatLonGrid::with_poles(13, 9);
    std::vector<std::vector<float>> fields;
    for (unsigned m = 0; m < members; ++m) {
      fields.push_back(random_field(grid.points(), m + 1));
    }
    const std::vector<float> truth = random_field(grid.points(), 99);
    const std::vector<double> weights = area_weights(grid);
    const auto expected = statistics_of(fields, truth, weights, EnsembleStatisticsBackend::reference);
    const auto got = statistics_of(fields, truth, weights, EnsembleStatisticsBackend::kokkos);
    for (std::size_t s = 0; s < got.size(); ++s) {
      // The spread subtracts values of 5.5e4 (rounding 1e-11) from each other, its own size is 30.
      EXPECT_TRUE((std::isnan(got[s]) && std::isnan(expected[s])) ||
                  std::abs(got[s] - expected[s]) <= 1e-10 * std::max(1.0, std::abs(expected[s])))
          << members << " " << s;
    }
  }
}

TEST(EnsembleStatistics, an_area_without_cells_is_not_a_number) {
  const Statistics means = statistics_of({{1, 2}}, {0, 0}, {0.0}, EnsembleStatisticsBackend::kokkos);
  EXPECT_TRUE(std::isnan(at(means, Statistic::error)));
}

TEST(Regions, rows_columns_and_area_of_the_published_table) {
  struct Expected {
    const char* name;
    long rows, columns;
    double fraction;
  };
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  const double sphere = 121.0 * 240.0;
  for (const Expected& expected : std::vector<Expected>{{"global", 121, 240, 1.0},
                                                        {"tropics", 27, 240, 0.346117057},
                                                        {"extra-tropics", 94, 240, 0.653882943},
                                                        {"northern-hemisphere", 47, 240, 0.326941471},
                                                        {"southern-hemisphere", 47, 240, 0.326941471},
                                                        {"europe", 27, 37, 0.030223274},
                                                        {"north-america", 24, 31, 0.029310259},
                                                        {"north-atlantic", 27, 40, 0.040790286},
                                                        {"north-pacific", 24, 57, 0.053893057},
                                                        {"east-asia", 24, 32, 0.030255751},
                                                        {"ausnz", 22, 37, 0.038202848},
                                                        {"arctic", 21, 240, 0.070296794},
                                                        {"antarctic", 21, 240, 0.070296794}}) {
    const Region region = regions_by_name({expected.name}).front();
    const auto [weights, columns, no_land] = area_mask(region, grid, nullptr);
    const auto inside = std::count(columns.begin(), columns.end(), 1);
    double sum = 0.0;
    for (const double weight : weights) {
      sum += weight;
    }
    EXPECT_EQ(std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; }), expected.rows);
    EXPECT_EQ(inside, expected.columns) << expected.name;
    EXPECT_NEAR(sum * static_cast<double>(inside) / sphere, expected.fraction, 1e-9) << expected.name;
  }
}

// Every point of the globe is in one part, bounds and poles included.
TEST(Regions, bins_share_no_point_and_leave_none_out) {
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  for (const auto& [name, count] : {std::pair{"latitude-bins:10", 18}, {"boxes:30", 72}, {"boxes:180", 2}}) {
    std::vector<int> parts(grid.points(), 0);
    const std::vector<Region> regions = regions_by_name({name});
    EXPECT_EQ(std::ssize(regions), count) << name;
    for (const Region& region : regions) {
      const auto mask = area_mask(region, grid, nullptr);
      for (std::size_t i = 0; i < parts.size(); ++i) {
        parts[i] += mask.weight_at(i / 240, i % 240) > 0 ? 1 : 0;
      }
    }
    EXPECT_EQ(std::count(parts.begin(), parts.end(), 1), std::ssize(parts)) << name;
  }
  for (const char* wrong : {"latitude-bins:7", "boxes:", "boxes:0", "boxes:30x30", "latitude-bins:-10"}) {
    EXPECT_THROW(regions_by_name({wrong}), Error) << wrong;
  }
}

TEST(Regions, unknown_names_are_refused) {
  try {
    regions_by_name({"global", "atlantis"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_configuration);
    EXPECT_NE(std::string(error.what()).find("atlantis"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("extra-tropics"), std::string::npos);
  }
}

// T29: mean, one wave and the shortest wave, whose power is doubled as in WeatherBench 2.
TEST(ZonalSpectrum, closed_form) {
  const LatLonGrid grid{{0.0, 60.0}, {0, 45, 90, 135, 180, 225, 270, 315}};
  std::vector<float> field;
  for (int row = 0; row < 2; ++row) {
    for (int l = 0; l < 8; ++l) {
      field.push_back(
          static_cast<float>(3.0 + 2.0 * std::cos(2.0 * M_PI * l / 8.0) + (l % 2 == 0 ? 0.5 : -0.5)));
    }
  }
  const std::vector<double> spectrum = zonal_energy_spectrum(field, grid, 1);
  const double circumference = 40008182.443466015;
  const std::vector<double> expected = {9, 2, 0, 0, 0.5};
  for (std::size_t k = 0; k < 5; ++k) {
    EXPECT_NEAR(spectrum[k], circumference * expected[k], 40.0) << k;  // float32 field: 1e-7 of 9 C
    EXPECT_NEAR(spectrum[5 + k], 20004091.22173301 * expected[k], 20.0) << k;
  }
}

TEST(ZonalSpectrum, backends_agree) {
  for (const std::size_t longitudes : {1U, 2U, 7U, 8U, 15U, 240U}) {
    const std::vector<float> field = random_field(3 * longitudes, 5);
    const std::size_t size = 3 * kernels::zonal_wavenumbers(longitudes);
    std::vector<double> reference(size);
    std::vector<double> fast(size);
    kernels::zonal_spectrum({field, longitudes, reference, 1}, kernels::ZonalSpectrumBackend::reference);
    kernels::zonal_spectrum({field, longitudes, fast, 2}, kernels::ZonalSpectrumBackend::cpu);
    for (std::size_t i = 0; i < size; ++i) {
      // Rounding of |F|: 5.5e4 * 2^-52 * sqrt(L) against |F| of about 2.
      EXPECT_NEAR(fast[i], reference[i], 1e-8 + 1e-12 * reference[i]) << longitudes << " " << i;
    }
  }
}

std::vector<std::string> environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  return entries;
}

// A setenv here once met the forecast writer's thread inside HDF5's getenv: a segmentation fault of a rank.
// In a process of its own, where Kokkos has not been started yet.
TEST(KokkosSessionDeathTest, starting_leaves_the_environment_alone) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const auto before = environment();
        kernels::ensure_kokkos(1);
        std::_Exit(environment() == before ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(ZonalSpectrum, a_wind_gives_its_kinetic_energy) {
  const auto quantities = spectrum_quantities({{"geopotential", 500},
                                               {"u_component_of_wind", 500},
                                               {"v_component_of_wind", 500},
                                               {"u_component_of_wind", 850},
                                               {"10m_v_component_of_wind", std::nullopt},
                                               {"10m_u_component_of_wind", std::nullopt}});
  ASSERT_EQ(quantities.size(), 4U);
  EXPECT_EQ(quantities[0].variable, "geopotential");
  EXPECT_EQ(quantities[1].variable, "kinetic_energy");
  EXPECT_EQ(quantities[1].channels, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(quantities[2].variable, "u_component_of_wind");
  EXPECT_EQ(quantities[3].variable, "10m_kinetic_energy");
}

TEST(ZonalSpectrum, uneven_longitudes_are_refused) {
  EXPECT_THROW(zonal_energy_spectrum(std::vector<float>(4), LatLonGrid{{0.0}, {0, 90, 181, 270}}, 1), Error);
}

}  // namespace
}  // namespace mosaic::eval
