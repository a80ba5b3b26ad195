#pragma once

#include <cstddef>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

/// The scores of one initial time, divided among the ranks of a group by channel: each rank scores all
/// members of its channels, and the parts put together have the bits of one scorer that does everything.
class ScoreShares {
 public:
  /// `members`: of the whole ensemble. Errors: internal for no part.
  ScoreShares(const ScoreOptions& all, const LatLonGrid& grid, int members, std::size_t parts);

  std::size_t parts() const { return shares_.size(); }
  /// What part `part` scores; it may be nothing.
  const ScoreOptions& share(std::size_t part) const { return shares_[part]; }

  /// The numbers of a part's sums, in an order that join() knows; to be sent to the rank that joins.
  static std::vector<double> numbers_of(const InitTimeSums& sums);

  /// The sums of everything from the numbers of all parts. Errors: internal if their amounts do not fit.
  InitTimeSums join(Time initial_time, const std::vector<std::vector<double>>& numbers) const;

 private:
  InitTimeSums empty_;                ///< of everything
  std::vector<ScoreOptions> shares_;  // [parts]
  std::vector<InitTimeSums> axes_;    // [parts], the empty sums of each share
};

}  // namespace mosaic::eval
