#include "kernels/spectral_transform/spectral_transform.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "kernels/numbers.hpp"

namespace mosaic::kernels {
namespace {

struct Case {
  SpectralShape shape;
  std::size_t columns;
};

/// Longitudes that can be folded and that cannot, the equator among the latitudes and not, no waves at all.
const std::vector<Case> cases = {{{0, 1, 1}, 1},  {{0, 2, 4}, 3},   {{1, 2, 4}, 1},  {{2, 3, 5}, 2},
                                 {{3, 4, 7}, 5},  {{4, 5, 12}, 8},  {{5, 8, 16}, 3}, {{7, 9, 20}, 17},
                                 {{6, 6, 14}, 9}, {{21, 32, 64}, 6}};

std::vector<double> numbers(std::size_t count, unsigned seed) {
  return normal_numbers<double>(count, seed, 1.0);
}

double largest(const std::vector<double>& values) {
  double size = 0;
  for (const double value : values) {
    size = std::isnan(value) ? INFINITY : std::max(size, std::abs(value));
  }
  return size;
}

/// At most (N + 1)(N + 2) / 2 products of three factors and as many sums of values of the size of a table's
/// entry times a coefficient's, each rounded: that many units in the last place of the sum of sizes.
double limit_of(const Case& one, const std::vector<double>& table, const std::vector<double>& values,
                std::size_t terms) {
  const double count = static_cast<double>(terms);
  return 4 * (count + static_cast<double>(one.shape.truncation) + 8) * 0x1p-53 * count * largest(table) *
         largest(values);
}

void expect_near(const std::vector<double>& ours, const std::vector<double>& truth, double limit,
                 const Case& one) {
  ASSERT_EQ(ours.size(), truth.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_NEAR(ours[i], truth[i], limit) << "value " << i << ", truncation " << one.shape.truncation
                                          << " on " << one.shape.latitudes << " x " << one.shape.longitudes;
  }
}

std::vector<double> synthesis(const Case& one, const std::vector<double>& table, Mirror mirror,
                              ZonalFactor factor, const std::vector<double>& spectrum, Backend backend,
                              LatitudePairs pairs) {
  SpectralWorkspace workspace;
  std::vector<double> grid(pairs.count * 2 * one.shape.longitudes * one.columns, NAN);
  spectral_synthesis({one.shape, table, mirror, factor, spectrum, one.columns, pairs, grid}, workspace,
                     backend);
  return grid;
}

TEST(SpectralTransform, SynthesisFollowsReference) {
  for (const Case& one : cases) {
    const auto table = numbers(one.shape.rows() * one.shape.half(), 1);
    const auto spectrum = numbers(one.shape.rows() * 2 * one.columns, 2);
    const double limit = limit_of(one, table, spectrum, 4 * one.shape.rows());
    for (const Mirror mirror : {Mirror::even, Mirror::odd}) {
      for (const ZonalFactor factor : {ZonalFactor::one, ZonalFactor::imaginary_unit}) {
        const LatitudePairs all{0, one.shape.half()};
        const auto ours = synthesis(one, table, mirror, factor, spectrum, Backend::cpu, all);
        expect_near(ours, synthesis(one, table, mirror, factor, spectrum, Backend::reference, all), limit,
                    one);
        // A band has the bits of the whole.
        const LatitudePairs last{one.shape.half() - 1, 1};
        const auto band = synthesis(one, table, mirror, factor, spectrum, Backend::cpu, last);
        EXPECT_TRUE(
            std::equal(band.begin(), band.end(), ours.end() - static_cast<std::ptrdiff_t>(band.size())));
      }
    }
  }
}

TEST(SpectralTransform, AnalysisFollowsReferenceAndAdds) {
  for (const Case& one : cases) {
    if (one.shape.latitudes % 2 == 1) {
      continue;
    }
    const auto table = numbers(one.shape.rows() * one.shape.half(), 3);
    const auto grid = numbers(one.shape.latitudes * one.shape.longitudes * one.columns, 4);
    const auto before = numbers(one.shape.rows() * 2 * one.columns, 5);
    auto ours = before, truth = before;
    SpectralWorkspace workspace;
    const LatitudePairs all{0, one.shape.half()};
    spectral_analysis({one.shape, table, grid, one.columns, all, ours}, workspace, Backend::cpu);
    spectral_analysis({one.shape, table, grid, one.columns, all, truth}, workspace, Backend::reference);
    expect_near(ours, truth, limit_of(one, table, grid, one.shape.latitudes) + 4 * 0x1p-53 * largest(before),
                one);
  }
}

/// f = Re z exp(i m lambda) with a table that is 1 for one row: nothing else in it.
TEST(SpectralTransform, ReferenceInClosedForm) {
  const SpectralShape shape{4, 6, 12};
  for (const Backend backend : {Backend::reference, Backend::cpu}) {
    for (std::size_t m = 0; m <= 4; ++m) {
      for (std::size_t n = m; n <= 4; ++n) {
        // Angles up to 8 pi are off by 2e-15, their sines times 10 by 2e-14.
        constexpr double limit = 4e-14;
        std::vector<double> table(shape.half() * shape.rows());
        for (std::size_t j = 0; j < shape.half(); ++j) {
          table[j * shape.rows() + shape.parity_row(m, n)] = 1;
        }
        std::vector<double> spectrum(shape.rows() * 2);
        spectrum[shape.row(m, n) * 2] = 3;
        spectrum[shape.row(m, n) * 2 + 1] = m == 0 ? 0 : -2;
        const Case one{shape, 1};
        const auto grid = synthesis(one, table, Mirror::odd, ZonalFactor::imaginary_unit, spectrum, backend,
                                    {0, shape.half()});
        for (std::size_t l = 0; l < shape.longitudes; ++l) {
          const double angle = 2 * std::numbers::pi * static_cast<double>(m * l) / 12;
          // i (3 - 2 i) exp(i angle) = (2 + 3 i) exp(i angle); for m = 0 the real part of 3 i is nothing.
          const double south = m == 0 ? 0 : 2 * (2 * std::cos(angle) - 3 * std::sin(angle));
          const double north = (n - m) % 2 == 0 ? -south : south;
          EXPECT_NEAR(grid[l * 2], south, limit);
          EXPECT_NEAR(grid[l * 2 + 1], north, limit);
        }
      }
    }
  }
}

TEST(SpectralTransform, ColumnsDoNotDependOnEachOther) {
  const SpectralShape shape{21, 32, 64};
  const auto table = numbers(shape.rows() * shape.half(), 6);
  const Case many{shape, 11}, single{shape, 1};
  const auto spectrum = numbers(shape.rows() * 2 * many.columns, 7);
  const LatitudePairs all{0, shape.half()};
  const auto together = synthesis(many, table, Mirror::even, ZonalFactor::one, spectrum, Backend::cpu, all);
  for (std::size_t k = 0; k < many.columns; ++k) {
    std::vector<double> own;
    for (std::size_t i = 0; i < shape.rows() * 2; ++i) {
      own.push_back(spectrum[i * many.columns + k]);
    }
    const auto alone = synthesis(single, table, Mirror::even, ZonalFactor::one, own, Backend::cpu, all);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      ASSERT_EQ(alone[i], together[i * many.columns + k]) << "column " << k;
    }
  }
}

TEST(SpectralTransform, RefusesWhatDoesNotFit) {
  const SpectralShape shape{2, 3, 8};
  SpectralWorkspace workspace;
  std::vector<double> table(shape.rows() * shape.half()), spectrum(shape.rows() * 2), grid(2 * 2 * 8);
  const auto call = [&](SynthesisArgs args, Backend backend = Backend::cpu) {
    spectral_synthesis(args, workspace, backend);
  };
  const SynthesisArgs good{shape, table, Mirror::even, ZonalFactor::one, spectrum, 1, {0, 2}, grid};
  EXPECT_NO_THROW(call(good));
  EXPECT_THROW(call(good, Backend::cuda), Error);
  SynthesisArgs bad = good;
  bad.shape.longitudes = 4;  // cannot carry two waves
  EXPECT_THROW(call(bad), Error);
  bad = good;
  bad.pairs = {1, 2};
  EXPECT_THROW(call(bad), Error);
  bad = good;
  bad.columns = 2;
  EXPECT_THROW(call(bad), Error);
  std::vector<double> analysed(shape.rows() * 2);
  EXPECT_THROW(spectral_analysis({shape, table, grid, 1, {0, 2}, analysed}, workspace), Error)
      << "odd latitudes";
}

}  // namespace
}  // namespace mosaic::kernels
