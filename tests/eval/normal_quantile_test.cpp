#include "eval/normal_quantile.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mosaic::eval {
namespace {

// Published values to 16 digits, in both tails.
TEST(NormalQuantile, KnownValues) {
  const std::pair<double, double> known[] = {{0.5, 0.0},
                                             {0.75, 0.674489750196081743},
                                             {0.9, 1.28155156554460047},
                                             {0.95, 1.64485362695147271},
                                             {0.975, 1.95996398454005424},
                                             {0.99, 2.32634787404084110},
                                             {0.999, 3.09023230616781354}};
  for (const auto& [p, z] : known) {
    EXPECT_NEAR(normal_quantile(p), z, 1e-14) << p;  // 1 - p is rounded: 1e-16 / density at 0.999
    EXPECT_NEAR(normal_quantile(1.0 - p), -z, 1e-14) << p;
  }
}

// dPhi = density dz: z within 1e-15 max(1, |z|) is Phi within |z| 1e-15 max(1, |z|) relative, in a tail.
TEST(NormalQuantile, InvertsTheDistribution) {
  for (double p = 1e-300; p < 0.5; p *= 1.7) {
    const double z = normal_quantile(p);
    EXPECT_NEAR(normal_distribution(z) / p, 1.0, 1e-14 + 2e-15 * z * z) << p;
  }
  for (double z = -8; z < 8; z += 0.01) {
    const double p = normal_distribution(z);
    const double density = std::exp(-z * z / 2) / 2.5066;
    // p near 1 holds z within its own rounding over the density.
    EXPECT_NEAR(normal_quantile(p), z, 1e-14 + (z > 0 ? 3e-16 / density : 0)) << z;
  }
}

TEST(NormalQuantile, EndsAndBeyond) {
  EXPECT_EQ(normal_quantile(0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(normal_quantile(1), std::numeric_limits<double>::infinity());
  for (const double p : {-0.1, 1.1, std::nan("")}) {
    EXPECT_TRUE(std::isnan(normal_quantile(p)));
  }
}

}  // namespace
}  // namespace mosaic::eval
