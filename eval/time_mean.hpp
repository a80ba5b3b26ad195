#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "eval/scores.hpp"

namespace mosaic::eval {

/// Means over initial times, in ascending order of these. A lead averages the initial times that have a truth
/// for it. NaN is passed on, or with MissingValues::skip left out. For every level of which u and v are
/// scored there is one more channel behind them, the wind vector: its squared errors are the sums of theirs,
/// everything else is NaN.
struct TimeMean {
  InitTimeSums mean;                   ///< means and spectra averaged, ranks added up
  std::vector<InitTimeScores> scores;  ///< [L, C, R]
  std::vector<std::int64_t> counts;    ///< [L] initial times
  std::size_t initial_times = 0;

  TimeMeans at(std::size_t lead, std::size_t channel, std::size_t region) const;
};

/// Sums come from files. Errors: corrupt_input if there are none, axes differ or do not belong to `options`,
/// or an initial time occurs twice.
TimeMean time_mean(const std::vector<InitTimeSums>& sums, const ScoreOptions& options);

}  // namespace mosaic::eval
