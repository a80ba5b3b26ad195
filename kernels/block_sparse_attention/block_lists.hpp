#pragma once

#include <cstdint>

#include "kernels/device/both_sides.hpp"

namespace mosaic::kernels {

/// A set of blocks as bits: block j is bit j % 32 of word j / 32.
constexpr int blocks_of_word = 32;

MOSAIC_ON_BOTH_SIDES int bits_in(std::uint32_t x) {
  x = x - (x >> 1 & 0x55555555U);
  x = (x & 0x33333333U) + (x >> 2 & 0x33333333U);
  return static_cast<int>(((x + (x >> 4)) & 0x0f0f0f0fU) * 0x01010101U >> 24);
}

/// Bits 0 ... count - 1; all for 32 and more, none below 1.
MOSAIC_ON_BOTH_SIDES std::uint32_t low_bits(int count) {
  return count >= blocks_of_word ? 0xffffffffU : count <= 0 ? 0U : (1U << count) - 1U;
}

/// Word `word` of the set of blocks first ... first + count - 1.
MOSAIC_ON_BOTH_SIDES std::uint32_t word_of_run(int word, int first, int count) {
  const int begin = first - word * blocks_of_word;
  return low_bits(begin + count) & ~low_bits(begin);
}

/// Numbers whose order as unsigned integers is that of the floats with these bits; both zeros are equal.
MOSAIC_ON_BOTH_SIDES std::uint32_t ordered_bits(std::uint32_t bits) {
  bits = bits == 0x80000000U ? 0U : bits;
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000U;
}

/// What lane `lane` writes of a block list: the blocks of the local run and of the set `selected`, in both,
/// local only, selected only, each ascending, without gaps; and of `counts` [4] the sizes of the groups and a
/// zero. A lane looks at one bit of each word, and all lanes count alike.
MOSAIC_ON_BOTH_SIDES void write_block_list(const std::uint32_t* selected, int words, int first_local,
                                           int local_blocks, int lane, std::int32_t* list,
                                           std::int32_t* counts) {
  int both = 0, all_selected = 0;
  for (int w = 0; w < words; ++w) {
    both += bits_in(selected[w] & word_of_run(w, first_local, local_blocks));
    all_selected += bits_in(selected[w]);
  }
  if (lane < 4) {
    const int size[4] = {both, local_blocks - both, all_selected - both, 0};
    counts[lane] = lane == 0 ? size[0] : lane == 1 ? size[1] : lane == 2 ? size[2] : size[3];
  }
  int next[3] = {0, both, local_blocks};  // places of the groups
  for (int w = 0; w < words; ++w) {
    const std::uint32_t s = selected[w], l = word_of_run(w, first_local, local_blocks);
    const std::uint32_t group[3] = {s & l, l & ~s, s & ~l};
    for (int g = 0; g < 3; ++g) {
      if ((group[g] >> lane & 1U) != 0) {
        list[next[g] + bits_in(group[g] & low_bits(lane))] = w * blocks_of_word + lane;
      }
      next[g] += bits_in(group[g]);
    }
  }
}

}  // namespace mosaic::kernels
