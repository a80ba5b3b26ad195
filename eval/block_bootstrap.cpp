#include "eval/block_bootstrap.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.hpp"
#include "base/random_words.hpp"
#include "eval/quantile.hpp"

namespace mosaic::eval {
namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

/// Sums over initial times from which means follow.
struct Totals {
  std::vector<double> values, weights;  // [K]

  explicit Totals(std::size_t quantities) : values(quantities, 0.0), weights(quantities, 0.0) {}

  void add(const TimeSeries& series, std::size_t time, double sign = 1.0) {
    for (std::size_t k = 0; k < series.quantities; ++k) {
      const double weight = series.weights[time * series.quantities + k];
      if (weight != 0.0) {
        values[k] += sign * weight * series.values[time * series.quantities + k];
        weights[k] += sign * weight;
      }
    }
  }

  double number(const NumberOfMeans& of_means) const {
    std::vector<double> means(values.size());
    std::transform(values.begin(), values.end(), weights.begin(), means.begin(), std::divides<>());
    return of_means(means);  // 0 / 0 without any weight: NaN
  }
};

Totals totals_of_all(const TimeSeries& series) {
  Totals all(series.quantities);
  for (std::size_t t = 0; t < series.times; ++t) {
    all.add(series, t);
  }
  return all;
}

/// N g - (N - 1) g_without_t: how much each initial time has to do with the number.
std::vector<double> jackknife_values(const TimeSeries& series, const NumberOfMeans& number) {
  const Totals all = totals_of_all(series);
  const double whole = all.number(number);
  const auto count = static_cast<double>(series.times);
  std::vector<double> values;
  for (std::size_t t = 0; t < series.times; ++t) {
    Totals others = all;
    others.add(series, t, -1.0);
    values.push_back(count * whole - (count - 1.0) * others.number(number));
  }
  return values;
}

void check(const TimeSeries& series, const BootstrapOptions& options) {
  const std::size_t size = series.times * series.quantities;
  require(series.values.size() == size && series.weights.size() == size,
          "{} values and {} weights of {} quantities at {} times", series.values.size(),
          series.weights.size(), series.quantities, series.times);
  require(options.samples >= 2 && options.confidence > 0.0 && options.confidence < 1.0,
          "{} samples for a confidence of {}", options.samples, options.confidence);
  require(!options.block_length || (*options.block_length >= 1 && *options.block_length <= series.times),
          "blocks of {} of {} initial times", options.block_length.value_or(0), series.times);
}

}  // namespace

std::vector<std::size_t> resampled_times(std::size_t times, std::size_t block_length, std::uint64_t seed,
                                         std::uint32_t sample) {
  std::vector<std::size_t> chosen;
  chosen.reserve(times);
  std::array<std::uint32_t, 4> words{};
  for (std::uint32_t draw = 0; chosen.size() < times; ++draw) {
    if (draw % 4 == 0) {
      words = random_words(seed, {sample, draw / 4, static_cast<std::uint32_t>(times),
                                  static_cast<std::uint32_t>(block_length)});
    }
    std::size_t place = static_cast<std::uint64_t>(words[draw % 4]) * times >> 32U;
    for (std::size_t i = 0; i < block_length && chosen.size() < times; ++i) {
      chosen.push_back(place);
      place = place + 1 < times ? place + 1 : 0;
    }
  }
  return chosen;
}

