#include "eval/score_intervals.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <tuple>

#include "eval/time_mean.hpp"

namespace mosaic::eval {
namespace {

using kernels::Statistic;
using kernels::statistic_count;

// A score is made of parts, each of which is averaged over initial times: the statistics, then the
// InitTimeScores, the two of SEEPS, and the ranked probability score, which is one part for each quantile.
constexpr std::size_t first_score = statistic_count, first_seeps = first_score + 4,
                      ranked_probability = first_seeps + std::tuple_size_v<SeepsMeans>;

/// The part of TimeMeans with this number; all quantiles have the same.
double& part_of(TimeMeans& means, std::size_t part) {
  constexpr double InitTimeScores::*scores[] = {
      &InitTimeScores::root_squared_error, &InitTimeScores::root_ensemble_mean_squared_error,
      &InitTimeScores::root_variance, &InitTimeScores::anomaly_correlation};
  if (part < first_score) {
    return means.statistics[part];
  }
  if (part < first_seeps) {
    return means.scores.*scores[part - first_score];
  }
  return part < ranked_probability ? means.seeps[part - first_seeps] : means.ranked_probability;
}

TimeMeans filled_with(double value) {
  TimeMeans means{};
  for (std::size_t part = 0; part <= ranked_probability; ++part) {
    part_of(means, part) = value;
  }
  return means;
}

/// The parts that a score is made of: those without which it is undefined.
std::vector<std::size_t> parts_of(const Score& score, int members, std::size_t quantiles) {
  std::vector<std::size_t> parts;
  for (std::size_t part = 0; part <= ranked_probability; ++part) {
    TimeMeans means = filled_with(1.0);
    part_of(means, part) = std::numeric_limits<double>::quiet_NaN();
    if (std::isnan(score.value(means, members))) {
      for (std::size_t q = 0; q < (part == ranked_probability ? quantiles : 1); ++q) {
        parts.push_back(part + q);
      }
    }
  }
  return parts;
}

double value_of(const Score& score, int members, const std::vector<std::size_t>& parts,
                std::span<const double> values) {
  TimeMeans means = filled_with(std::numeric_limits<double>::quiet_NaN());
  double sum = 0.0;  // over the quantiles, in their order
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] >= ranked_probability) {
      sum += values[i];
    }
    part_of(means, parts[i]) = parts[i] >= ranked_probability ? sum : values[i];
  }
  return score.value(means, members);
}

template <class Item>
std::optional<std::size_t> place_of(const std::vector<Item>& items, const Item& item) {
  const auto found = std::find(items.begin(), items.end(), item);
  return found == items.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - items.begin()));
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
    times_.push_back({one.initial_time, one.scored, std::move(mean.mean.means), one.thresholds, one.seeps});
    times_.back().thresholds.reliability = {};
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

RunScores::Sample RunScores::sample(const AtInitialTime& time, ScorePlace place, std::size_t part) const {
  const Channel& channel = channels_[place.channel];
  constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
  if (part >= ranked_probability) {
    const auto which = place_of(time.thresholds.channels, channel);
    if (!which) {
      return {undefined, undefined};
    }
    const std::size_t begin = time.thresholds.mean_offset(place.lead, *which, place.region, regions_);
    const kernels::ThresholdScores& scores = time.thresholds.means[begin + part - ranked_probability];
    return {kernels::at(scores, kernels::ThresholdScore::ranked_probability),
            kernels::at(scores, kernels::ThresholdScore::weight)};
  }
  if (part >= first_seeps) {
    const auto which = place_of(time.seeps.channels, channel);
    return {which ? time.seeps.means[time.seeps.offset(place.lead, *which, regions_) + place.region]
                                    [part - first_seeps]
                  : undefined,
            1.0};
  }
  const std::size_t cell = (place.lead * channels_.size() + place.channel) * regions_ + place.region;
  TimeMeans means = time_means_of_one(time.values[cell]);
  if (part >= first_score) {
    return {part_of(means, part), 1.0};
  }
  const auto which = static_cast<Statistic>(part);
  const bool of_ensemble = which == Statistic::spread || which == Statistic::variance;
  return {part_of(means, part),
          at(means.statistics, of_ensemble ? Statistic::ensemble_weight : Statistic::error_weight)};
}

void RunScores::append(TimeSeries& series, std::size_t time, ScorePlace place,
                       const std::vector<std::size_t>& parts) const {
  for (const std::size_t part : parts) {
    const Sample one = sample(times_[time], place, part);
    double weight = kind_ == TimeMeanKind::pooled ? one.valid : 1.0;
    if (std::isnan(one.value)) {
      weight = missing_ == kernels::MissingValues::skip ? 0.0 : 1.0;
    }
    series.values.push_back(one.value);
    series.weights.push_back(weight);
  }
}

bool RunScores::has_quantiles_of(const RunScores& other) const {
  return !times_.empty() && !other.times_.empty() &&
         times_.front().thresholds.quantiles == other.times_.front().thresholds.quantiles;
}

std::size_t RunScores::quantiles() const {
  return times_.empty() ? 0 : times_.front().thresholds.quantiles.size();
}

Interval RunScores::interval(const Score& score, ScorePlace place, const BootstrapOptions& options) const {
  const std::vector<std::size_t> parts = parts_of(score, members_, quantiles());
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
  const std::vector<std::size_t> parts = parts_of(score, a.members_, a.quantiles());
  const bool comparable = !score.needs_thresholds() || a.has_quantiles_of(b);
  const std::vector<std::size_t> of_a = a.scored_at(place_a.lead), of_b = b.scored_at(place_b.lead);
  TimeSeries series{0, 2 * parts.size(), {}, {}};
  for (auto in_a = of_a.begin(), in_b = of_b.begin();
       comparable && in_a != of_a.end() && in_b != of_b.end();) {
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
