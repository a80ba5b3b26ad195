#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/window_statistics/window_statistics.hpp"

namespace mosaic::kernels {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

struct Sample {
  double value = 0.0;
  double weight = 0.0;
};

/// All x(y, d + t) of a day and point that are not NaN.
std::vector<Sample> samples_of(const WindowStatisticsArgs& args, std::size_t day, std::size_t point) {
  const std::vector<double> weights = triangular_weights(args.window);
  std::vector<Sample> samples;
  for (std::size_t y = 0; y < args.years; ++y) {
    for (std::size_t k = 0; k < args.window; ++k) {
      const std::size_t there = (day + args.days + k - args.window / 2) % args.days;
      const double x = args.values[(y * args.days + there) * args.points + point];
      if (!std::isnan(x)) {
        samples.push_back({x, weights[k]});
      }
    }
  }
  return samples;
}

double weight_of(const std::vector<Sample>& samples) {
  double sum = 0.0;
  for (const Sample& sample : samples) {
    sum += sample.weight;
  }
  return sum;
}

std::pair<double, double> mean_and_deviation(const std::vector<Sample>& samples) {
  const double weights = weight_of(samples);
  double sum = 0.0;
  for (const Sample& sample : samples) {
    sum += sample.weight * sample.value;
  }
  const double mean = sum / weights;
  double squares = 0.0;
  for (const Sample& sample : samples) {
    squares += sample.weight * (sample.value - mean) * (sample.value - mean);
  }
  return {mean, std::sqrt(squares / weights)};
}

double quantile(std::vector<Sample> samples, double q) {
  std::erase_if(samples, [](const Sample& sample) { return sample.weight <= 0.0; });
  if (samples.empty()) {
    return undefined;
  }
  std::sort(samples.begin(), samples.end(),
            [](const Sample& a, const Sample& b) { return a.value < b.value; });
  const double weights = weight_of(samples);
  double squares = 0.0;
  for (const Sample& sample : samples) {
    squares += sample.weight * sample.weight;
  }
  const double n = weights * weights / squares;
  const double h = (n - 1.0) * q + 1.0;
  const auto brought_in = [&](double c) { return std::clamp(c, (h - 1.0) / n, h / n); };
  double result = 0.0;
  double cumulative = 0.0;
  for (const Sample& sample : samples) {
    const double before = brought_in(cumulative / weights);
    cumulative += sample.weight;
    result += sample.value * (brought_in(cumulative / weights) - before) * n;
  }
  return result;
}

void dry_statistics(const WindowStatisticsArgs& args, std::vector<Sample> samples, std::size_t place) {
  const double limit = static_cast<float>(*args.dry_below);
  const auto is_dry = [&](const Sample& sample) { return sample.value < limit; };
  const auto dry = static_cast<double>(std::count_if(samples.begin(), samples.end(), is_dry));
  if (!args.dry_fraction.empty()) {
    args.dry_fraction[place] = static_cast<float>(dry / static_cast<double>(samples.size()));
  }
  std::erase_if(samples, is_dry);
  if (!args.wet_quantile.empty()) {
    args.wet_quantile[place] = static_cast<float>(quantile(std::move(samples), wet_probability));
  }
}

}  // namespace

void window_statistics_reference(const WindowStatisticsArgs& args) {
  for (std::size_t day = 0; day < args.days; ++day) {
    for (std::size_t point = 0; point < args.points; ++point) {
      const std::vector<Sample> samples = samples_of(args, day, point);
      const std::size_t place = day * args.points + point;
      const auto [mean, deviation] = mean_and_deviation(samples);
      if (!args.mean.empty()) {
        args.mean[place] = static_cast<float>(mean);
      }
      if (!args.deviation.empty()) {
        args.deviation[place] = static_cast<float>(deviation);
      }
      for (std::size_t q = 0; q < args.probabilities.size() && !args.quantiles.empty(); ++q) {
        args.quantiles[q * args.days * args.points + place] =
            static_cast<float>(quantile(samples, args.probabilities[q]));
      }
      if (args.dry_below) {
        dry_statistics(args, samples, place);
      }
    }
  }
}

}  // namespace mosaic::kernels
