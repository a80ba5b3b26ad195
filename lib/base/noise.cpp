#include "base/noise.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// Two words of Philox to two normal draws.
void box_muller(std::uint32_t radius_word, std::uint32_t angle_word, float* draws) {
  constexpr double scale = 0x1p-32;
  const double radius = std::sqrt(-2.0 * std::log((radius_word + 0.5) * scale));
  const double angle = 2.0 * std::numbers::pi * ((angle_word + 0.5) * scale);
  draws[0] = static_cast<float>(radius * std::cos(angle));
  draws[1] = static_cast<float>(radius * std::sin(angle));
}

}  // namespace

void fill_normal_noise(std::uint64_t seed, Time initial_time, int member, int step, std::span<float> draws) {
  require(member >= 0 && step >= 0, "noise for member {}, step {}: both count from 0", member, step);
  using Philox = r123::Philox4x32_R<10>;
  const Philox::key_type key = {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  Philox::ctr_type counter = {{static_cast<std::uint32_t>(initial_time.seconds),
                               static_cast<std::uint32_t>(member), static_cast<std::uint32_t>(step), 0}};
  for (std::size_t first = 0; first < draws.size(); first += 4, ++counter[3]) {
    const Philox::ctr_type words = Philox()(counter, key);
    std::array<float, 4> block;
    box_muller(words[0], words[1], &block[0]);
    box_muller(words[2], words[3], &block[2]);
    std::copy_n(block.begin(), std::min<std::size_t>(4, draws.size() - first), draws.begin() + first);
  }
}

}  // namespace mosaic
