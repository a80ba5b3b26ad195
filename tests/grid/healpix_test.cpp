#include "grid/healpix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/error.hpp"

namespace mosaic {
namespace {

double dot(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

class EveryMesh : public testing::TestWithParam<int> {
 protected:
  HealpixMesh mesh{GetParam()};
};

TEST_P(EveryMesh, CentresLieInTheirPixel) {
  for (std::int64_t pixel = 0; pixel < mesh.pixels(); ++pixel) {
    ASSERT_EQ(mesh.pixel_at(mesh.centre(pixel)), pixel);
    ASSERT_EQ(mesh.pixel_at(mesh.centre_vector(pixel)), pixel);
  }
}

TEST_P(EveryMesh, RingNumbersAreAPermutationWithItsInverse) {
  std::set<std::int64_t> seen;
  for (std::int64_t pixel = 0; pixel < mesh.pixels(); ++pixel) {
    const std::int64_t ring = mesh.ring_from_nested(pixel);
    ASSERT_TRUE(ring >= 0 && ring < mesh.pixels() && seen.insert(ring).second);
    ASSERT_EQ(mesh.nested_from_ring(ring), pixel);
  }
}

TEST_P(EveryMesh, RingsRunFromNorthToSouthAndEastwards) {
  LonLat before = mesh.centre(mesh.nested_from_ring(0));
  for (std::int64_t ring = 1; ring < mesh.pixels(); ++ring) {
    const LonLat place = mesh.centre(mesh.nested_from_ring(ring));
    const bool same_ring = std::abs(place.latitude - before.latitude) < 1e-9;
    ASSERT_TRUE(same_ring ? place.longitude > before.longitude : place.latitude < before.latitude) << ring;
    before = place;
  }
}

TEST_P(EveryMesh, ChildrenLieInTheirParent) {
  const HealpixMesh finer(2 * mesh.nside());
  for (std::int64_t child = 0; child < finer.pixels(); ++child) {
    ASSERT_EQ(mesh.pixel_at(finer.centre_vector(child)), child / 4);
  }
}

TEST_P(EveryMesh, CentresBalanceAboutTheOrigin) {
  std::array<double, 3> sum{};
  for (std::int64_t pixel = 0; pixel < mesh.pixels(); ++pixel) {
    const auto centre = mesh.centre_vector(pixel);
    ASSERT_NEAR(dot(centre, centre), 1.0, 1e-15);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      sum[axis] += centre[axis];
    }
  }
  for (const double component : sum) {
    EXPECT_NEAR(component, 0.0, 1e-15 * static_cast<double>(mesh.pixels()));
  }
}

INSTANTIATE_TEST_SUITE_P(Nside, EveryMesh, testing::Values(1, 2, 4, 16, 64));

TEST(HealpixMesh, BaseFaces) {
  const HealpixMesh mesh(1);
  EXPECT_NEAR(mesh.centre(0).longitude, 45.0, 1e-13);
  EXPECT_NEAR(mesh.centre(0).latitude, std::asin(2.0 / 3.0) * 180.0 / std::acos(-1.0), 1e-13);
  EXPECT_EQ(mesh.centre(4).longitude, 0.0);
  EXPECT_EQ(mesh.centre(4).latitude, 0.0);
  EXPECT_NEAR(mesh.centre(11).longitude, 315.0, 1e-13);
}

TEST(HealpixMesh, PlacesAtTheEdgesOfTheCoordinates) {
  const HealpixMesh mesh(64);
  for (const double latitude : {-90.0, -41.8, 0.0, 41.9, 90.0}) {
    EXPECT_EQ(mesh.pixel_at(LonLat{360.0, latitude}), mesh.pixel_at(LonLat{0.0, latitude}));
    EXPECT_EQ(mesh.pixel_at(LonLat{-90.0, latitude}), mesh.pixel_at(LonLat{270.0, latitude}));
    const std::int64_t pixel = mesh.pixel_at(LonLat{-1e-20, latitude});
    EXPECT_TRUE(pixel >= 0 && pixel < mesh.pixels());
  }
}

TEST(HealpixMesh, RefusesWhatIsNoMeshOrPlace) {
  EXPECT_THROW(HealpixMesh(0), Error);
  EXPECT_THROW(HealpixMesh(48), Error);
  EXPECT_THROW(HealpixMesh(-2), Error);
  const HealpixMesh mesh(2);
  EXPECT_THROW(mesh.centre(48), Error);
  EXPECT_THROW(mesh.ring_from_nested(-1), Error);
  EXPECT_THROW(mesh.nested_from_ring(48), Error);
  EXPECT_THROW(mesh.pixel_at(LonLat{0.0, 90.5}), Error);
  EXPECT_THROW(mesh.pixel_at(LonLat{std::nan(""), 0.0}), Error);
  EXPECT_THROW(mesh.pixel_at(std::array<double, 3>{0.0, 0.0, 0.0}), Error);
}

}  // namespace
}  // namespace mosaic
