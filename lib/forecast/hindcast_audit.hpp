#pragma once

#include <vector>

#include "forecast/hindcast_worker.hpp"

namespace mosaic {

/// Computes a fraction of the committed initial times among `times` once more, evenly spread, each on a group
/// other than the one that committed it (where there are several), and compares the sums' hashes. Returns
/// those that had the same bits; ends early if a stop was requested. Collective over `comm`. Errors:
/// internal, on all ranks, naming initial time and hosts of both if they differ.
std::vector<Time> audit(const ResultsFolder& results, const std::vector<Time>& times, double fraction,
                        HindcastWorker& worker, const Comm& comm, int my_group, int groups);

}  // namespace mosaic
