#pragma once

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "eval/seeps_sums.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::eval {

/// What is not linear and yet taken of each initial time, before the mean.
struct InitTimeScores {
  double root_squared_error = 0;                ///< sqrt(A[mean_m (x_m - y)^2])
  double root_ensemble_mean_squared_error = 0;  ///< sqrt(A[(y - X)^2])
  double root_variance = 0;                     ///< sqrt(A[s^2])
  double anomaly_correlation = 0;               ///< A[(X - c)(y - c)] / sqrt(A[(X - c)^2] A[(y - c)^2])
};

InitTimeScores init_time_scores(const kernels::Statistics& statistics);

/// Means over initial times, T[.], from which every score follows.
struct TimeMeans {
  kernels::Statistics statistics;
  InitTimeScores scores;
  double ranked_probability = std::numeric_limits<double>::quiet_NaN();  ///< summed over the quantiles
  SeepsMeans seeps = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
};

/// Of one initial time alone.
TimeMeans time_means_of_one(const kernels::Statistics& statistics);

/// A number made of area means that were averaged over the initial times. What is not linear (roots, ratios)
/// is taken after that average, unless the name says otherwise. The docstring of a score is its definition.
/// Notation: x_m member, y truth, c climatology, X ensemble mean, s^2 ensemble variance (ddof 1), M members,
/// A[.] area mean, T[.] mean over initial times.
class Score {
 public:
  virtual ~Score() = default;
  virtual std::string name() const = 0;        ///< WeatherBench 2's metric name
  virtual std::string definition() const = 0;  ///< one line for file attributes
  /// NaN where it is not defined.
  virtual double value(const TimeMeans& means, int members) const = 0;
  /// Whether it needs a climatology.
  virtual bool needs_climatology() const { return false; }
  /// Whether it needs scores at climatological quantiles.
  virtual bool needs_thresholds() const { return false; }
  /// Whether it is of precipitation and needs its climate.
  virtual bool needs_seeps() const { return false; }
};

/// All scores, sorted by name.
const std::vector<std::unique_ptr<const Score>>& all_scores();

/// Errors: internal for an unknown name.
const Score& score_by_name(const std::string& name);

}  // namespace mosaic::eval
