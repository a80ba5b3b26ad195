#include "campaign/rank_groups.hpp"

#include <algorithm>

namespace mosaic {

namespace {

constexpr double exchange_cost = 1.1;  // assumed, not measured: groups must be worth their exchange

template <class Integer>
Integer rounds(Integer work, Integer workers) {
  return (work + workers - 1) / workers;
}

}  // namespace

int number_of_groups(int ranks, std::optional<int> ranks_per_init, std::size_t initial_times, int batches) {
  if (ranks_per_init) {
    return std::max(1, ranks / *ranks_per_init);
  }
  int best = ranks;
  double least = 0;
  for (int groups = ranks; groups >= 1; --groups) {
    const int size = ranks / groups;  // of the smallest group
    const auto passes = static_cast<double>(rounds(initial_times, static_cast<std::size_t>(groups)));
    const double cost = passes * rounds(batches, size) * (size > 1 ? exchange_cost : 1.0);
    if (groups == ranks || cost < least) {
      best = groups;
      least = cost;
    }
  }
  return best;
}

int group_of_rank(int rank, int ranks, int groups) {
  // The inverse of first rank of group g = ceil(g ranks / groups).
  return static_cast<int>(static_cast<long>(rank) * groups / ranks);
}

}  // namespace mosaic
