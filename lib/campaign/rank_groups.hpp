#pragma once

#include <cstddef>
#include <optional>

namespace mosaic {

/// How many groups the ranks of a job form; a group computes one initial time at a time. A chosen
/// `ranks_per_init` N gives ranks / N groups of N ranks or, where that leaves a rest, a few more. Otherwise
/// the number that is done first if every batch of members takes the same time: rounds over the initial
/// times, times batches of the busiest rank, and a tenth more for the exchange inside a group; of equals the
/// most groups.
int number_of_groups(int ranks, std::optional<int> ranks_per_init, std::size_t initial_times, int batches);

/// The group of a rank: consecutive ranks, sizes that differ by one at most.
int group_of_rank(int rank, int ranks, int groups);

}  // namespace mosaic
