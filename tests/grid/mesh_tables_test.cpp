#include "grid/mesh_tables.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace mosaic {
namespace {

constexpr float eps = std::numeric_limits<float>::epsilon();

TEST(RelativePositions, AreUnitVectorsFromSourceToTarget) {
  // Without a row on the equator no source coincides with a target.
  const SpherePoints sources = sphere_points(LatLonGrid::with_poles(24, 12));
  const SpherePoints targets = sphere_points(HealpixMesh(4));
  const NeighbourTable table = nearest_neighbours(sources, targets, 5, 1);
  const std::vector<float> rel = relative_positions(sources, targets, table);
  ASSERT_EQ(rel.size(), table.index.size() * 3);
  for (std::size_t i = 0; i < table.index.size(); ++i) {
    const float* r = &rel[3 * i];
    const float* to = &targets.xyz[3 * (i / 5)];
    const float* from = &sources.xyz[3 * static_cast<std::size_t>(table.index[i])];
    float along = 0.0F;
    for (int axis = 0; axis < 3; ++axis) {
      along += r[axis] * (to[axis] - from[axis]);
    }
    ASSERT_NEAR(r[0] * r[0] + r[1] * r[1] + r[2] * r[2], 1.0F, 8 * eps);
    ASSERT_GT(along, 0.0F);
  }
}

TEST(RelativePositions, AreZeroWhereSourceAndTargetCoincide) {
  const SpherePoints points = sphere_points(HealpixMesh(2));
  const std::vector<float> rel = relative_positions(points, points, nearest_neighbours(points, points, 1, 1));
  for (const float component : rel) {
    EXPECT_EQ(component, 0.0F);
  }
}

TEST(RelativePositions, RefuseATableOfOtherPoints) {
  const SpherePoints fine = sphere_points(HealpixMesh(4));
  const SpherePoints coarse = sphere_points(HealpixMesh(2));
  const NeighbourTable table = nearest_neighbours(fine, coarse, 3, 1);
  EXPECT_THROW(relative_positions(fine, fine, table), Error);
  EXPECT_THROW(relative_positions(coarse, coarse, table), Error);
}

TEST(ChildOffsets, ColumnsAreStandardised) {
  const HealpixMesh parents(8);
  const std::vector<float> offsets = standardised_child_offsets(parents);
  const auto rows = static_cast<double>(parents.pixels());
  ASSERT_EQ(offsets.size(), static_cast<std::size_t>(parents.pixels()) * 12);
  for (std::size_t column = 0; column < 12; ++column) {
    double sum = 0.0;
    double squares = 0.0;
    for (std::size_t i = column; i < offsets.size(); i += 12) {
      sum += offsets[i];
      squares += static_cast<double>(offsets[i]) * offsets[i];
    }
    EXPECT_NEAR(sum / rows, 0.0, eps);
    if (column == 5 || column == 8) {
      // The eastern and western child lie on their parent's circle of latitude: no z offset at all.
      EXPECT_EQ(squares, 0.0) << "column " << column;
    } else {
      // The 1e-6 in the denominator, relative to deviations of at least 0.005.
      EXPECT_NEAR(squares / (rows - 1.0), 1.0, 4e-4) << "column " << column;
    }
  }
}

TEST(RopeTables, AnglesAreLongitudesThenLatitudes) {
  SpherePoints points;
  points.lon_rad = {2.0F};
  points.lat_rad = {-0.5F};
  const RopeTables tables = rope_tables(points, 8);
  ASSERT_EQ(tables.angles, 4);
  const std::vector<double> angles{2.0, 0.02, -0.5, -0.005};
  for (std::size_t m = 0; m < angles.size(); ++m) {
    EXPECT_NEAR(tables.cosine[m], std::cos(angles[m]), 2 * eps);
    EXPECT_NEAR(tables.sine[m], std::sin(angles[m]), 2 * eps);
  }
  EXPECT_THROW(rope_tables(points, 6), Error);
  EXPECT_THROW(rope_tables(points, 0), Error);
}

}  // namespace
}  // namespace mosaic
