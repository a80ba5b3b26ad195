#pragma once

#include <cstddef>
#include <vector>

#include "fields/channel.hpp"
#include "kernels/threshold_statistics/threshold_statistics.hpp"

namespace mosaic::eval {

/// Where the value of a climatological quantile comes from.
enum class ThresholdKind {
  stored,    ///< the quantile that the climatology has, the nearest within 0.01
  gaussian,  ///< its mean + z standard deviations, in double; z = normal_quantile(quantile)
};

/// Which scores at climatological quantiles are made.
struct ThresholdOptions {
  std::vector<double> quantiles;  ///< T, 0 ... 1 ascending; empty = no such scores
  ThresholdKind kind = ThresholdKind::stored;
  ChannelSet channels;  ///< H, of the scored ones: those for which the climatology has what is needed
};

/// Scores at climatological quantiles of one initial time, with their axes.
struct ThresholdSums {
  std::vector<double> quantiles;                // T
  ChannelSet channels;                          // H
  std::vector<kernels::ThresholdScores> means;  // [L, H, R, T] area means
  std::vector<double> reliability;              // [L, H, T, M + 1, 2] of the whole grid, area weights

  /// Where the T means of a region begin.
  std::size_t mean_offset(std::size_t lead, std::size_t channel, std::size_t region,
                          std::size_t regions) const {
    return ((lead * channels.size() + channel) * regions + region) * quantiles.size();
  }
  /// Where the counts of a channel begin, and how many they are.
  std::size_t reliability_offset(std::size_t lead, std::size_t channel, int members) const {
    return (lead * channels.size() + channel) * reliability_numbers(members);
  }
  std::size_t reliability_numbers(int members) const {
    return quantiles.size() * (static_cast<std::size_t>(members) + 1) * 2;
  }
};

}  // namespace mosaic::eval
