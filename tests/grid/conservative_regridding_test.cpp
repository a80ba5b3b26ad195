#include "grid/conservative_regridding.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "base/error.hpp"

namespace mosaic {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// All weights of a target cell. Shape: [source].
std::vector<double> dense(const OverlapWeights& cell, std::size_t sources) {
  std::vector<double> weights(sources, 0.0);
  for (const auto& [index, weight] : cell) {
    weights[index] = weight;
  }
  return weights;
}

void expect_weights(const OverlapWeights& cell, const std::vector<double>& expected) {
  const std::vector<double> weights = dense(cell, expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(weights[i], expected[i], 1e-12 * std::abs(expected[i])) << i;
  }
}

std::vector<double> equidistant(double first, double step, int count) {
  std::vector<double> values;
  for (int i = 0; i < count; ++i) {
    values.push_back(first + step * i);
  }
  return values;
}

std::vector<float> random_fields(std::size_t size) {
  std::mt19937 bits(7);
  std::vector<float> fields(size);
  for (float& value : fields) {
    value = static_cast<float>(bits()) * 0x1p-32F;
  }
  return fields;
}

TEST(LatitudeOverlaps, AreDifferencesOfSines) {
  const auto halves = latitude_overlaps({-67.5, -22.5, 22.5, 67.5}, {-45, 45});
  expect_weights(halves[0], {0.29289321881345254, 0.7071067811865475, 0, 0});
  expect_weights(halves[1], {0, 0, 0.7071067811865475, 0.29289321881345254});
  const auto poles = latitude_overlaps({-90, -45, 0, 45, 90}, {-90, 0, 90});
  expect_weights(poles[0], {0.25989153247414504, 0.740108467525855, 0, 0, 0});
  expect_weights(poles[1], {0, 0.22940194992690147, 0.541196100146197, 0.22940194992690147, 0});
}

TEST(LongitudeOverlaps, GoAroundTheCircle) {
  const auto weights = longitude_overlaps(equidistant(0, 45, 8), equidistant(0, 90, 4));
  expect_weights(weights[0], {.5, .25, 0, 0, 0, 0, 0, .25});
  expect_weights(weights[3], {0, 0, 0, 0, 0, .25, .5, .25});
}

TEST(Overlaps, OfPublishedGrids) {
  const LatLonGrid fine = LatLonGrid::with_poles(1440, 721);
  const LatLonGrid coarse = LatLonGrid::with_poles(240, 121);
  const auto latitudes = latitude_overlaps(fine.latitude, coarse.latitude);
  ASSERT_EQ(latitudes[60].size(), 7U);
  EXPECT_EQ(latitudes[60].front().first, 357U);
  EXPECT_NEAR(latitudes[60].front().second, 0.0833296974406828, 1e-13);
  EXPECT_NEAR(latitudes[60][3].second, 0.16667129419283427, 1e-13);
  ASSERT_EQ(latitudes[0].size(), 4U);
  const double pole[] = {0.02777816340070795, 0.22222451391954204, 0.44444479700611883, 0.30555252567363117};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(latitudes[0][i].second, pole[i], 1e-11);  // differences of sines near 1
  }
  const auto longitudes = longitude_overlaps(fine.longitude, coarse.longitude);
  for (const OverlapWeights& cell : longitudes) {
    ASSERT_EQ(cell.size(), 7U);
  }
  EXPECT_NEAR(longitudes[1].front().second, 1.0 / 12, 1e-13);
  EXPECT_NEAR(longitudes[1][1].second, 1.0 / 6, 1e-13);
}

TEST(ConservativeRegridding, MissingValuesAreLeftOut) {
  const ConservativeRegridding regridding({{0}, equidistant(0, 45, 8)}, {{0}, equidistant(0, 90, 4)});
  std::vector<float> field = {1, nan, 3, 4, 5, 6, 7, 8};
  const auto result = regridding.apply(field, 1);
  EXPECT_FLOAT_EQ(result[0], 3.3333333333333335F);
  EXPECT_EQ(result[2], 5.0F);
  field = {nan, nan, 3, 4, 5, 6, 7, nan};
  EXPECT_TRUE(std::isnan(regridding.apply(field, 1)[0]));
}

