#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// The members' normal draws: from a seed (base/noise.hpp), or from a file that replaces them.
class NoiseSource {
 public:
  /// Draws depend on (seed, initial time, member, step) only.
  static NoiseSource from_seed(std::uint64_t seed);
  /// Tensor `noise` [members, steps, width], the same for every initial time. Padding members (beyond the
  /// file's) get the first member's draws; their results are never used. Errors: missing_input, corrupt_input
  /// naming what is too small.
  static NoiseSource from_file(const std::string& path, int members, int steps, int width);

  /// Members and steps count from 0. draws: [width]
  void fill(Time initial_time, int member, int step, std::span<float> draws) const;

 private:
  std::uint64_t seed_ = 0;
  std::vector<float> stored_;  // [M, steps, width]; empty = from the seed
  int stored_members_ = 0;
  int stored_steps_ = 0;
  int stored_width_ = 0;
};

}  // namespace mosaic
