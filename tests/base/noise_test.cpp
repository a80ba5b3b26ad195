#include "base/noise.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "base/error.hpp"

namespace mosaic {
namespace {

using Words4 = std::array<std::uint32_t, 4>;
using Words2 = std::array<std::uint32_t, 2>;

/// Philox4x32-10 written down from the paper, with no help of the library that the suite uses.
Words4 plain_philox(Words4 c, Words2 k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k = {k[0] + 0x9E3779B9U, k[1] + 0xBB67AE85U};
  }
  return c;
}

std::vector<float> plain_noise(std::uint64_t seed, std::int64_t time, int member, int step,
                               std::size_t count) {
  std::vector<float> draws;
  for (std::uint32_t block = 0; draws.size() < count; ++block) {
    const Words4 x = plain_philox(
        {static_cast<std::uint32_t>(time & 0xffffffff), static_cast<std::uint32_t>(member),
         static_cast<std::uint32_t>(step), block},
        {static_cast<std::uint32_t>(seed % (1ULL << 32)), static_cast<std::uint32_t>(seed / (1ULL << 32))});
    for (int i = 0; i < 4; i += 2) {
      const double radius = std::sqrt(-2.0 * std::log((x[i] + 0.5) / 4294967296.0));
      const double angle = 2.0 * std::numbers::pi * ((x[i + 1] + 0.5) / 4294967296.0);
      draws.push_back(static_cast<float>(radius * std::cos(angle)));
      draws.push_back(static_cast<float>(radius * std::sin(angle)));
    }
  }
  draws.resize(count);
  return draws;
}

std::vector<float> noise(std::uint64_t seed, std::int64_t time, int member, int step, std::size_t count) {
  std::vector<float> draws(count);
  fill_normal_noise(seed, Time{time}, member, step, draws);
  return draws;
}

/// The known answers that Random123 publishes for philox4x32, 10 rounds (zeros, ones, digits of pi).
TEST(Noise, PlainPhiloxGivesPublishedAnswers) {
  EXPECT_EQ(plain_philox({0, 0, 0, 0}, {0, 0}), (Words4{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(plain_philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}),
            (Words4{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(plain_philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words4{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

/// Frozen, computed by a separate program in Python (integers, and its math module in double). They must
/// never change: they are part of every result.
TEST(Noise, GoldenVectors) {
  EXPECT_EQ(noise(0, 0, 0, 0, 4),
            (std::vector<float>{0x1.fb7666p-1F, -0x1.d96d6p-1F, -0x1.3c373ep-1F, -0x1.eda364p-2F}));
  EXPECT_EQ(noise(0x123456789abcdef0, 1577836800, 3, 7, 6),
            (std::vector<float>{0x1.70f65cp-3F, -0x1.06a434p+0F, -0x1.17a02cp-1F, 0x1.76ad1ep+1F,
                                0x1.144ec6p-1F, 0x1.d6efd6p-1F}));
  EXPECT_EQ(noise(42, -21600, 1, 2, 5), (std::vector<float>{-0x1.80cc2ep+0F, 0x1.099566p+0F, 0x1.39806p-2F,
                                                            0x1.62d15p+0F, -0x1.7d08c2p-2F}));
}

TEST(Noise, EqualsThePlainVersionEverywhere) {
  for (const std::uint64_t seed : {0ULL, 1ULL, 0xffffffffULL, 0x100000000ULL, ~0ULL}) {
    for (const std::int64_t time : {0LL, 1577836800LL, 4294967296LL + 5, -3600LL}) {
      EXPECT_EQ(noise(seed, time, 2, 39, 33), plain_noise(seed, time, 2, 39, 33));
    }
  }
}

TEST(Noise, EveryCoordinateMatters) {
  const auto base = noise(1, 3600, 2, 3, 32);
  EXPECT_NE(base, noise(2, 3600, 2, 3, 32));
  EXPECT_NE(base, noise(1ULL + (1ULL << 32), 3600, 2, 3, 32));
  EXPECT_NE(base, noise(1, 7200, 2, 3, 32));
  EXPECT_NE(base, noise(1, 3600, 3, 2, 32));
  EXPECT_NE(base, noise(1, 3600, 2, 4, 32));
}

TEST(Noise, ShorterIsPrefixOfLonger) {
  const auto longest = noise(7, 0, 0, 0, 40);
  for (std::size_t count = 0; count < 40; ++count) {
    EXPECT_EQ(noise(7, 0, 0, 0, count), std::vector<float>(longest.begin(), longest.begin() + count));
  }
}

/// Moments of n = 960,000 draws within five standard errors: mean sqrt(1/n), variance sqrt(2/n), third moment
/// sqrt(15/n), fourth sqrt(96/n); correlation of neighbours sqrt(1/n).
TEST(Noise, MomentsAreThoseOfTheNormalDistribution) {
  double n = 0;
  std::array<double, 5> power{};
  double neighbours = 0;
  for (int member = 0; member < 100; ++member) {
    for (int step = 0; step < 300; ++step) {
      const auto draws = noise(2020, 1577836800, member, step, 32);
      for (std::size_t i = 0; i < draws.size(); ++i) {
        const double z = draws[i];
        power[1] += z;
        power[2] += z * z;
        power[3] += z * z * z;
        power[4] += z * z * z * z;
        neighbours += i > 0 ? z * draws[i - 1] : 0.0;
        ++n;
      }
    }
  }
  EXPECT_LT(std::abs(power[1] / n), 5 * std::sqrt(1 / n));
  EXPECT_LT(std::abs(power[2] / n - 1), 5 * std::sqrt(2 / n));
  EXPECT_LT(std::abs(power[3] / n), 5 * std::sqrt(15 / n));
  EXPECT_LT(std::abs(power[4] / n - 3), 5 * std::sqrt(96 / n));
  EXPECT_LT(std::abs(neighbours / n), 5 * std::sqrt(1 / n));
}

TEST(Noise, NegativeMemberOrStepIsRefused) {
  EXPECT_THROW(noise(0, 0, -1, 0, 4), Error);
  EXPECT_THROW(noise(0, 0, 0, -1, 4), Error);
}

}  // namespace
}  // namespace mosaic
