#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// One of several jobs that share the initial times of a run: every count-th one, beginning with `index`.
struct Shard {
  int index = 0;
  int count = 1;
};

/// "i/N" with 0 <= i < N. Without text: this task of a Slurm job array (SLURM_ARRAY_TASK_ID and its
/// companions), or everything. Errors: usage.
Shard parse_shard(const std::string& text);

std::vector<Time> times_of_shard(const std::vector<Time>& all, const Shard& shard);

}  // namespace mosaic
