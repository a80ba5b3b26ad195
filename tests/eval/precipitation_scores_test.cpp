#include "eval/precipitation_scores.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "eval/climatology_output.hpp"
#include "eval/climatology_times.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic::eval {
namespace {

constexpr const char* in_a_day = "total_precipitation_24hr";
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Dry fractions 0.2 at hour 0 and 0.4 at hour 12, h = 1 mm + dayofyear um; the first point is always dry.
std::string write_climate(const std::shared_ptr<const LatLonGrid>& grid) {
  ClimatologyContents contents;
  contents.grid = grid;
  contents.hours = {0, 12};
  contents.channels = {{in_a_day, {}}};
  contents.statistics = {ClimatologyStatistic::seeps};
  contents.years = {2019};
  const std::string path = (test::scratch_dir("seeps_climate") / "climate.zarr").string();
  const ClimatologyOutput output(path, contents);
  output.create();
  for (const ClimatologyField& field : contents.fields(in_a_day)) {
    for (std::size_t hour = 0; hour < 2; ++hour) {
      for (std::size_t chunk = 0; chunk < contents.chunk_count(); ++chunk) {
        std::vector<float> values;
        const std::size_t first = chunk * contents.chunk_days();
        for (std::size_t day = first; day < std::min(first + contents.chunk_days(), climatology_days);
             ++day) {
          for (std::size_t point = 0; point < grid->points(); ++point) {
            const bool is_fraction = field.suffix == "_seeps_dry_fraction";
            const float fraction = point == 0 ? 1.0F : hour == 0 ? 0.2F : 0.4F;
            values.push_back(is_fraction ? fraction : 1e-3F + 1e-6F * static_cast<float>(day + 1));
          }
        }
        output.write({in_a_day, {}}, field, hour, chunk, values);
      }
    }
  }
  output.finish();
  return path;
}

TEST(SeepsScores, MembersAndTheirMeanFromAClimatology) {
  const auto grid = std::make_shared<const LatLonGrid>(LatLonGrid{{-45.0, 45.0}, {0.0, 180.0}});
  ClimatologyStore store(write_climate(grid), {});
  const SeepsClimate climate(store, in_a_day);
  EXPECT_EQ(climate.dry_threshold(), 0.25e-3);
  EXPECT_FLOAT_EQ(climate.dry_fraction()[1], 0.3F);
  EXPECT_EQ(climate.dry_fraction()[0], 1.0F);
  EXPECT_FLOAT_EQ(climate.at(parse_time("2020-12-31T12")).wet_threshold[3], 1.366e-3F);

  // h = 1.061 mm on 1 March 2020. The first point does not count; the truth is dry, light, heavy.
  const std::vector<float> truth = {0, 0, 1e-3F, 2e-3F};
  const std::vector<std::vector<float>> members = {truth, {0, 2e-3F, 2e-3F, 2e-3F}, {0, 0, 0, nan}};
  const std::vector<const float*> pointers = {members[0].data(), members[1].data(), members[2].data()};
  kernels::AreaMask everywhere{{1.0, 1.0}, {1, 1}};
  kernels::AreaMask north{{0.0, 1.0}, {1, 1}};
  const std::vector<kernels::AreaMask> areas = {everywhere, north};
  const SeepsScores scores = score_seeps(pointers, truth.data(), climate.at(parse_time("2020-03-01T00")),
                                         *grid, areas, kernels::SeepsVariant::corrected, 1);
  ASSERT_EQ(scores.members.size(), 6U);
  const auto cost = kernels::seeps_matrix(0.3F);
  EXPECT_EQ(scores.members[0], 0.0);
  EXPECT_NEAR(scores.members[1], (cost[2][0] + cost[2][1]) / 3.0, 1e-6);
  EXPECT_NEAR(scores.members[2], cost[0][1] / 2.0, 1e-6);  // without the point that is missing
  EXPECT_NEAR(scores.members[3 + 1], cost[2][1] / 2.0, 1e-6);
  // The mean of the members is 0.67 mm (light), 1 mm (light) and missing.
  EXPECT_NEAR(scores.ensemble_mean[0], cost[1][0] / 2.0, 1e-6);
  EXPECT_NEAR(scores.ensemble_mean[1], 0.0, 1e-6);
  EXPECT_EQ(test::code_of([&] { SeepsClimate(store, "2m_temperature"); }), ExitCode::missing_input);
  EXPECT_EQ(test::code_of([&] { SeepsClimate(store, "total_precipitation_6hr"); }), ExitCode::missing_input);
}

}  // namespace
}  // namespace mosaic::eval
