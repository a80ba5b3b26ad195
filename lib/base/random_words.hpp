#pragma once

#include <array>
#include <cstdint>

namespace mosaic {

/// Four words of 32 bits that depend on nothing but seed and counter: Philox4x32-10 (Salmon et al. 2011,
/// "Parallel random numbers: as easy as 1, 2, 3"), key = (seed mod 2^32, seed div 2^32).
std::array<std::uint32_t, 4> random_words(std::uint64_t seed, const std::array<std::uint32_t, 4>& counter);

}  // namespace mosaic