TEST(ConservativeRegridding, KeepsConstantsAndMeans) {
  const LatLonGrid grids[] = {LatLonGrid::with_poles(36, 19),
                              LatLonGrid::without_poles(64, 32),
                              LatLonGrid::with_poles(7, 4),
                              {{-60, 10, 50}, {5, 100, 290}}};
  for (const LatLonGrid& from : grids) {
    for (const LatLonGrid& to : grids) {
      const ConservativeRegridding regridding(from, to);
      for (const float value : regridding.apply(std::vector<float>(from.points(), 273.15F), 2)) {
        EXPECT_EQ(value, 273.15F);
      }
    }
  }
  const auto mean = [](const LatLonGrid& grid, const std::vector<float>& field) {
    double sum = 0;
    const auto weights = area_weights(grid);
    for (std::size_t i = 0; i < field.size(); ++i) {
      sum += weights[i / grid.longitude.size()] * field[i] / static_cast<double>(field.size());
    }
    return sum;
  };
  for (std::size_t from = 0; from < 3; ++from) {  // equidistant longitudes: what the plain mean assumes
    for (std::size_t to = 0; to < 3; ++to) {
      const std::vector<float> field = random_fields(grids[from].points());
      const auto result = ConservativeRegridding(grids[from], grids[to]).apply(field, 1);
      EXPECT_NEAR(mean(grids[to], result), mean(grids[from], field), 0x1p-24) << from << " " << to;
    }
  }
}

TEST(ConservativeRegridding, TheSameGridChangesNothing) {
  for (const LatLonGrid& grid : {LatLonGrid::with_poles(36, 19), LatLonGrid::without_poles(64, 32)}) {
    std::vector<float> field = random_fields(grid.points());
    field[40] = nan;
    const auto result = ConservativeRegridding(grid, grid).apply(field, 1);
    for (std::size_t i = 0; i < field.size(); ++i) {
      EXPECT_TRUE(result[i] == field[i] || (std::isnan(result[i]) && i == 40)) << i;
    }
  }
}

TEST(ConservativeRegridding, CellsBeyondAPartOfTheGlobeAreNan) {
  const LatLonGrid part{equidistant(30, 1, 31), equidistant(10, 1, 51)};  // cells 29.5 ... 60.5, 9.5 ... 60.5
  const LatLonGrid target = LatLonGrid::with_poles(36, 19);               // cells of 10 degrees, about 0
  const auto result = ConservativeRegridding(part, target).apply(std::vector<float>(part.points(), 1.0F), 1);
  for (std::size_t j = 0; j < 19; ++j) {
    for (std::size_t i = 0; i < 36; ++i) {
      const bool inside = j >= 13 && j <= 14 && i >= 2 && i <= 5;  // 35 ... 55 north, 15 ... 55 east
      EXPECT_EQ(std::isnan(result[j * 36 + i]), !inside) << j << " " << i;
    }
  }
}

TEST(ConservativeRegridding, DoesNotDependOnThreads) {
  const LatLonGrid from = LatLonGrid::with_poles(240, 121);
  const ConservativeRegridding regridding(from, LatLonGrid::without_poles(64, 32));
  const std::vector<float> fields = random_fields(7 * from.points());
  const auto one = regridding.apply(fields, 1);
  EXPECT_EQ(one.size(), 7U * 64 * 32);
  EXPECT_EQ(regridding.apply(fields, 3), one);
}

TEST(ConservativeRegridding, RefusesOtherGridsAndParts) {
  EXPECT_THROW(latitude_overlaps({90, 0, -90}, {0}), Error);
  EXPECT_THROW(longitude_overlaps({0, 360}, {0}), Error);
  EXPECT_THROW(longitude_overlaps({}, {0}), Error);
  const LatLonGrid grid = LatLonGrid::with_poles(4, 3);
  EXPECT_THROW(ConservativeRegridding(grid, grid).apply(std::vector<float>(13), 1), Error);
}

}  // namespace
}  // namespace mosaic
