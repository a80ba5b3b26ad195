#include "eval/score_intervals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "eval/time_mean.hpp"

namespace mosaic::eval {
namespace {

using kernels::Statistic;
using kernels::statistic_count;

constexpr std::size_t score_parts = 4;

/// The part of TimeMeans with this number: statistics, then what is not linear.
double& part_of(TimeMeans& means, std::size_t part) {
  constexpr double InitTimeScores::*scores[score_parts] = {
      &InitTimeScores::root_squared_error, &InitTimeScores::root_ensemble_mean_squared_error,
      &InitTimeScores::root_variance, &InitTimeScores::anomaly_correlation};
  return part < statistic_count ? means.statistics[part] : means.scores.*scores[part - statistic_count];
}

TimeMeans filled_with(double value) {
  TimeMeans means{};
  for (std::size_t part = 0; part < statistic_count + score_parts; ++part) {
    part_of(means, part) = value;
  }
  return means;
}

/// The parts that a score is made of: those without which it is undefined.
std::vector<std::size_t> parts_of(const Score& score, int members) {
  std::vector<std::size_t> parts;
  for (std::size_t part = 0; part < statistic_count + score_parts; ++part) {
    TimeMeans means = filled_with(1.0);
    part_of(means, part) = std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(score.value(means, members))) {
      parts.push_back(part);
    }
  }
  return parts;
}

double value_of(const Score& score, int members, const std::vector<std::size_t>& parts,
                std::span<const double> values) {
  TimeMeans means = filled_with(std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    part_of(means, parts[i]) = values[i];
  }
  return score.value(means, members);
}

/// What scores need of the sums; spectra and more would only be copied.
InitTimeSums without_spectra(const InitTimeSums& sums) {
  InitTimeSums part;
  part.initial_time = sums.initial_time;
  part.members = sums.members;
  part.leads = sums.leads;
  part.channels = sums.channels;
  part.regions = sums.regions;
  part.scored = sums.scored;
  part.means = sums.means;
  part.ranks = sums.ranks;
  return part;
}

}  // namespace

RunScores::RunScores(const std::vector<InitTimeSums>& sums, const ScoreOptions& options)
    : missing_(options.missing), kind_(options.time_mean) {
  ScoreOptions of_one = options;  // one initial time: its mean is itself
  of_one.time_mean = TimeMeanKind::initial_times;
  for (const InitTimeSums& one : sums) {
    TimeMean mean = time_mean({without_spectra(one)}, of_one);
    members_ = one.members;
    channels_ = mean.mean.channels;
    regions_ = one.regions.size();
    times_.push_back({one.initial_time, one.scored, std::move(mean.mean.means)});
  }
  std::sort(times_.begin(), times_.end(),
            [](const auto& a, const auto& b) { return a.initial_time < b.initial_time; });
}

std::vector<std::size_t> RunScores::scored_at(std::size_t lead) const {
  std::vector<std::size_t> scored;
  for (std::size_t t = 0; t < times_.size(); ++t) {
    if (times_[t].scored[lead] != 0) {
      scored.push_back(t);
    }
  }
  return scored;
}

void RunScores::append(TimeSeries& series, std::size_t time, ScorePlace place,
                       const std::vector<std::size_t>& parts) const {
  const std::size_t cell = (place.lead * channels_.size() + place.channel) * regions_ + place.region;
  TimeMeans means = time_means_of_one(times_[time].values[cell]);
  for (const std::size_t part : parts) {
    const double value = part_of(means, part);
    double weight = 1.0;
    if (std::isnan(value)) {
      weight = missing_ == kernels::MissingValues::skip ? 0.0 : 1.0;
    } else if (kind_ == TimeMeanKind::pooled && part < statistic_count) {
      const auto which = static_cast<Statistic>(part);
      const bool of_ensemble = which == Statistic::spread || which == Statistic::variance;
      weight = at(means.statistics, of_ensemble ? Statistic::ensemble_weight : Statistic::error_weight);
    }
    series.values.push_back(value);
    series.weights.push_back(weight);
  }
}

Interval RunScores::interval(const Score& score, ScorePlace place, const BootstrapOptions& options) const {
  const std::vector<std::size_t> parts = parts_of(score, members_);
  const std::vector<std::size_t> scored = scored_at(place.lead);
  TimeSeries series{scored.size(), parts.size(), {}, {}};
  for (const std::size_t time : scored) {
    append(series, time, place, parts);
  }
  return bootstrap_interval(
      series, [&](std::span<const double> means) { return value_of(score, members_, parts, means); },
      options);
}

Interval paired_difference(const Score& score, const RunScores& a, ScorePlace place_a, const RunScores& b,
                           ScorePlace place_b, const BootstrapOptions& options) {
  const std::vector<std::size_t> parts = parts_of(score, a.members_);
  const std::vector<std::size_t> of_a = a.scored_at(place_a.lead), of_b = b.scored_at(place_b.lead);
  TimeSeries series{0, 2 * parts.size(), {}, {}};
  for (auto in_a = of_a.begin(), in_b = of_b.begin(); in_a != of_a.end() && in_b != of_b.end();) {
    const Time time_a = a.times_[*in_a].initial_time, time_b = b.times_[*in_b].initial_time;
    if (time_a == time_b) {
      a.append(series, *in_a, place_a, parts);
      b.append(series, *in_b, place_b, parts);
      ++series.times;
    }
    in_a += time_a <= time_b ? 1 : 0;
    in_b += time_b <= time_a ? 1 : 0;
  }
  return bootstrap_interval(
      series,
      [&](std::span<const double> means) {
        return value_of(score, a.members_, parts, means.first(parts.size())) -
               value_of(score, b.members_, parts, means.last(parts.size()));
      },
      options);
}

}  // namespace mosaic::eval
