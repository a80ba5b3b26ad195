#pragma once

#include <array>
#include <cstddef>
#include <set>
#include <tuple>
#include <vector>

namespace mosaic::test {

/// Of these rows (choices by dimension) a subset in which every pair of choices occurs that occurs at all:
/// always the row with the most pairs not seen yet, the first of equals. The same for the same rows.
template <std::size_t Dimensions>
std::vector<std::array<int, Dimensions>> pairwise(const std::vector<std::array<int, Dimensions>>& rows) {
  using Pair = std::tuple<std::size_t, int, std::size_t, int>;
  const auto pairs_of = [](const std::array<int, Dimensions>& row) {
    std::vector<Pair> pairs;
    for (std::size_t a = 0; a < Dimensions; ++a) {
      for (std::size_t b = a + 1; b < Dimensions; ++b) {
        pairs.emplace_back(a, row[a], b, row[b]);
      }
    }
    return pairs;
  };
  std::set<Pair> open;
  for (const auto& row : rows) {
    for (const Pair& pair : pairs_of(row)) {
      open.insert(pair);
    }
  }
  std::vector<std::array<int, Dimensions>> chosen;
  while (!open.empty()) {
    std::size_t most = 0;
    const std::array<int, Dimensions>* best = nullptr;
    for (const auto& row : rows) {
      std::size_t unseen = 0;
      for (const Pair& pair : pairs_of(row)) {
        unseen += open.count(pair);
      }
      if (unseen > most) {
        most = unseen;
        best = &row;
      }
    }
    chosen.push_back(*best);
    for (const Pair& pair : pairs_of(*best)) {
      open.erase(pair);
    }
  }
  return chosen;
}

}  // namespace mosaic::test
