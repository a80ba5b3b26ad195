#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "eval/climatology_output.hpp"

namespace mosaic::eval {

/// Of the memory, for decoded chunks that hold several times.
inline constexpr double climatology_cache_part = 0.125;

/// A part of a climatology that is made in one go: a block of channels of one variable at a block of hours.
/// Its states are read once for each round; a round has a part of the points, spread over the ranks.
struct ClimatologyPass {
  std::size_t first_channel = 0;
  std::size_t channels = 1;
  std::size_t first_hour = 0;
  std::size_t hours = 1;
  std::size_t rounds = 1;

  std::size_t units() const { return channels * hours; }
};

/// Points [first, second) of a rank in a round: equal shares, the same everywhere.
std::pair<std::size_t, std::size_t> points_of(std::size_t points, std::size_t rounds, std::size_t round,
                                              int ranks, int rank);

/// The largest passes that fit into `memory` bytes of each rank: all levels of a variable at all hours, else
/// at fewer hours, else fewer levels at one hour, else one channel at one hour in several rounds. Counted are
/// the records of the points, the results, `states` states that are read at once, and climatology_cache_part.
/// Errors: bad_configuration, saying how much memory is enough for 32 rounds.
std::vector<ClimatologyPass> plan_passes(const ClimatologyContents& contents, int ranks, double memory,
                                         std::size_t states);

}  // namespace mosaic::eval
