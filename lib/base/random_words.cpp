#include "base/random_words.hpp"

#include <Random123/philox.h>

namespace mosaic {

std::array<std::uint32_t, 4> random_words(std::uint64_t seed, const std::array<std::uint32_t, 4>& counter) {
  using Philox = r123::Philox4x32_R<10>;
  const Philox::key_type key = {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}};
  const Philox::ctr_type place = {{counter[0], counter[1], counter[2], counter[3]}};
  const Philox::ctr_type words = Philox()(place, key);
  return {words[0], words[1], words[2], words[3]};
}

}  // namespace mosaic
