#include "kernels/seeps/seeps.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "kernels/ensemble_case.hpp"

namespace mosaic::kernels {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr SeepsBackend backends[] = {SeepsBackend::reference, SeepsBackend::cpu};
constexpr SeepsVariant variants[] = {SeepsVariant::weatherbench2, SeepsVariant::corrected};
constexpr double d = 0.25e-3;

/// Precipitation with dry, light and heavy points, ties with both thresholds, and dry fractions 0 ... 1.
struct SeepsCase : EnsembleCase {
  std::vector<float> threshold, dry_fraction;
  SeepsVariant variant = SeepsVariant::corrected;

  SeepsCase(std::size_t count, std::size_t rows, std::size_t columns, unsigned seed)
      : EnsembleCase(count, rows, columns, seed),
        threshold(normal_numbers<float>(rows * columns, 4000 + seed, 1e-3)),
        dry_fraction(normal_numbers<float>(rows * columns, 5000 + seed, 0.3)) {
    for (std::size_t k = 0; k < truth.size(); ++k) {
      threshold[k] = static_cast<float>(d) + std::fabs(threshold[k]);
      dry_fraction[k] = std::clamp(0.5F + dry_fraction[k], 0.0F, 1.0F);
      truth[k] = rain(truth[k], k);
      for (auto& member : members) {
        member[k] = rain(member[k], k + 1);
      }
    }
  }

  float rain(float x, std::size_t k) const {
    const float choices[] = {static_cast<float>(d), threshold[k % threshold.size()],
                             std::max(0.0F, 1e-3F * x)};
    return choices[std::min<std::size_t>(k % 7, 2)];
  }

  /// [R, F]
  std::vector<double> run(SeepsBackend backend, int threads = 2) const {
    std::vector<const float*> pointers;
    for (const auto& member : members) {
      pointers.push_back(member.data());
    }
    std::vector<double> scores(areas.size() * members.size());
    seeps({.forecasts = pointers,
           .truth = truth.data(),
           .wet_threshold = threshold.data(),
           .dry_fraction = dry_fraction.data(),
           .dry_threshold = d,
           .latitudes = rows,
           .longitudes = columns,
           .areas = areas,
           .scores = scores,
           .variant = variant,
           .threads = threads},
          backend);
    return scores;
  }
};

// Costs are at most 20 / 2, weights at most 1.5: a rounding of each term and sum.
std::string difference_of_backends(SeepsCase which) {
  const double limit = 0x1p-53 * 20 * (static_cast<double>(which.truth.size()) + 16);
  for (const auto variant : variants) {
    which.variant = variant;
    const auto expected = which.run(SeepsBackend::reference);
    const auto got = which.run(SeepsBackend::cpu);
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const bool same =
          std::isnan(expected[k]) ? std::isnan(got[k]) : std::fabs(expected[k] - got[k]) <= limit;
      if (!same) {
        return fmt::format("{} x {}, score {}: {} instead of {}", which.rows, which.columns, k, got[k],
                           expected[k]);
      }
    }
  }
  return "";
}

TEST(Seeps, CpuFollowsReference) {
  for (const auto& [rows, columns] : {std::pair{1U, 1U}, {1U, 7U}, {5U, 1U}, {7U, 13U}, {9U, 240U}}) {
    for (const std::size_t forecasts : {1U, 3U}) {
      EXPECT_EQ(difference_of_backends(SeepsCase(forecasts, rows, columns, rows + columns)), "");
    }
  }
  SeepsCase holes(3, 7, 13, 2);
  holes.members[1][3] = holes.truth[9] = holes.threshold[20] = holes.dry_fraction[30] = nan;
  EXPECT_EQ(difference_of_backends(holes), "");
  EXPECT_EQ(holes.run(SeepsBackend::cpu, 1), holes.run(SeepsBackend::cpu, 3));
}

TEST(Seeps, Matrix) {  // T37
  const double half[3][3] = {{0, 1, 4}, {1, 0, 3}, {1.6, .6, 0}};
  const double fifth[3][3] = {{0, .625, 2.5}, {2.5, 0, 1.875}, {3.1818181818181817, .6818181818181818, 0}};
  for (std::size_t forecast = 0; forecast < 3; ++forecast) {
    for (std::size_t truth = 0; truth < 3; ++truth) {
      EXPECT_NEAR(seeps_matrix(0.5)[forecast][truth], half[forecast][truth], 1e-15);
      EXPECT_NEAR(seeps_matrix(0.2)[forecast][truth], fifth[forecast][truth], 1e-15);
    }
  }
}

/// The score of one point.
double at_point(float forecast, float truth, float h, float p1, SeepsVariant variant, SeepsBackend backend) {
  SeepsCase which(1, 1, 1, 1);
  which.members[0] = {forecast};
  which.truth = {truth};
  which.threshold = {h};
  which.dry_fraction = {p1};
  which.variant = variant;
  return which.run(backend)[0];
}

