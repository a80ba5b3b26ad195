// The climate of years at T21 against the ranges of the spec of the simulated world, sections 4 and 8.

#include <gtest/gtest.h>

#include <algorithm>

#include "world/climate.hpp"

namespace mosaic::world {
namespace {

/// Measured by an independent implementation, 6 members x 2 years; in the order of the columns.
struct Stated {
  Season season;
  Hemisphere hemisphere;
  std::array<double, levels> jets;          ///< [m s-1]
  double deviation;                         ///< of z500, largest zonal mean [m]
  std::array<double, levels> eddy_kinetic;  ///< largest zonal mean [m2 s-2]
};

constexpr std::array<Stated, 4> stated = {
    {{Season::december_to_february, Hemisphere::north, {45.2, 23.8, 12.8}, 144, {239, 126, 64}},
     {Season::december_to_february, Hemisphere::south, {38.6, 21.6, 10.8}, 108, {121, 70, 36}},
     {Season::june_to_august, Hemisphere::north, {32.8, 17.1, 6.8}, 89, {95, 50, 24}},
     {Season::june_to_august, Hemisphere::south, {45.5, 25.2, 13.9}, 121, {173, 95, 50}}}};

TEST(WorldClimate, YearsAtT21AreInsideTheStatedRanges) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "ten minutes with sanitizers; the same code runs in the other tests of the world";
#endif
  ClimateRequest request;
  request.parameters = parameters_of(21);
  request.members = 8;
  request.years = 1;
  request.threads = 2;
  const auto simulated = simulate_climate(request, [](double) { return true; });
  ASSERT_TRUE(simulated.has_value());
  const Climate& climate = *simulated;
  for (const Stated& column : stated) {
    const SeasonClimate& season = climate.seasons[column.season == Season::december_to_february ? 0 : 1];
    for (std::size_t level = 0; level < levels; ++level) {
      EXPECT_NEAR(peak(climate, season.zonal_wind[level], column.hemisphere).value, column.jets[level], 2);
      // Zonal means of 8 realizations of a season's eddies: about 5 % between seeds, three times that here.
      EXPECT_NEAR(peak(climate, season.eddy_kinetic[level], column.hemisphere).value,
                  column.eddy_kinetic[level], 0.15 * column.eddy_kinetic[level]);
    }
    EXPECT_NEAR(peak(climate, zonal_mean(climate, season.height_deviation), column.hemisphere).value,
                column.deviation, 0.1 * column.deviation);
  }
  EXPECT_NEAR(climate.slope(0, 8, 19), -3.9, 0.3);
  EXPECT_NEAR(climate.slope(1, 8, 19), -2.0, 0.3);
  EXPECT_NEAR(climate.slope(2, 8, 19), -2.0, 0.3);
  EXPECT_NEAR(climate.slope(levels, 8, 19), -2.8, 0.3);
  EXPECT_NEAR(climate.relaxation, 1.66, 0.05 * 1.66);
  EXPECT_NEAR(climate.drag, -1.11, 0.05 * 1.11);
  EXPECT_NEAR(climate.diffusion, -0.54, 0.05 * 0.54);
  EXPECT_NEAR(climate.relaxation + climate.drag + climate.diffusion, climate.change, 0.01) << "W m-2";
  EXPECT_NEAR(climate.twins[0].doubling_days, 2.4, 0.6);
  EXPECT_LT(climate.twins[0].doubling_days, climate.twins[1].doubling_days) << "summer is calm";
}

}  // namespace
}  // namespace mosaic::world
