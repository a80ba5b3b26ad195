#include "kernels/ensemble_statistics/row_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "kernels/ensemble_statistics/point_statistics.hpp"
#include "kernels/ensemble_statistics/sort_columns.hpp"
#include "kernels/four_doubles.hpp"
#include "kernels/instruction_sets.hpp"

// 16 points are a block. Their members are sorted side by side (which brings what is not finite to the ends)
// and then read once for all statistics. Blocks with a NaN or an infinity, in which the short formulas would
// make NaN of what is infinite or defined, go through the formulas of the definition.

namespace mosaic::kernels {
namespace {

constexpr std::size_t block = sorting_lanes;
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// One row: where to read, where to write. Plain pointers, so that one function per instruction set holds the
/// whole pass.
struct RowPass {
  const float* const* members;  // [M] of the row
  std::size_t member_count;
  const float* truth;               // [I]
  const float* climatology;         // [I] or null
  std::size_t points;               // I
  bool has_next;                    // whether there is a row after this one
  const double* spread_factors;     // [M]
  int below_missing_truth;          // members below a truth that is NaN
  float* sorted;                    // [M, block]
  const float* const* sorted_rows;  // [M] of it
  double* values;                   // [statistic, stride]
  std::size_t stride;
  int* below;               // [stride]
  int* equal;               // [stride]
  std::uint8_t* irregular;  // [blocks]
};

/// The members of a block in ascending order; the last point is repeated up to a whole block. Copies of the
/// rows, for members that lie at the same places of pages, were tried: 28 us in place of 23.
[[gnu::always_inline]] inline void sort_block(const RowPass& pass, std::size_t first) {
  if (first + block <= pass.points) {
    sort_columns(pass.members, first, pass.member_count, pass.sorted);
    return;
  }
  for (std::size_t m = 0; m < pass.member_count; ++m) {
    for (std::size_t i = 0; i < block; ++i) {
      pass.sorted[m * block + i] = pass.members[m][std::min(first + i, pass.points - 1)];
    }
  }
  sort_columns(pass.sorted_rows, 0, pass.member_count, pass.sorted);
}

/// One block on its way.
struct Block {
  std::size_t first;     // its first point
  const float* members;  // [M, block], ascending
  float truth[block];
  float climatology[block];
};

/// Ranks of the truth among the members; a comparison with NaN is false. Meanwhile the same columns of the
/// next row are fetched to the second-level cache: the members are more streams than the processor follows by
/// itself, and waiting for them took 40 % of the time.
[[gnu::always_inline]] inline void rank_block(const RowPass& pass, const Block& points) {
  constexpr std::size_t many = 8;
  using ManyFloats [[gnu::vector_size(many * sizeof(float))]] = float;
  using ManyInts [[gnu::vector_size(many * sizeof(float))]] = int;
  for (std::size_t i = 0; i < block; i += many) {
    ManyFloats y;
    std::memcpy(&y, points.truth + i, sizeof(y));
    ManyInts below = {};
    ManyInts equal = {};
    for (std::size_t m = 0; m < pass.member_count; ++m) {
      if (i == 0 && pass.has_next) {
        __builtin_prefetch(pass.members[m] + points.first + pass.points, 0, 2);
      }
      ManyFloats x;
      std::memcpy(&x, points.members + m * block + i, sizeof(x));
      below -= x < y;
      equal -= x == y;
    }
    std::memcpy(pass.below + points.first + i, &below, sizeof(below));
    std::memcpy(pass.equal + points.first + i, &equal, sizeof(equal));
  }
}

/// All statistics of four finite points; adds NaN to `finite` at a point that is none. Distances to the
/// median v, of which the mean is never further away than one standard deviation: X = v + sum (x - v) / M and
/// sum (x - X)^2 = sum (x - v)^2 - (sum (x - v))^2 / M lose no more than a factor of 2, and one pass will do;
/// mean (x - y)^2 = (X - y)^2 + sum (x - X)^2 / M. It goes through pairs a <= b from the outermost inwards:
/// |a - y| + |b - y| = max(b - a, |a + b - 2 y|),
/// (a - v)^2 + (b - v)^2 = ((a + b - 2 v)^2 + (b - a)^2) / 2.
[[gnu::always_inline]] inline void write_four(const RowPass& pass, const Block& points, std::size_t i,
                                              FourDoubles& finite) {
  const std::size_t count = pass.member_count;
  const float* members = points.members + i;
  FourDoubles truth, centre, climatology;
  load(points.truth + i, truth);
  load(points.climatology + i, climatology);
  load(members + count / 2 * block, centre);
  const FourDoubles two_truths = 2.0 * truth;
  const FourDoubles two_centres = 2.0 * centre;
  FourDoubles sum = {}, squares = {}, absolute = {}, spread = {};
  for (std::size_t r = 0; r < count / 2; ++r) {
    FourDoubles low, high;
    load(members + r * block, low);
    load(members + (count - 1 - r) * block, high);
    const FourDoubles both = low + high;
    const FourDoubles gap = high - low;
    const FourDoubles about_centre = both - two_centres;
    FourDoubles about_truth = both - two_truths;
    make_absolute(about_truth);
    absolute += about_truth < gap ? gap : about_truth;
    spread += pass.spread_factors[count - 1 - r] * gap;
    sum += about_centre;
    squares += about_centre * about_centre + gap * gap;
  }
  squares *= 0.5;
  if (count % 2 == 1) {
    FourDoubles about_truth = centre - truth;
    make_absolute(about_truth);
    absolute += about_truth;
  }
  const double one_over = 1.0 / static_cast<double>(count);
  const FourDoubles offset = sum * one_over;
  const FourDoubles error = (centre - truth) + offset;
  const FourDoubles about_mean = squares - sum * offset;
  const FourDoubles variance = about_mean * (count > 1 ? 1.0 / static_cast<double>(count - 1) : 1.0);
  const FourDoubles anomaly = (centre - climatology) + offset;
  const FourDoubles truth_anomaly = truth - climatology;
  const auto write = [&](Statistic which, const FourDoubles& value) __attribute__((always_inline)) {
    store(value, pass.values + static_cast<std::size_t>(which) * pass.stride + points.first + i);
  };
  finite += 0.0 * (error + squares);
  write(Statistic::squared_error, error * error + about_mean * one_over);
  write(Statistic::error, error);
  write(Statistic::absolute_error, absolute * one_over);
  write(Statistic::spread, spread);
  write(Statistic::ensemble_mean_squared_error, error * error);
  write(Statistic::variance, variance);
  write(Statistic::debiased_squared_error,
        error * error - variance * one_over + (count > 1 ? 0.0 : undefined));
  write(Statistic::anomaly_product, anomaly * truth_anomaly);
  write(Statistic::forecast_anomaly_squared, anomaly * anomaly);
  write(Statistic::truth_anomaly_squared, truth_anomaly * truth_anomaly);
}

double squared(double value) { return value * value; }

/// By the definition.
void write_one(const RowPass& pass, const Block& points, std::size_t i) {
  const auto m = static_cast<double>(pass.member_count);
  const double y = points.truth[i];
  const double c = points.climatology[i];
  const auto member = [&](std::size_t r) -> double { return points.members[r * block + i]; };
  double sum = 0, error = 0, absolute = 0, squares = 0, spread = 0, about_mean = 0, nan_or_zero = 0;
  for (std::size_t r = 0; r < pass.member_count; ++r) {
    const double x = member(r);
    sum += x;
    error += x - y;
    absolute += std::abs(x - y);
    squares += squared(x - y);
    // The middle one of an odd number has the factor 0, which must not turn an infinity into NaN.
    spread += pass.spread_factors[r] == 0.0 ? 0.0 : pass.spread_factors[r] * x;
    nan_or_zero = std::isnan(x) ? x : nan_or_zero;
  }
  const double mean = sum / m;
  for (std::size_t r = 0; r < pass.member_count; ++r) {
    about_mean += squared(member(r) - mean);
  }
  const double variance = about_mean / (pass.member_count > 1 ? m - 1.0 : 1.0) + nan_or_zero;
  const auto write = [&](Statistic which, double value) {
    pass.values[static_cast<std::size_t>(which) * pass.stride + points.first + i] = value;
  };
  write(Statistic::squared_error, squares / m);
  write(Statistic::error, error / m);
  write(Statistic::absolute_error, absolute / m);
  write(Statistic::spread, spread + nan_or_zero);
  write(Statistic::ensemble_mean_squared_error, squared(y - mean));
  write(Statistic::variance, variance);
  write(Statistic::debiased_squared_error,
        squared(y - mean) - variance / m + (pass.member_count > 1 ? 0.0 : undefined));
  write(Statistic::anomaly_product, (mean - c) * (y - c));
  write(Statistic::forecast_anomaly_squared, squared(mean - c));
  write(Statistic::truth_anomaly_squared, squared(y - c));
  if (std::isnan(y)) {
    pass.below[points.first + i] = pass.below_missing_truth;
  }
}

/// The points of a block where something is not finite: if so it is the first or last of the sorted members,
/// or the truth.
void write_irregular(const RowPass& pass, const Block& points) {
  const float* lowest = points.members;
  const float* highest = points.members + (pass.member_count - 1) * block;
  for (std::size_t i = 0; i < block; ++i) {
    if (!std::isfinite(lowest[i]) || !std::isfinite(highest[i]) || !std::isfinite(points.truth[i])) {
      write_one(pass, points, i);
    }
  }
}

/// A row's values of a block; the last point is repeated.
[[gnu::always_inline]] inline void load_block(const float* row, std::size_t first, std::size_t points,
                                              float* values) {
  if (first + block <= points) {
    std::memcpy(values, row + first, block * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < block; ++i) {
    values[i] = row[std::min(first + i, points - 1)];
  }
}

MOSAIC_EACH_INSTRUCTION_SET
void compute_row(const RowPass& pass) {
  Block points{0, pass.sorted, {}, {}};
  std::fill_n(points.climatology, block, std::numeric_limits<float>::quiet_NaN());
  for (points.first = 0; points.first < pass.points; points.first += block) {
    sort_block(pass, points.first);
    load_block(pass.truth, points.first, pass.points, points.truth);
    if (pass.climatology != nullptr) {
      load_block(pass.climatology, points.first, pass.points, points.climatology);
    }
    rank_block(pass, points);
    FourDoubles finite = {};
    for (std::size_t i = 0; i < block; i += 4) {
      write_four(pass, points, i, finite);
    }
    const bool irregular = (finite[0] + finite[1]) + (finite[2] + finite[3]) != 0.0;
    pass.irregular[points.first / block] = irregular ? 1 : 0;
    if (irregular) {
      write_irregular(pass, points);
    }
  }
}

/// Within the next block of floats.
float* at_cache_line(float* values) {
  void* place = values;
  std::size_t room = 2 * block * sizeof(float);
  return static_cast<float*>(std::align(block * sizeof(float), block * sizeof(float), place, room));
}

}  // namespace

RowPlan::RowPlan(const EnsembleStatisticsArgs& all) : args(all), spread_factors(all.members.size(), 0.0) {
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
      sorted_(plan.args.members.size() * block + block),
      values_(statistic_count * stride_, 1.0),
      below_(stride_),
      equal_(stride_),
      irregular_(stride_ / block),
      untied_(plan.args.members.size() + 1) {
  for (std::size_t m = 0; m < rows_.size(); ++m) {
    sorted_rows_.push_back(at_cache_line(sorted_.data()) + m * block);
  }
}

void RowStatistics::compute(std::size_t row, std::span<double> ranks) {
  const EnsembleStatisticsArgs& args = plan_.args;
  const std::size_t offset = row * args.longitudes;
  for (std::size_t m = 0; m < rows_.size(); ++m) {
    rows_[m] = args.members[m] + offset;
  }
  if (has_gaps_) {
    std::fill_n(values_.data() + place(Statistic::error_weight), args.longitudes, 1.0);
    std::fill_n(values_.data() + place(Statistic::ensemble_weight), args.longitudes, 1.0);
    has_gaps_ = false;
  }
  compute_row(
      {.members = rows_.data(),
       .member_count = rows_.size(),
       .truth = args.truth + offset,
       .climatology = args.climatology == nullptr ? nullptr : args.climatology + offset,
       .points = args.longitudes,
       .has_next = row + 1 < args.latitudes,
       .spread_factors = plan_.spread_factors.data(),
       .below_missing_truth = args.missing == MissingValues::skip ? -1 : static_cast<int>(rows_.size()),
       .sorted = at_cache_line(sorted_.data()),
       .sorted_rows = sorted_rows_.data(),
       .values = values_.data(),
       .stride = stride_,
       .below = below_.data(),
       .equal = equal_.data(),
       .irregular = irregular_.data()});
  if (args.missing == MissingValues::skip) {
    compute_gaps(row);
  }
  if (!ranks.empty()) {
    add_ranks(ranks);
  }
}

/// Points where a member or the truth is NaN.
void RowStatistics::compute_gaps(std::size_t row) {
  const EnsembleStatisticsArgs& args = plan_.args;
  std::vector<float> members(rows_.size());
  for (std::size_t i = 0; i < args.longitudes; ++i) {
    if (irregular_[i / block] == 0) {
      continue;
    }
    std::transform(rows_.begin(), rows_.end(), members.begin(),
                   [i](const float* member) { return member[i]; });
    const std::size_t point = row * args.longitudes + i;
    const float* climatology = args.climatology == nullptr ? nullptr : args.climatology + point;
    const bool gap = std::isnan(args.truth[point]) ||
                     std::any_of(members.begin(), members.end(), [](float x) { return std::isnan(x); });
    if (!gap) {
      continue;
    }
    has_gaps_ = true;
    const Statistics values = point_statistics(members, args.truth[point], climatology, args.missing);
    for (std::size_t s = 0; s < statistic_count; ++s) {
      const auto which = static_cast<Statistic>(s);
      values_[place(which) + i] = at(values, weight_of(which)) > 0.0 ? values[s] : 0.0;
    }
  }
}

/// Points without ties, nearly all, count alike in all three ways: they are counted once and as integers.
void RowStatistics::add_ranks(std::span<double> ranks) {
  const std::size_t bins = rows_.size() + 1;
  for (std::size_t i = 0; i < plan_.args.longitudes; ++i) {
    if (below_[i] < 0) {
      continue;
    }
    const auto below = static_cast<std::size_t>(below_[i]);
    if (equal_[i] == 0) {
      ++untied_[below];
      continue;
    }
    const auto not_above = below + static_cast<std::size_t>(equal_[i]);
    ranks[below] += 1.0;
    ranks[bins + not_above] += 1.0;
    for (std::size_t rank = below; rank <= not_above; ++rank) {
      ranks[2 * bins + rank] += plan_.one_over[not_above - below + 1];
    }
  }
  for (std::size_t rank = 0; rank < bins; ++rank) {
    for (std::size_t kind = 0; kind < rank_count_kinds; ++kind) {
      ranks[kind * bins + rank] += untied_[rank];
    }
    untied_[rank] = 0;
  }
}

}  // namespace mosaic::kernels
