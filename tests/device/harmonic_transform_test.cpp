#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "device/waves_case.hpp"
#include "fmt/format.h"
#include "grid/harmonic_tables.hpp"
#include "grid/legendre.hpp"
#include "kernels/harmonic_transform/harmonic_transform_device.hpp"
#include "kernels/numbers.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

/// Tables [R, J] and the winds (u and v; u is the scalar as well).
struct HarmonicCase {
  HarmonicShape shape;
  std::vector<double> scalar, slope, turning;
  WavesCase u, v;

  HarmonicCase(const LatLonGrid& grid, std::size_t members, HarmonicMethod method = HarmonicMethod::exact)
      : shape{grid.latitude.size(), grid.longitude.size(), 0},
        u(members, shape.latitudes, shape.longitudes, 1),
        v(members, shape.latitudes, shape.longitudes, 2) {
    HarmonicTables tables = make_harmonic_tables(grid, method, 1);
    shape.lmax = tables.lmax;
    scalar = std::move(tables.scalar);
    slope = std::move(tables.slope);
    turning = std::move(tables.turning);
  }

  /// Normal numbers in place of tables.
  HarmonicCase(const HarmonicShape& shape, std::size_t members)
      : shape(shape),
        scalar(normal_numbers<double>(shape.rows() * shape.latitudes, 3)),
        slope(normal_numbers<double>(shape.rows() * shape.latitudes, 4)),
        turning(normal_numbers<double>(shape.rows() * shape.latitudes, 5)),
        u(members, shape.latitudes, shape.longitudes, 1),
        v(members, shape.latitudes, shape.longitudes, 2) {}

  std::size_t fields() const { return u.members.size() + 2; }
};

/// [F, lmax + 1] of scalars, rotational and divergent winds, one after the other.
std::vector<double> device_power(const HarmonicCase& which) {
  const auto fields = static_cast<std::int64_t>(which.fields());
  const HarmonicShape& shape = which.shape;
  const auto table = [&](const std::vector<double>& rows) {
    return upload_doubles(harmonic_table(shape, rows));
  };
  const DeviceMemory u = which.u.waves(), v = which.v.waves(), scalar = table(which.scalar),
                     slope = table(which.slope), turning = table(which.turning);
  const auto size = fields * static_cast<std::int64_t>(shape.lmax + 1);
  const DeviceMemory power = poisoned_doubles(3 * size);
  MatrixProducts products;
  const Stream stream;
  DeviceScalarHarmonicsArgs scalars{.fields = fields,
                                    .shape = shape,
                                    .waves = u.as<double>(),
                                    .scalar = scalar.as<double>(),
                                    .power = power.as<double>()};
  const DeviceMemory scalar_rows = poisoned_doubles(scalars.row_numbers()),
                     scalar_coefficients = poisoned_doubles(scalars.coefficient_numbers());
  scalars.rows = scalar_rows.as<double>();
  scalars.coefficients = scalar_coefficients.as<double>();
  scalar_harmonics(scalars, products, stream);
  DeviceVectorHarmonicsArgs winds{.fields = fields,
                                  .shape = shape,
                                  .u_waves = u.as<double>(),
                                  .v_waves = v.as<double>(),
                                  .slope = slope.as<double>(),
                                  .turning = turning.as<double>(),
                                  .rotational = power.as<double>() + size,
                                  .divergent = power.as<double>() + 2 * size};
  const DeviceMemory wind_rows = poisoned_doubles(winds.row_numbers()),
                     wind_coefficients = poisoned_doubles(winds.coefficient_numbers());
  winds.rows = wind_rows.as<double>();
  winds.coefficients = wind_coefficients.as<double>();
  vector_harmonics(winds, products, stream);
  stream.wait();
  std::vector<double> result = download_doubles(power);
  mark_undefined(result, shape.lmax + 1);
  return result;
}

std::vector<const float*> pointers(const std::vector<std::vector<float>>& fields) {
  std::vector<const float*> list;
  std::for_each(fields.begin(), fields.end(), [&](const auto& field) { list.push_back(field.data()); });
  return list;
}

/// As device_power, by the definition.
std::vector<double> reference_power(const HarmonicCase& which) {
  const auto u = which.u.fields(), v = which.v.fields();
  const auto u_fields = pointers(u), v_fields = pointers(v);
  const std::size_t size = u.size() * (which.shape.lmax + 1);
  std::vector<double> power(3 * size);
  const std::span<double> all(power);
  scalar_harmonics_reference<float>({u_fields, which.shape, which.scalar, all.first(size), {}});
  vector_harmonics_reference<float>({u_fields, v_fields, which.shape, which.slope, which.turning,
                                     all.subspan(size, size), all.subspan(2 * size)});
  return power;
}