Interval bootstrap_interval(const TimeSeries& series, const NumberOfMeans& number,
                            const BootstrapOptions& options) {
  check(series, options);
  Interval interval{totals_of_all(series).number(number), no_value, no_value, 0, series.times};
  if (series.times < fewest_initial_times || !std::isfinite(interval.estimate)) {
    return interval;
  }
  const std::size_t block =
      options.block_length ? *options.block_length : automatic_block_length(jackknife_values(series, number));
  std::vector<double> numbers;
  for (int sample = 0; sample < options.samples; ++sample) {
    Totals totals(series.quantities);
    for (const std::size_t t :
         resampled_times(series.times, block, options.seed, static_cast<std::uint32_t>(sample))) {
      totals.add(series, t);
    }
    numbers.push_back(totals.number(number));
    if (!std::isfinite(numbers.back())) {
      return interval;
    }
  }
  std::sort(numbers.begin(), numbers.end());
  interval.lower = quantile(numbers, 0.5 * (1.0 - options.confidence));
  interval.upper = quantile(numbers, 0.5 * (1.0 + options.confidence));
  interval.block_length = block;
  return interval;
}

std::vector<double> autocovariances(std::span<const double> values, std::size_t largest_lag) {
  require(largest_lag < values.size(), "lag {} of {} values", largest_lag, values.size());
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  std::vector<double> covariances;
  for (std::size_t lag = 0; lag <= largest_lag; ++lag) {
    double sum = 0.0;
    for (std::size_t t = 0; t + lag < values.size(); ++t) {
      sum += (values[t] - mean) * (values[t + lag] - mean);
    }
    covariances.push_back(sum / count);
  }
  return covariances;
}

namespace {

/// K_N.
std::size_t lags_in_a_row(std::size_t times) {
  const double rule = std::ceil(std::sqrt(std::log10(static_cast<double>(times))));
  return std::max<std::size_t>(5, static_cast<std::size_t>(rule));
}

/// m: behind it autocorrelations count as 0.
std::size_t last_related_lag(std::span<const double> covariances, std::size_t times) {
  const auto count = static_cast<double>(times);
  const double bound = 2.0 * std::sqrt(std::log10(count) / count) * covariances[0];
  const auto related = [&](std::size_t lag) { return std::abs(covariances[lag]) >= bound; };
  const std::size_t in_a_row = lags_in_a_row(times);
  std::size_t last = 0;
  for (std::size_t lag = 1; lag < covariances.size(); ++lag) {
    if (related(lag)) {
      last = lag;
    } else if (lag - last >= in_a_row) {
      break;
    }
  }
  return std::max<std::size_t>(last, 1);
}

/// The trapezoid lambda.
double taper(double t) { return std::clamp(2.0 * (1.0 - t), 0.0, 1.0); }

}  // namespace

std::size_t lags_for_block_length(std::size_t times) {
  const auto root = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(times))));
  return std::min(root + lags_in_a_row(times), times - 1);
}

double optimal_block_length(std::span<const double> covariances, std::size_t times) {
  require(covariances.size() > 1 && times > 1, "{} autocovariances of {} times", covariances.size(), times);
  const std::size_t width = std::min(2 * last_related_lag(covariances, times), covariances.size() - 1);
  double bend = 0.0, total = covariances[0];  // G and the sum in D
  for (std::size_t lag = 1; lag <= width; ++lag) {
    const auto k = static_cast<double>(lag);
    const double covariance = taper(k / static_cast<double>(width)) * covariances[lag];
    bend += 2.0 * k * covariance;
    total += 2.0 * covariance;
  }
  const auto count = static_cast<double>(times);
  const double length = std::cbrt(2.0 * bend * bend / (4.0 / 3.0 * total * total) * count);
  const double longest = std::max(1.0, std::min(3.0 * std::sqrt(count), count / 3.0));
  return std::isfinite(length) ? std::clamp(length, 1.0, longest) : longest;
}

std::size_t automatic_block_length(std::span<const double> values) {
  const bool sound =
      std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
  if (!sound || values.size() < fewest_initial_times) {
    return 1;
  }
  const std::vector<double> covariances = autocovariances(values, lags_for_block_length(values.size()));
  if (covariances[0] <= 0.0) {
    return 1;
  }
  return static_cast<std::size_t>(std::lround(optimal_block_length(covariances, values.size())));
}

}  // namespace mosaic::eval
