#include "kernels/harmonic_transform/harmonic_transform.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.hpp"
#include "kernels/dense_product.hpp"
#include "kernels/numbers.hpp"
#include "kernels/real_fourier.hpp"

namespace mosaic::kernels {
namespace {

/// Numbers with the symmetry that the contract asks of tables, of either parity; no real harmonics.
std::vector<double> symmetric_table(const HarmonicShape& shape, unsigned seed, bool even) {
  std::vector<double> table = normal_numbers<double>(shape.rows() * shape.latitudes, seed);
  for (std::size_t m = 0; m <= shape.lmax; ++m) {
    for (std::size_t l = m; l <= shape.lmax; ++l) {
      double* row = table.data() + shape.row(m, l) * shape.latitudes;
      const double sign = ((l + m) % 2 == 0) == even ? 1.0 : -1.0;
      for (std::size_t j = 0; j < shape.latitudes / 2; ++j) {
        row[shape.latitudes - 1 - j] = sign * row[j];
      }
      if (shape.latitudes % 2 == 1 && sign < 0) {
        row[shape.latitudes / 2] = 0.0;
      }
    }
  }
  return table;
}

template <class Real>
struct Batch {
  Batch(const HarmonicShape& shape, std::size_t fields, unsigned seed) {
    for (std::size_t f = 0; f < fields; ++f) {
      values.push_back(
          normal_numbers<Real>(shape.latitudes * shape.longitudes, seed + static_cast<unsigned>(f), 10.0));
    }
  }
  std::vector<const Real*> pointers() const {
    std::vector<const Real*> list;
    std::for_each(values.begin(), values.end(), [&](const auto& field) { list.push_back(field.data()); });
    return list;
  }
  std::vector<std::vector<Real>> values;
};

struct Result {
  std::vector<double> power, coefficients, rotational, divergent;
  friend bool operator==(const Result&, const Result&) = default;
};

template <class Real>
Result transform(const HarmonicShape& shape, const std::vector<const Real*>& u,
                 const std::vector<const Real*>& v, Backend backend, int threads = 1) {
  const std::size_t size = u.size() * (shape.lmax + 1);
  const auto scalar = symmetric_table(shape, 1, true), slope = symmetric_table(shape, 2, false),
             turning = symmetric_table(shape, 3, true);
  Result result{std::vector<double>(size, -1), std::vector<double>(u.size() * shape.rows() * 2, -1),
                std::vector<double>(size, -1), std::vector<double>(size, -1)};
  scalar_harmonics<Real>({u, shape, scalar, result.power, result.coefficients, threads}, backend);
  vector_harmonics<Real>({u, v, shape, slope, turning, result.rotational, result.divergent, threads},
                         backend);
  return result;
}

/// With |table| and |f| at most t and x, |F_m| <= x and a coefficient is a sum of J L terms below t x / L,
/// so off by at most (J + L + 8) roundings of J t x; a power of 2 l + 1 coefficients by twice that times
/// J t x each. Winds have two such sums in a coefficient.
double power_limit(const HarmonicShape& shape) {
  const auto j = static_cast<double>(shape.latitudes), l = static_cast<double>(shape.longitudes);
  const double amplitude = 2.0 * j * 6.0 * 60.0;  // sums of twelve uniform numbers stay below 6
  return 2.0 * (2.0 * static_cast<double>(shape.lmax) + 1.0) * amplitude * amplitude * (j + l + 8.0) *
         0x1p-52;
}

constexpr HarmonicShape awkward_shapes[] = {{1, 1, 0}, {2, 2, 1},  {3, 5, 2},  {4, 7, 3},    {5, 8, 4},
                                            {6, 9, 2}, {7, 13, 6}, {9, 16, 8}, {16, 30, 14}, {33, 64, 31}};

template <class Real>
void expect_cpu_follows_reference() {
  for (const HarmonicShape& shape : awkward_shapes) {
    for (const std::size_t fields : {1U, 2U, 5U, 17U}) {
      const Batch<Real> u(shape, fields, 10), v(shape, fields, 90);
      const auto truth = transform<Real>(shape, u.pointers(), v.pointers(), Backend::reference);
      const auto cpu = transform<Real>(shape, u.pointers(), v.pointers(), Backend::cpu);
      const double limit = power_limit(shape);
      for (std::size_t i = 0; i < truth.power.size(); ++i) {
        ASSERT_NEAR(cpu.power[i], truth.power[i], limit) << shape.latitudes << " " << fields << " " << i;
        ASSERT_NEAR(cpu.rotational[i], truth.rotational[i], limit) << shape.latitudes << " " << i;
        ASSERT_NEAR(cpu.divergent[i], truth.divergent[i], limit) << shape.latitudes << " " << i;
      }
      for (std::size_t i = 0; i < truth.coefficients.size(); ++i) {
        ASSERT_NEAR(cpu.coefficients[i], truth.coefficients[i], 1e-10) << shape.latitudes << " " << i;
      }
    }
  }
}

TEST(HarmonicTransform, CpuFollowsReferenceInFloat) { expect_cpu_follows_reference<float>(); }
TEST(HarmonicTransform, CpuFollowsReferenceInDouble) { expect_cpu_follows_reference<double>(); }

/// Must fail: the limit of the comparison is far below what another sign or order changes.
TEST(HarmonicTransform, SwappedComponentsAreNoticed) {
  const HarmonicShape shape{16, 30, 14};
  const Batch<double> u(shape, 1, 10), v(shape, 1, 90);
  const auto right = transform<double>(shape, u.pointers(), v.pointers(), Backend::cpu);
  const auto swapped = transform<double>(shape, v.pointers(), u.pointers(), Backend::cpu);
  std::size_t noticed = 0;
  for (std::size_t l = 0; l <= shape.lmax; ++l) {
    noticed += std::abs(right.divergent[l] - swapped.divergent[l]) > power_limit(shape) ? 1 : 0;
  }
  EXPECT_EQ(noticed, shape.lmax + 1);
}

TEST(HarmonicTransform, BitsDependNeitherOnThreadsNorOnTheBatch) {
  const HarmonicShape shape{19, 36, 17};
  const Batch<float> u(shape, 24, 10), v(shape, 24, 90);
  const auto all = transform<float>(shape, u.pointers(), v.pointers(), Backend::cpu);
  for (const int threads : {2, 3, 7}) {
    EXPECT_EQ(transform<float>(shape, u.pointers(), v.pointers(), Backend::cpu, threads), all) << threads;
  }
  for (const std::size_t f : {0U, 7U, 23U}) {
    const auto alone = transform<float>(shape, {u.values[f].data()}, {v.values[f].data()}, Backend::cpu);
    for (std::size_t l = 0; l <= shape.lmax; ++l) {
      EXPECT_EQ(alone.power[l], all.power[f * (shape.lmax + 1) + l]) << f;
      EXPECT_EQ(alone.rotational[l], all.rotational[f * (shape.lmax + 1) + l]) << f;
      EXPECT_EQ(alone.divergent[l], all.divergent[f * (shape.lmax + 1) + l]) << f;
    }
  }
}

TEST(HarmonicTransform, FieldsNotFiniteSomewhereAreMarkedEverywhere) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> power = {1, 2, 3, nan, 4, 5, 6, 7, 8, 9, 10, -infinity};
  mark_undefined(power, 3);
  for (std::size_t i = 0; i < power.size(); ++i) {
    const std::size_t field = i / 3;
    EXPECT_TRUE(field == 0 || field == 2 ? power[i] == static_cast<double>(i + (field == 0 ? 1 : 0))
                                         : std::isnan(power[i]))
        << i << ": " << power[i];
  }
  EXPECT_THROW(mark_undefined(power, 5), Error);
}

TEST(HarmonicTransform, NanAndInfinityStayInTheirField) {
  const HarmonicShape shape{9, 16, 8};
  for (const Backend backend : {Backend::reference, Backend::cpu}) {
    for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
      for (const std::size_t place :
           {0U, 4U * 16U + 3U, 8U * 16U + 15U}) {  // a pole, the equator, the other pole
        Batch<float> u(shape, 5, 10), v(shape, 5, 90);
        const auto clean = transform<float>(shape, u.pointers(), v.pointers(), backend);
        u.values[2][place] = bad;
        const auto spoilt = transform<float>(shape, u.pointers(), v.pointers(), backend);
        for (std::size_t i = 0; i < spoilt.power.size(); ++i) {
          const bool hit = i / (shape.lmax + 1) == 2;
          for (const auto list : {&Result::power, &Result::rotational, &Result::divergent}) {
            EXPECT_TRUE(hit ? std::isnan((spoilt.*list)[i]) : (spoilt.*list)[i] == (clean.*list)[i]) << i;
          }
        }
      }
    }
  }
}