/// Largest sum of magnitudes of a row.
double row_norm(const std::vector<double>& table, std::size_t latitudes) {
  double largest = 0;
  for (std::size_t first = 0; first < table.size(); first += latitudes) {
    double sum = 0;
    for (std::size_t j = 0; j < latitudes; ++j) {
      sum += std::abs(table[first + j]);
    }
    largest = std::max(largest, sum);
  }
  return largest;
}

/// Largest difference of coefficients of winds. With |f| <= x and rows of tables of norm s, F_m is off by
/// (L + 4) u x in each part, a part of a coefficient by s x u (L + J + 6), in the definition as well:
/// together they differ by 3 s x u (L + J + 6). Winds have two such sums in a coefficient, scalars one.
double coefficient_limit(const HarmonicCase& which) {
  const HarmonicShape& shape = which.shape;
  const double s = std::max({row_norm(which.scalar, shape.latitudes), row_norm(which.slope, shape.latitudes),
                             row_norm(which.turning, shape.latitudes)});
  const auto terms = static_cast<double>(shape.latitudes + shape.longitudes);
  return 6 * s * std::max(which.u.size(), which.v.size()) * (terms + 7) * 0x1p-53;
}

/// With coefficients that differ by d, a power P = sum_m factor |B_lm|^2, whose factors add up to l + 1/2
/// (scalars: 2 l + 1, and half of d), differs by 2 d sqrt(l + 1) sqrt(P) (Cauchy and Schwarz), the squares of
/// d, and the roundings of l + 1 sums on both sides.
double power_limit(double d, std::size_t degree, double power) {
  const auto terms = static_cast<double>(degree + 1);
  return 2 * d * std::sqrt(terms * power) + terms * d * d + 2 * (terms + 4) * 0x1p-53 * power;
}

/// The device's power against the definition of `truth`; an empty text if they agree.
std::string difference(const std::vector<double>& ours, const HarmonicCase& truth) {
  const auto expected = reference_power(truth);
  const double d = coefficient_limit(truth);
  const std::size_t degrees = truth.shape.lmax + 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double limit = power_limit(d, i % degrees, expected[i]);
    if (!(same_bits(ours[i], expected[i]) || std::abs(ours[i] - expected[i]) <= limit)) {
      return fmt::format("{} x {}: kind and field {} of {}, degree {}: {} instead of {}, limit {}",
                         truth.shape.longitudes, truth.shape.latitudes, i / degrees, 3 * truth.fields(),
                         i % degrees, ours[i], expected[i], limit);
    }
  }
  return "";
}

LatLonGrid gaussian_grid(int longitudes, int latitudes) {
  LatLonGrid grid = LatLonGrid::without_poles(longitudes, latitudes);
  const auto theta = gauss_rule(grid.latitude.size()).theta;
  std::transform(theta.rbegin(), theta.rend(), grid.latitude.begin(), [](Extended angle) {
    return static_cast<double>(90 - angle * 180 / std::numbers::pi_v<Extended>);
  });
  return grid;
}

using DeviceHarmonicTransform = DeviceTest;

TEST_F(DeviceHarmonicTransform, FollowsReferenceOnGrids) {
  for (const LatLonGrid& grid : {LatLonGrid::with_poles(24, 13), LatLonGrid::with_poles(26, 12),
                                 LatLonGrid::without_poles(27, 13), gaussian_grid(27, 13)}) {
    for (const std::size_t members : {1U, 2U, 5U}) {
      const HarmonicCase which(grid, members);
      EXPECT_EQ(difference(device_power(which), which), "") << members << " members";
    }
  }
  const HarmonicCase gaussian(gaussian_grid(64, 32), 2);
  EXPECT_EQ(difference(device_power(gaussian), gaussian), "");
}

/// The shortest wave of the grid is among the orders.
TEST_F(DeviceHarmonicTransform, FollowsReferenceUpToHalfTheLongitudes) {
  const HarmonicCase which(LatLonGrid::with_poles(24, 13), 2, HarmonicMethod::direct);
  ASSERT_EQ(which.shape.lmax, 12U);
  EXPECT_EQ(difference(device_power(which), which), "");
}

TEST_F(DeviceHarmonicTransform, FollowsReferenceInAwkwardShapes) {
  for (const HarmonicShape& shape :
       {HarmonicShape{1, 1, 0}, {2, 2, 1}, {3, 5, 2}, {9, 16, 3}, {33, 70, 35}}) {
    const HarmonicCase which(shape, 2);
    EXPECT_EQ(difference(device_power(which), which), "");
  }
}

TEST_F(DeviceHarmonicTransform, FollowsReferenceAtOneAndAHalfDegrees) {
  const HarmonicCase which(LatLonGrid::with_poles(240, 121), 1);
  EXPECT_EQ(difference(device_power(which), which), "");
}

