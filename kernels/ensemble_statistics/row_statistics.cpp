#include "kernels/ensemble_statistics/row_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "kernels/ensemble_statistics/point_statistics.hpp"
#include "kernels/instruction_sets.hpp"

// The members of 16 points at a time are sorted by one network of compare-exchanges, whatever their number.
// It has not been measured against a sort point by point, which may win for hundreds of members.

namespace mosaic::kernels {
namespace {

constexpr std::size_t block = 16;  // points; one AVX-512 register of float32
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// One row: where to read, where to write. Plain pointers, so that one function per instruction set holds the
/// whole pass.
struct RowPass {
  const float* const* members;  // [M] of the row
  std::size_t member_count;
  const float* truth;        // [I]
  const float* climatology;  // [I] or null
  std::size_t points;        // I
  const Comparator* network;
  std::size_t comparators;
  const double* spread_factors;  // [M]
  float* sorted;                 // [blocks, M, block]
  double* values;                // [statistic, stride]
  std::size_t stride;
  int* below;  // [stride]
  int* equal;  // [stride]
};

/// The whole row of one member after the other, as the memory likes it, to blocks of [M, block]; the last
/// point is repeated up to a whole block.
[[gnu::always_inline]] inline void load_row(const RowPass& pass) {
  const std::size_t blocks = (pass.points + block - 1) / block;
  const std::size_t whole = pass.points / block;
  for (std::size_t m = 0; m < pass.member_count; ++m) {
    float* to = pass.sorted + m * block;
    for (std::size_t b = 0; b < whole; ++b) {
      std::memcpy(to + b * pass.member_count * block, pass.members[m] + b * block, block * sizeof(float));
    }
    for (std::size_t i = 0; whole < blocks && i < block; ++i) {
      to[whole * pass.member_count * block + i] =
          pass.members[m][std::min(whole * block + i, pass.points - 1)];
    }
  }
}

/// Ranks of the truth among the unsorted members; `poison` is NaN where a member is NaN.
[[gnu::always_inline]] inline void rank_block(const RowPass& pass, std::size_t first, const float* members,
                                              const float* truth, double* poison) {
  int below[block] = {};
  int equal[block] = {};
  float nan_or_zero[block] = {};
  for (std::size_t m = 0; m < pass.member_count; ++m) {
    const float* x = members + m * block;
    for (std::size_t i = 0; i < block; ++i) {
      below[i] += x[i] < truth[i] ? 1 : 0;
      equal[i] += x[i] == truth[i] ? 1 : 0;
      nan_or_zero[i] = x[i] == x[i] ? nan_or_zero[i] : x[i];
    }
  }
  std::memcpy(pass.below + first, below, sizeof(below));
  std::memcpy(pass.equal + first, equal, sizeof(equal));
  for (std::size_t i = 0; i < block; ++i) {
    poison[i] = nan_or_zero[i];
  }
}

/// A block as one value: as a loop over points GCC 12 makes scalar branches of the exchange (the
/// kernel took 12 x as long).
using BlockOfFloats [[gnu::vector_size(block * sizeof(float))]] = float;

/// A comparison with NaN is false: NaN members stay where they are.
[[gnu::always_inline]] inline void exchange(BlockOfFloats& a, BlockOfFloats& b) {
  const BlockOfFloats smaller = b < a ? b : a;
  const BlockOfFloats larger = b < a ? a : b;
  a = smaller;
  b = larger;
}

/// Through the first-level cache. The network in registers, unrolled for each number of members up to 30, was
/// tried: GCC 12 did not finish compiling it in ten minutes.
[[gnu::always_inline]] inline void sort_block(const RowPass& pass, float* members) {
  for (std::size_t n = 0; n < pass.comparators; ++n) {
    float* a = members + pass.network[n].first * block;
    float* b = members + pass.network[n].second * block;
    BlockOfFloats first, second;
    std::memcpy(&first, a, sizeof(first));
    std::memcpy(&second, b, sizeof(second));
    exchange(first, second);
    std::memcpy(a, &first, sizeof(first));
    std::memcpy(b, &second, sizeof(second));
  }
}

/// Sums over the members of a block.
struct BlockSums {
  double member[block] = {};
  double error[block] = {};
  double absolute[block] = {};
  double squared[block] = {};
  double spread[block] = {};
  double variance[block] = {};
};

[[gnu::always_inline]] inline void sum_block(const RowPass& pass, const float* members, const double* truth,
                                             BlockSums& sums) {
  for (std::size_t m = 0; m < pass.member_count; ++m) {
    const float* x = members + m * block;
    const double factor = pass.spread_factors[m];
    for (std::size_t i = 0; i < block; ++i) {
      const double difference = x[i] - truth[i];
      sums.member[i] += x[i];
      sums.error[i] += difference;
      sums.absolute[i] += std::abs(difference);
      sums.squared[i] += difference * difference;
    }
    // The middle one of an odd number has the factor 0, which must not turn an infinity into NaN.
    if (factor != 0.0) {
      for (std::size_t i = 0; i < block; ++i) {
        sums.spread[i] += factor * x[i];
      }
    }
  }
}

/// Second pass, about the mean.
[[gnu::always_inline]] inline void add_variance(const RowPass& pass, const float* members, BlockSums& sums,
                                                double* mean) {
  for (std::size_t i = 0; i < block; ++i) {
    mean[i] = sums.member[i] / static_cast<double>(pass.member_count);
  }
  for (std::size_t k = 0; k < pass.member_count; ++k) {
    const float* x = members + k * block;
    for (std::size_t i = 0; i < block; ++i) {
      const double distance = x[i] - mean[i];
      sums.variance[i] += distance * distance;
    }
  }
}

[[gnu::always_inline]] inline double squared(double value) { return value * value; }

/// In local arrays first: the compiler cannot know that rows of results do not overlap.
[[gnu::always_inline]] inline void write_block(const RowPass& pass, std::size_t first, const double* y,
                                               const double* c, const double* poison, const BlockSums& sums,
                                               const double* mean) {
  const double m = static_cast<double>(pass.member_count);
  const double degrees = pass.member_count > 1 ? m - 1.0 : 1.0;
  const double if_several = pass.member_count > 1 ? 0.0 : undefined;
  double values[statistic_count][block] = {};
  const auto of = [&](Statistic which) { return values[static_cast<std::size_t>(which)]; };
  for (std::size_t i = 0; i < block; ++i) {
    const double variance = sums.variance[i] / degrees + poison[i];
    of(Statistic::squared_error)[i] = sums.squared[i] / m;
    of(Statistic::error)[i] = sums.error[i] / m;
    of(Statistic::absolute_error)[i] = sums.absolute[i] / m;
    of(Statistic::spread)[i] = sums.spread[i] + poison[i];
    of(Statistic::ensemble_mean_squared_error)[i] = squared(y[i] - mean[i]);
    of(Statistic::variance)[i] = variance;
    of(Statistic::debiased_squared_error)[i] = squared(y[i] - mean[i]) - variance / m + if_several;
    of(Statistic::anomaly_product)[i] = (mean[i] - c[i]) * (y[i] - c[i]);
    of(Statistic::forecast_anomaly_squared)[i] = squared(mean[i] - c[i]);
    of(Statistic::truth_anomaly_squared)[i] = squared(y[i] - c[i]);
    of(Statistic::error_weight)[i] = 1.0;
    of(Statistic::ensemble_weight)[i] = 1.0;
  }
  for (std::size_t s = 0; s < statistic_count; ++s) {
    std::memcpy(pass.values + s * pass.stride + first, values[s], sizeof(values[s]));
  }
}

MOSAIC_EACH_INSTRUCTION_SET
void compute_row(const RowPass& pass) {
  load_row(pass);
  for (std::size_t first = 0; first < pass.points; first += block) {
    const std::size_t count = std::min(block, pass.points - first);
    float truth[block];
    double truth_double[block];
    double climatology[block];
    double poison[block];
    double mean[block];
    for (std::size_t i = 0; i < block; ++i) {
      const std::size_t from = first + std::min(i, count - 1);
      truth[i] = pass.truth[from];
      truth_double[i] = truth[i];
      climatology[i] = pass.climatology == nullptr ? undefined : pass.climatology[from];
    }
    float* members = pass.sorted + first * pass.member_count;
    rank_block(pass, first, members, truth, poison);
    sort_block(pass, members);
    BlockSums sums;
    sum_block(pass, members, truth_double, sums);
    add_variance(pass, members, sums, mean);
    write_block(pass, first, truth_double, climatology, poison, sums, mean);
  }
}

MOSAIC_EACH_INSTRUCTION_SET
void squared_differences(const float* a, const float* b, std::size_t points, double* result) {
  for (std::size_t i = 0; i < points; ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    result[i] = difference * difference;
  }
}

/// Within the next block of floats.
float* at_cache_line(float* values) {
  void* place = values;
  std::size_t room = 2 * block * sizeof(float);
  return static_cast<float*>(std::align(block * sizeof(float), block * sizeof(float), place, room));
}

bool has_nan(const float* values, std::size_t points) {
  return std::any_of(values, values + points, [](float value) { return std::isnan(value); });
}

}  // namespace

std::vector<Comparator> sorting_network(std::size_t inputs) {
  std::vector<Comparator> network;
  for (std::size_t p = 1; p < inputs; p *= 2) {
    for (std::size_t k = p; k >= 1; k /= 2) {
      for (std::size_t j = k % p; j + k < inputs; j += 2 * k) {
        for (std::size_t i = j; i < std::min(j + k, inputs - k); ++i) {
          if (i / (2 * p) == (i + k) / (2 * p)) {
            network.push_back({i, i + k});
          }
        }
      }
    }
  }
  return network;
}

RowPlan::RowPlan(const EnsembleStatisticsArgs& all)
    : args(all), network(sorting_network(all.members.size())), spread_factors(all.members.size(), 0.0) {
  const auto m = static_cast<double>(args.members.size());
  for (std::size_t r = 0; r < spread_factors.size() && spread_factors.size() > 1; ++r) {
    spread_factors[r] = 2.0 * (2.0 * static_cast<double>(r + 1) - m - 1.0) / (m * (m - 1.0));
  }
  one_over.assign(1, 0.0);
  for (std::size_t n = 1; n < args.members.size() + 2; ++n) {
    one_over.push_back(1.0 / static_cast<double>(n));
  }
}

RowStatistics::RowStatistics(const RowPlan& plan)
    : plan_(plan),
      stride_((plan.args.longitudes + block - 1) / block * block),
      rows_(plan.args.members.size()),
      sorted_(plan.args.members.size() * stride_ + block),
      values_(statistic_count * stride_, 0.0),
      below_(stride_),
      equal_(stride_) {
  if (plan.args.energy) {
    squared_errors_.resize(rows_.size() * stride_);
    squared_steps_.resize(rows_.size() * stride_);
  }
}

void RowStatistics::compute(std::size_t row, std::span<double> ranks) {
  const EnsembleStatisticsArgs& args = plan_.args;
  const std::size_t offset = row * args.longitudes;
  for (std::size_t m = 0; m < rows_.size(); ++m) {
    rows_[m] = args.members[m] + offset;
  }
  const float* truth = args.truth + offset;
  compute_row({.members = rows_.data(),
               .member_count = rows_.size(),
               .truth = truth,
               .climatology = args.climatology == nullptr ? nullptr : args.climatology + offset,
               .points = args.longitudes,
               .network = plan_.network.data(),
               .comparators = plan_.network.size(),
               .spread_factors = plan_.spread_factors.data(),
               .sorted = at_cache_line(sorted_.data()),
               .values = values_.data(),
               .stride = stride_,
               .below = below_.data(),
               .equal = equal_.data()});
  const auto misses = [&](const float* values) { return has_nan(values, args.longitudes); };
  if (args.missing == MissingValues::skip &&
      (misses(truth) || std::any_of(rows_.begin(), rows_.end(), misses))) {
    compute_point_by_point(row);
  }
  if (!ranks.empty()) {
    add_ranks(row, ranks);
  }
  for (std::size_t m = 0; args.energy && m < rows_.size(); ++m) {
    squared_differences(rows_[m], truth, args.longitudes, squared_errors_.data() + m * stride_);
    if (m + 1 < rows_.size()) {
      squared_differences(rows_[m], rows_[m + 1], args.longitudes, squared_steps_.data() + m * stride_);
    }
  }
}

void RowStatistics::compute_point_by_point(std::size_t row) {
  const EnsembleStatisticsArgs& args = plan_.args;
  std::vector<float> members(rows_.size());
  for (std::size_t i = 0; i < args.longitudes; ++i) {
    for (std::size_t m = 0; m < rows_.size(); ++m) {
      members[m] = rows_[m][i];
    }
    const std::size_t point = row * args.longitudes + i;
    const float* climatology = args.climatology == nullptr ? nullptr : args.climatology + point;
    const Statistics values = point_statistics(members, args.truth[point], climatology, args.missing);
    for (std::size_t s = 0; s < statistic_count; ++s) {
      const auto which = static_cast<Statistic>(s);
      values_[place(which) + i] = at(values, weight_of(which)) > 0.0 ? values[s] : 0.0;
    }
  }
}

void RowStatistics::add_ranks(std::size_t row, std::span<double> ranks) const {
  const float* truth = plan_.args.truth + row * plan_.args.longitudes;
  const std::size_t bins = rows_.size() + 1;
  for (std::size_t i = 0; i < plan_.args.longitudes; ++i) {
    if (std::isnan(truth[i])) {
      count_ranks(std::vector<float>(rows_.size()), truth[i], plan_.args.missing, ranks);
      continue;
    }
    const auto below = static_cast<std::size_t>(below_[i]);
    const auto not_above = below + static_cast<std::size_t>(equal_[i]);
    ranks[below] += 1.0;
    ranks[bins + not_above] += 1.0;
    for (std::size_t rank = below; rank <= not_above; ++rank) {
      ranks[2 * bins + rank] += plan_.one_over[not_above - below + 1];
    }
  }
}

}  // namespace mosaic::kernels