TEST(HarmonicTransform, InconsistentSizesAreErrors) {
  const HarmonicShape shape{4, 8, 3};
  const Batch<float> fields(shape, 2, 1);
  const std::vector<const float*> two = fields.pointers(), one(1, two[0]);
  const auto table = symmetric_table(shape, 1, true);
  std::vector<double> power(8), short_power(7);
  EXPECT_NO_THROW(scalar_harmonics<float>({two, shape, table, power, {}, 1}));
  EXPECT_THROW(scalar_harmonics<float>({two, shape, table, short_power, {}, 1}), Error);
  EXPECT_THROW(scalar_harmonics<float>({two, {5, 8, 3}, table, power, {}, 1}), Error);
  EXPECT_THROW(scalar_harmonics<float>({two, {4, 8, 5}, table, power, {}, 1}), Error);
  EXPECT_THROW(scalar_harmonics<float>({two, shape, table, power, short_power, 1}), Error);
  EXPECT_THROW(vector_harmonics<float>({two, one, shape, table, table, power, power, 1}), Error);
  EXPECT_THROW(scalar_harmonics<float>({two, shape, table, power, {}, 1}, Backend::cuda), Error);
}

TEST(RealFourier, IsTheDefinition) {
  for (const std::size_t length :
       {1U, 2U, 3U, 4U, 6U, 7U, 15U, 16U, 22U, 49U, 64U, 74U, 121U, 144U, 240U, 241U}) {
    const auto field = normal_numbers<double>(3 * length, static_cast<unsigned>(length));
    const std::size_t lanes = 4, wavenumbers = RealFourier::of(length).wavenumbers();
    const std::vector<const double*> rows = {field.data(), field.data() + length, field.data() + 2 * length};
    std::vector<double> spectrum(wavenumbers * 2 * lanes);
    RealFourier::Workspace workspace;
    RealFourier::of(length).transform<double>(rows, lanes, spectrum.data(), workspace);
    for (std::size_t k = 0; k < wavenumbers; ++k) {
      for (std::size_t w = 0; w < 3; ++w) {
        long double re = 0, im = 0;
        for (std::size_t l = 0; l < length; ++l) {
          const long double angle = 2 * std::numbers::pi_v<long double> *
                                    static_cast<long double>(k * l % length) /
                                    static_cast<long double>(length);
          re += rows[w][l] * std::cos(angle) / static_cast<long double>(length);
          im -= rows[w][l] * std::sin(angle) / static_cast<long double>(length);
        }
        EXPECT_NEAR(spectrum[2 * k * lanes + w], static_cast<double>(re), 64 * 0x1p-52) << length << " " << k;
        EXPECT_NEAR(spectrum[(2 * k + 1) * lanes + w], static_cast<double>(im), 64 * 0x1p-52) << length;
      }
    }
  }
}

