#pragma once

#include <cstddef>
#include <vector>

#include "eval/block_bootstrap.hpp"
#include "eval/init_time_sums.hpp"
#include "eval/scores.hpp"

namespace mosaic::eval {

/// Where a score is taken.
struct ScorePlace {
  std::size_t lead = 0, channel = 0, region = 0;
};

/// The statistics of every initial time of a run, those of wind vectors (time_mean()) among them, from which
/// scores with their intervals follow. Initial times without a truth for a lead are left out of that lead.
class RunScores {
 public:
  /// `options` say how means over initial times treat missing values and weights; channels and leads as in
  /// the sums. Errors: as time_mean().
  RunScores(const std::vector<InitTimeSums>& sums, const ScoreOptions& options);

  const ChannelSet& channels() const { return channels_; }  ///< wind vectors behind the others
  int members() const { return members_; }

  /// The score over all initial times, with the bits of metrics_document(), and its interval. NaN where the
  /// sums do not have what it is made of.
  Interval interval(const Score& score, ScorePlace place, const BootstrapOptions& options) const;

 private:
  friend Interval paired_difference(const Score&, const RunScores&, ScorePlace, const RunScores&, ScorePlace,
                                    const BootstrapOptions&);
  struct AtInitialTime {
    Time initial_time;
    std::vector<std::uint8_t> scored;         // [L]
    std::vector<kernels::Statistics> values;  // [L, C, R]
    ThresholdSums thresholds;                 // without reliability
    SeepsSums seeps;
  };
  /// A part at an initial time, and the part of the area that it is of.
  struct Sample {
    double value, valid;
  };

  /// Initial times with a truth for the lead.
  std::vector<std::size_t> scored_at(std::size_t lead) const;
  std::size_t quantiles() const;
  bool has_quantiles_of(const RunScores& other) const;
  Sample sample(const AtInitialTime& time, ScorePlace place, std::size_t part) const;
  /// Appends the value and weight of each of `parts`.
  void append(TimeSeries& series, std::size_t time, ScorePlace place,
              const std::vector<std::size_t>& parts) const;

  int members_ = 0;
  ChannelSet channels_;
  std::size_t regions_ = 0;
  kernels::MissingValues missing_;
  TimeMeanKind kind_;
  std::vector<AtInitialTime> times_;  ///< ascending
};

/// Score of `a` minus score of `b`, both over the initial times that have a truth in both, with the interval
/// of the differences of samples: the same initial times are drawn for both. Errors: none; no common initial
/// time gives NaN, and so does a score at quantiles that are others in `b`.
Interval paired_difference(const Score& score, const RunScores& a, ScorePlace place_a, const RunScores& b,
                           ScorePlace place_b, const BootstrapOptions& options);

}  // namespace mosaic::eval