TEST_F(DeviceHarmonicTransform, TablesHoldTheirRowsAndZeros) {
  const HarmonicShape shape{5, 8, 3};
  const std::vector<double> table = normal_numbers<double>(shape.rows() * 5, 1);
  const std::vector<double> matrices = harmonic_table(shape, table);
  ASSERT_EQ(matrices.size(), 4U * 8U * 8U);
  for (std::size_t i = 0; i < matrices.size(); ++i) {
    const std::size_t m = i / 64, l = m + i / 8 % 8, j = i % 8;
    EXPECT_EQ(matrices[i], l <= 3 && j < 5 ? table[shape.row(m, l) * 5 + j] : 0.0) << i;
  }
  EXPECT_EQ(test::code_of([&] { harmonic_table(shape, std::vector<double>(7)); }), ExitCode::internal);
}

TEST_F(DeviceHarmonicTransform, BitsDependNeitherOnOtherFieldsNorOnOrder) {
  const HarmonicCase which(LatLonGrid::with_poles(24, 13), 5);
  const auto all = device_power(which);
  HarmonicCase alone = which;
  alone.u.members = {which.u.members[3]};
  alone.v.members = {which.v.members[3]};
  const auto few = device_power(alone);
  const std::size_t degrees = which.shape.lmax + 1;
  for (std::size_t kind = 0; kind < 3; ++kind) {
    for (std::size_t l = 0; l < degrees; ++l) {
      EXPECT_EQ(few[3 * kind * degrees + l], all[(7 * kind + 3) * degrees + l]) << kind << " " << l;
      EXPECT_EQ(few[(3 * kind + 2) * degrees + l], all[(7 * kind + 6) * degrees + l]) << kind << " " << l;
    }
  }
  in_all_orders([&] { return device_power(which); });
}

TEST_F(DeviceHarmonicTransform, WhatIsNotFiniteStaysInItsFields) {
  for (const float bad : {NAN, INFINITY}) {
    for (const std::size_t place : {0U, 6U * 24U + 3U, 12U * 24U + 23U}) {  // a pole, the equator, a pole
      HarmonicCase which(LatLonGrid::with_poles(24, 13), 3);
      const auto clean = device_power(which);
      which.v.members[1][place] = bad;
      const auto spoilt = device_power(which);
      EXPECT_EQ(difference(spoilt, which), "");
      const std::size_t degrees = which.shape.lmax + 1;
      for (std::size_t i = 0; i < spoilt.size(); ++i) {
        const std::size_t kind = i / degrees / 5, field = i / degrees % 5;
        const bool hit = kind > 0 && (field == 1 || field == 3);  // winds of the member and of the mean
        EXPECT_TRUE(hit ? std::isnan(spoilt[i]) : spoilt[i] == clean[i]) << i << ": " << spoilt[i];
      }
    }
  }
}

TEST_F(DeviceHarmonicTransform, MustFailTwins) {
  const HarmonicCase right(LatLonGrid::with_poles(24, 13), 2);
  HarmonicCase wrong = right;
  std::swap(wrong.slope, wrong.turning);
  EXPECT_NE(difference(device_power(wrong), right), "");
  wrong = right;
  std::swap(wrong.u, wrong.v);
  EXPECT_NE(difference(device_power(wrong), right), "");
  wrong = right;  // southward winds
  for (auto& member : wrong.v.members) {
    std::for_each(member.begin(), member.end(), [](float& x) { x = -x; });
  }
  EXPECT_NE(difference(device_power(wrong), right), "");
  wrong = right;  // no more than what float32 loses of a table
  for (double& number : wrong.scalar) {
    number = static_cast<float>(number);
  }
  EXPECT_NE(difference(device_power(wrong), right), "");
}

TEST_F(DeviceHarmonicTransform, RefusesOtherShapes) {
  MatrixProducts products;
  const auto scalars = [&](std::int64_t fields, const HarmonicShape& shape) {
    return test::code_of([&] { scalar_harmonics({.fields = fields, .shape = shape}, products, Stream()); });
  };
  const auto winds = [&](std::int64_t fields, const HarmonicShape& shape) {
    return test::code_of([&] { vector_harmonics({.fields = fields, .shape = shape}, products, Stream()); });
  };
  EXPECT_EQ(scalars(0, {4, 8, 3}), ExitCode::internal);
  EXPECT_EQ(scalars(1, {4, 8, 5}), ExitCode::internal);
  EXPECT_EQ(winds(32768, {4, 8, 3}), ExitCode::internal);
  EXPECT_EQ(winds(1, {0, 8, 3}), ExitCode::internal);
}

}  // namespace
}  // namespace mosaic::kernels