/// To the bit, from left to right: whatever vectors this processor has. Sizes around the blocks of four.
TEST(DenseProduct, HasTheBitsOfThePlainLoop) {
  for (const std::size_t rows : {1U, 2U, 3U, 4U, 9U}) {
    for (const std::size_t depth : {1U, 2U, 3U, 4U, 7U, 61U}) {
      for (const std::size_t columns : {1U, 4U, 8U, 19U, 64U}) {
        const auto a = normal_numbers<double>(rows * (depth + 2), 1);
        const auto b = normal_numbers<double>(depth * (columns + 1), 2);
        std::vector<double> out = normal_numbers<double>(rows * (columns + 3), 3), expected = out;
        dense_product({a.data(), depth + 2}, {b.data(), columns + 1}, out.data(), columns + 3, rows, depth,
                      columns);
        for (std::size_t r = 0; r < rows; ++r) {
          for (std::size_t c = 0; c < columns; ++c) {
            for (std::size_t d = 0; d < depth; ++d) {
              expected[r * (columns + 3) + c] += a[r * (depth + 2) + d] * b[d * (columns + 1) + c];
            }
          }
        }
        EXPECT_EQ(out, expected) << rows << " " << depth << " " << columns;
      }
    }
  }
}

}  // namespace
}  // namespace mosaic::kernels