TEST(Seeps, CategoriesAndTheirEdges) {
  const auto wb2 = SeepsVariant::weatherbench2;
  const auto corrected = SeepsVariant::corrected;
  const float at_d = static_cast<float>(d), light = 1e-3F, h = 2e-3F, heavy = 3e-3F;
  for (const auto backend : backends) {
    for (const auto variant : variants) {
      EXPECT_EQ(at_point(0, 0, h, .5F, variant, backend), 0.0);
      EXPECT_EQ(at_point(0, light, h, .5F, variant, backend), 1.0);
      EXPECT_EQ(at_point(0, heavy, h, .5F, variant, backend), 4.0);
      EXPECT_EQ(at_point(0, h, h, .5F, variant, backend), 4.0);  // heavy from h on
      EXPECT_EQ(at_point(heavy, light, h, .5F, variant, backend), 0.6);
      EXPECT_TRUE(std::isnan(at_point(0, 0, h, .05F, variant, backend)));
      EXPECT_TRUE(std::isnan(at_point(0, 0, h, .9F, variant, backend)));
      EXPECT_TRUE(std::isnan(at_point(nan, 0, h, .5F, variant, backend)));
      EXPECT_TRUE(std::isnan(at_point(0, nan, h, .5F, variant, backend)));
      EXPECT_TRUE(std::isnan(at_point(0, 0, h, nan, variant, backend)));
    }
    EXPECT_EQ(at_point(at_d, light, h, .5F, wb2, backend), 0.0);  // in no category
    EXPECT_EQ(at_point(at_d, light, h, .5F, corrected, backend), 1.0);
    EXPECT_EQ(at_point(light, at_d, h, .5F, wb2, backend), 0.0);
    EXPECT_EQ(at_point(light, at_d, h, .5F, corrected, backend), 1.0);
    for (const float edge : {.1F, .85F}) {
      EXPECT_TRUE(std::isnan(at_point(0, 0, h, edge, wb2, backend)));
      EXPECT_EQ(at_point(0, 0, h, edge, corrected, backend), 0.0);
    }
    EXPECT_EQ(at_point(light, 0, nan, .5F, wb2, backend), 0.0);
    EXPECT_TRUE(std::isnan(at_point(light, 0, nan, .5F, corrected, backend)));
  }
}

// Truths with the climatological frequencies: p1 dry, 2 (1 - p1) / 3 light, (1 - p1) / 3 heavy.
TEST(Seeps, ConstantForecastsScoreOne) {
  for (const auto& [p1, dry, light] : {std::tuple{0.5F, 15U, 10U}, {0.2F, 6U, 16U}, {0.8F, 24U, 4U}}) {
    SeepsCase which(3, 1, 30, 1);
    which.areas = {which.areas[0]};
    std::fill(which.threshold.begin(), which.threshold.end(), 2e-3F);
    std::fill(which.dry_fraction.begin(), which.dry_fraction.end(), p1);
    for (std::size_t i = 0; i < 30; ++i) {
      which.truth[i] = i < dry ? 0.0F : i < dry + light ? 1e-3F : 5e-3F;
    }
    which.members = {std::vector<float>(30, 0.0F), std::vector<float>(30, 1e-3F),
                     std::vector<float>(30, 5e-3F)};
    for (const auto backend : backends) {
      for (const double score : which.run(backend)) {
        EXPECT_NEAR(score, 1.0, 1e-6) << p1;  // p1 is float32
      }
    }
  }
}

TEST(Seeps, PerfectForecastsScoreZeroAndRegionsAddUp) {
  SeepsCase which(2, 9, 12, 3);
  which.members[0] = which.truth;
  AreaMask south = which.areas[0], north = which.areas[0];
  for (std::size_t j = 0; j < 9; ++j) {
    (j < 4 ? north : south).row_weight[j] = 0.0;
  }
  which.areas = {which.areas[0], south, north};
  const auto weight_of = [&](const AreaMask& area) {
    double weight = 0.0;
    for (std::size_t k = 0; k < which.truth.size(); ++k) {
      const float p1 = which.dry_fraction[k];
      weight += p1 >= 0.1F && p1 <= 0.85F ? area.weight_at(k / 12, k % 12) : 0.0;
    }
    return weight;
  };
  for (const auto backend : backends) {
    const auto scores = which.run(backend);
    EXPECT_EQ(scores[0], 0.0);
    const double parts = scores[3] * weight_of(south) + scores[5] * weight_of(north);
    EXPECT_NEAR(scores[1] * weight_of(which.areas[0]), parts, 1e-13);
    EXPECT_GT(scores[1], 0.1);
  }
}

TEST(Seeps, InconsistentSizesAreErrors) {
  const SeepsCase good(2, 3, 4, 5);
  SeepsCase nothing = good, few_rows = good;
  nothing.members.clear();
  few_rows.areas[1].row_weight.pop_back();
  for (const auto backend : backends) {
    EXPECT_NO_THROW(good.run(backend));
    EXPECT_THROW(nothing.run(backend), Error);
    EXPECT_THROW(few_rows.run(backend), Error);
  }
}

}  // namespace
}  // namespace mosaic::kernels
