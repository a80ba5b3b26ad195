#include "model/network/resident_check.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// A hash at the speed of memory: four chains of h -> (h xor word) times an odd number. Every step can be
/// undone, so a change of a single word of 8 bytes always changes the result; no defence against intent.
std::uint64_t fingerprint(const std::byte* bytes, std::size_t count) {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  constexpr std::size_t width = sizeof(std::uint64_t);
  std::array<std::uint64_t, 4> chains = {1, 2, 3, 4};
  const auto take = [&](std::size_t chain, const std::byte* from, std::size_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, size);
    chains[chain] = (chains[chain] ^ word) * odd;
  };
  std::size_t at = 0;
  for (; at + chains.size() * width <= count; at += chains.size() * width) {
    for (std::size_t c = 0; c < chains.size(); ++c) {
      take(c, bytes + at + c * width, width);
    }
  }
  for (; at < count; at += width) {
    take(0, bytes + at, std::min(width, count - at));
  }
  std::uint64_t result = count;
  for (const std::uint64_t chain : chains) {
    result = (result ^ chain) * odd;
    result ^= result >> 29;
  }
  return result;
}

std::uint64_t fingerprint(const at::Tensor& tensor) {
  require(tensor.is_contiguous() && tensor.device().is_cpu(),
          "the check of resident tensors reads contiguous CPU tensors only");
  return fingerprint(static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes());
}

std::map<std::string, std::uint64_t> fingerprints_of(const Network& network) {
  std::map<std::string, std::uint64_t> result;
  for (const auto& [name, tensor] : network.parameters()) {
    result[name] = fingerprint(tensor);
  }
  const NetworkTables& tables = network.tables();
  const auto add = [&](const std::string& name, const at::Tensor& tensor) {
    result["table " + name] = fingerprint(tensor);
  };
  add("static_columns", tables.static_columns);
  for (const auto& [name, table] :
       {std::pair{"interp_to_hp", &tables.to_hp}, std::pair{"interp_to_ll", &tables.to_ll}}) {
    add(std::string(name) + ".neighbors", table->neighbours);
    add(std::string(name) + ".rel_pos", table->rel_pos);
  }
  for (const auto& [name, list] : {std::pair{"cosine", &tables.cosine}, std::pair{"sine", &tables.sine},
                                   std::pair{"child_offsets", &tables.child_offsets}}) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      add(fmt::format("{}.{}", name, i), (*list)[i]);
    }
  }
  return result;
}

}  // namespace

ResidentCheck::ResidentCheck(const Network& network) : fingerprints_(fingerprints_of(network)) {}

void ResidentCheck::verify(const Network& network) const {
  std::vector<std::string> changed;
  for (const auto& [name, now] : fingerprints_of(network)) {
    const auto before = fingerprints_.find(name);
    if (before == fingerprints_.end() || before->second != now) {
      changed.push_back(name);
    }
  }
  require(
      changed.empty(),
      "weights have changed in memory since they were loaded ({}): the memory of this host is not reliable; "
      "run again on another one",
      fmt::join(changed, ", "));
}

}  // namespace mosaic
