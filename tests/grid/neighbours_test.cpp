#include "grid/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "base/error.hpp"

namespace mosaic {
namespace {

/// The definition: all distances, sorted by (distance rounded to 1e-12 rad, index).
std::vector<std::int32_t> all_pairs(const SpherePoints& sources, const SpherePoints& targets, int k) {
  std::vector<std::int32_t> result;
  for (std::size_t target = 0; target < targets.size(); ++target) {
    std::vector<std::pair<double, std::int32_t>> order;
    for (std::size_t source = 0; source < sources.size(); ++source) {
      order.emplace_back(std::nearbyint(haversine_distance(targets, target, sources, source) * 1e12),
                         static_cast<std::int32_t>(source));
    }
    std::sort(order.begin(), order.end());
    for (int j = 0; j < k; ++j) {
      result.push_back(order[static_cast<std::size_t>(j)].second);
    }
  }
  return result;
}

TEST(SpherePoints, FollowTheModelsOrderAndRounding) {
  const SpherePoints points = sphere_points(LatLonGrid::with_poles(240, 121));
  ASSERT_EQ(points.size(), 29040U);
  EXPECT_EQ(points.latitude_degrees[0], -90.0F);
  EXPECT_EQ(points.latitude_degrees[1], -88.5F);
  EXPECT_EQ(points.longitude_degrees[121], 1.5F);
  EXPECT_EQ(points.lat_rad[120], 1.57079637F);
  EXPECT_NEAR(std::cos(points.lat_rad[120]), -4.37e-8F, 1e-10F);
  EXPECT_NEAR(points.xyz[3 * 60], 1.0F, 0.0F);  // longitude 0 on the equator
}

TEST(Haversine, ClosedForms) {
  SpherePoints points;
  points.lon_rad = {0.0F, 0.5F, 0.0F, 1.0F};
  points.lat_rad = {0.0F, 0.0F, 0.25F, 1.0F};
  EXPECT_NEAR(haversine_distance(points, 0, points, 1), 0.5, 1e-15);
  EXPECT_NEAR(haversine_distance(points, 0, points, 2), 0.25, 1e-15);
  EXPECT_NEAR(haversine_distance(points, 0, points, 3), std::acos(std::cos(1.0) * std::cos(1.0)), 1e-15);
  EXPECT_EQ(haversine_distance(points, 3, points, 3), 0.0);
}

struct Case {
  int n_lon, n_lat, nside, k;
};

class EveryPairOfMeshes : public testing::TestWithParam<Case> {};

TEST_P(EveryPairOfMeshes, EqualsAllPairs) {
  const auto [n_lon, n_lat, nside, k] = GetParam();
  const SpherePoints grid = sphere_points(LatLonGrid::with_poles(n_lon, n_lat));
  const SpherePoints mesh = sphere_points(HealpixMesh(nside));
  EXPECT_EQ(nearest_neighbours(grid, mesh, k, 1).index, all_pairs(grid, mesh, k));
  EXPECT_EQ(nearest_neighbours(mesh, grid, k, 2).index, all_pairs(mesh, grid, k));
}

INSTANTIATE_TEST_SUITE_P(Sizes, EveryPairOfMeshes,
                         testing::Values(Case{24, 13, 8, 24}, Case{24, 13, 4, 20}, Case{7, 5, 2, 1},
                                         Case{60, 31, 4, 9}, Case{8, 5, 1, 6}));

TEST(Neighbours, ThreadsDoNotChangeTheTable) {
  const SpherePoints grid = sphere_points(LatLonGrid::with_poles(60, 31));
  const SpherePoints mesh = sphere_points(HealpixMesh(16));
  EXPECT_EQ(nearest_neighbours(grid, mesh, 24, 1).index, nearest_neighbours(grid, mesh, 24, 3).index);
}

TEST(Neighbours, TiesGoByIndex) {
  SpherePoints sources;
  sources.lon_rad = {0.1F, -0.1F, 0.0F, 0.0F};
  sources.lat_rad = {0.0F, 0.0F, 0.1F, -0.1F};
  SpherePoints target;
  target.lon_rad = {0.0F};
  target.lat_rad = {0.0F};
  EXPECT_EQ(nearest_neighbours(sources, target, 3, 1).index, (std::vector<std::int32_t>{0, 1, 2}));
}

TEST(Neighbours, AnotherOrderOfPointsIsAnotherTable) {  // must-fail twin: latitude-slowest points
  const LatLonGrid grid = LatLonGrid::with_poles(24, 13);
  const SpherePoints points = sphere_points(grid);
  SpherePoints swapped = points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t other = (i % grid.longitude.size()) * grid.latitude.size() + i / grid.longitude.size();
    swapped.lon_rad[i] = points.lon_rad[other];
    swapped.lat_rad[i] = points.lat_rad[other];
  }
  const SpherePoints mesh = sphere_points(HealpixMesh(4));
  EXPECT_NE(nearest_neighbours(swapped, mesh, 24, 1).index, nearest_neighbours(points, mesh, 24, 1).index);
}

TEST(Neighbours, RefusesMoreNeighboursThanSources) {
  const SpherePoints mesh = sphere_points(HealpixMesh(1));
  EXPECT_NO_THROW(nearest_neighbours(mesh, mesh, 12, 1));
  EXPECT_THROW(nearest_neighbours(mesh, mesh, 13, 1), Error);
  EXPECT_THROW(nearest_neighbours(mesh, mesh, 0, 1), Error);
}

}  // namespace
}  // namespace mosaic
