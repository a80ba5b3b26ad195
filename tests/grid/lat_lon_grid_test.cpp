#include "grid/lat_lon_grid.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "base/error.hpp"

namespace mosaic {
namespace {

// A weight is (J/2) (difference of two sines): an error of a few eps of 1, times J / 2.
double tolerance(std::size_t rows) { return 4.0 * 2.3e-16 * 0.5 * static_cast<double>(rows); }

std::vector<double> weights_of(std::vector<double> latitude) {
  return area_weights(LatLonGrid{std::move(latitude), {0.0}});
}

void expect_weights(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t j = 0; j < expected.size(); ++j) {
    EXPECT_NEAR(actual[j], expected[j], tolerance(expected.size())) << "row " << j;
  }
}

TEST(LatLonGrid, MakersGiveTheStatedCoordinates) {
  const LatLonGrid poles = LatLonGrid::with_poles(240, 121);
  EXPECT_EQ(poles.points(), 29040U);
  EXPECT_EQ(poles.latitude.front(), -90.0);
  EXPECT_EQ(poles.latitude[1], -88.5);
  EXPECT_EQ(poles.latitude[60], 0.0);
  EXPECT_EQ(poles.latitude.back(), 90.0);
  EXPECT_EQ(poles.longitude.back(), 358.5);
  const LatLonGrid cells = LatLonGrid::without_poles(64, 32);
  EXPECT_EQ(cells.latitude.front(), -87.1875);
  EXPECT_EQ(cells.latitude.back(), 87.1875);
  EXPECT_THROW(LatLonGrid::with_poles(240, 1), Error);
  EXPECT_THROW(LatLonGrid::without_poles(0, 32), Error);
}

TEST(AreaWeights, ThreeRowsWithPoles) {
  expect_weights(weights_of({-90, 0, 90}), {0.4393398282201788, 2.1213203435596424, 0.4393398282201788});
}

TEST(AreaWeights, PublishedGrid) {
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  const auto weights = area_weights(grid);
  const double limit = tolerance(121);
  EXPECT_NEAR(weights.front(), 0.005183181772576486, limit);
  EXPECT_NEAR(weights.back(), 0.005183181772576486, limit);
  EXPECT_NEAR(weights[119], 0.04146012566368802, limit);
  EXPECT_NEAR(weights[100], 0.7919205320663347, limit);
  EXPECT_NEAR(weights[90], 1.1199447567699374, limit);
  EXPECT_NEAR(weights[60], 1.5838410641326781, limit);
  EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 121.0, 121 * limit);
}

TEST(AreaWeights, SixRowsWithoutPoles) {
  expect_weights(weights_of({-75, -45, -15, 15, 45, 75}),
                 {0.4019237886466839, 1.0980762113533165, 1.5, 1.5, 1.0980762113533165, 0.4019237886466839});
}

TEST(AreaWeights, UnevenRowsCloseAtThePoles) {
  expect_weights(weights_of({-60, 10, 40}), {0.866072607388951, 1.2678547852220983, 0.8660726073889508});
}

TEST(AreaWeights, SubsetOfRowsGetsPolarCaps) {
  expect_weights(weights_of({-20, 0, 20}), {1.2395277334996047, 0.520944533000791, 1.2395277334996047});
}

TEST(AreaWeights, ThirtyTwoRowsWithoutPoles) {
  const auto weights = area_weights(LatLonGrid::without_poles(64, 32));
  EXPECT_NEAR(weights[0], 0.07704437324485092, tolerance(32));
  EXPECT_NEAR(weights[15], 1.5682742452729697, tolerance(32));
}

TEST(AreaWeights, PlainCosinesAreNotTheWeights) {  // must-fail twin
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  double sum = 0.0;
  for (const double latitude : grid.latitude) {
    sum += std::cos(latitude * std::numbers::pi / 180.0);
  }
  EXPECT_GT(std::abs(area_weights(grid)[60] - 121.0 / sum), 1e-4);
}

TEST(AreaWeights, RefusesLatitudesThatDoNotAscend) {
  EXPECT_THROW(weights_of({90, 0, -90}), Error);
  EXPECT_THROW(weights_of({-90, 0, 0}), Error);
  EXPECT_THROW(weights_of({-91, 0, 90}), Error);
  EXPECT_THROW(weights_of({-90, std::nan(""), 90}), Error);
  EXPECT_THROW(weights_of({}), Error);
}

}  // namespace
}  // namespace mosaic
