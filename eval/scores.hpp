#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::eval {

/// A number made of area means that were averaged over the initial times. What is not linear (roots, ratios)
/// is taken after that average. The docstring of a score is its definition. Notation: x_m member, y truth,
/// X ensemble mean, s^2 ensemble variance (ddof 1), M members, A[.] area mean, T[.] mean over initial times.
class Score {
 public:
  virtual ~Score() = default;
  virtual std::string name() const = 0;        ///< WeatherBench 2's metric name
  virtual std::string definition() const = 0;  ///< one line for file attributes
  /// The score from T[A[statistics]]. NaN where it is not defined.
  virtual double value(const kernels::Statistics& means, int members) const = 0;
};

/// All scores, sorted by name.
const std::vector<std::unique_ptr<const Score>>& all_scores();

/// Errors: internal for an unknown name.
const Score& score_by_name(const std::string& name);

}  // namespace mosaic::eval
