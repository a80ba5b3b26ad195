#include "eval/spectral_fidelity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "eval/quantile.hpp"

namespace mosaic::eval {
namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

double ratio_of(double numerator, double denominator) {
  const bool sound = std::isfinite(numerator) && std::isfinite(denominator) && denominator > 0.0;
  return sound ? numerator / denominator : no_value;
}

/// 10 log10(a / b); NaN unless both are above 0 and finite.
double decibels(double a, double b) { return a > 0.0 ? 10.0 * std::log10(ratio_of(a, b)) : no_value; }

void check_range(DegreeRange range, std::size_t degrees) {
  require(range.first <= range.last && range.last < degrees, "degrees {} to {} of a spectrum that ends at {}",
          range.first, range.last, static_cast<double>(degrees) - 1.0);
}

double standard_deviation(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double mean = 0.0, squares = 0.0;
  for (const double value : values) {
    mean += value / count;
  }
  for (const double value : values) {
    squares += (value - mean) * (value - mean);
  }
  return values.size() > 1 ? std::sqrt(squares / (count - 1.0)) : no_value;
}

struct PowerLaw {
  double constant;
  double slope;
  double at(std::size_t l) const { return std::exp(constant + slope * std::log(static_cast<double>(l))); }
};

/// Least squares of log P on log l.
PowerLaw fit_power_law(std::span<const double> spectrum, DegreeRange range) {
  double n = 0.0, x = 0.0, y = 0.0, xx = 0.0, xy = 0.0;
  for (std::size_t l = range.first; l <= range.last; ++l) {
    const double log_degree = std::log(static_cast<double>(l));
    const double log_power = spectrum[l] > 0.0 ? std::log(spectrum[l]) : no_value;
    n += 1.0;
    x += log_degree;
    y += log_power;
    xx += log_degree * log_degree;
    xy += log_degree * log_power;
  }
  const double slope = (n * xy - x * y) / (n * xx - x * x);
  return {(y - slope * x) / n, slope};
}

}  // namespace

std::size_t last_trusted_degree(std::size_t lmax) { return std::min(lmax, 5 * (lmax + 1) / 6); }

DegreeRange judged_degrees(std::size_t lmax) {
  const std::size_t last = last_trusted_degree(lmax);
  return {first_judged_degree <= last ? first_judged_degree : std::min<std::size_t>(1, last), last};
}

std::vector<double> degree_ratio(std::span<const double> numerator, std::span<const double> denominator) {
  require(numerator.size() == denominator.size(), "spectra of {} and {} degrees", numerator.size(),
          denominator.size());
  std::vector<double> ratio(numerator.size());
  for (std::size_t l = 0; l < ratio.size(); ++l) {
    ratio[l] = ratio_of(numerator[l], denominator[l]);
  }
  return ratio;
}

RatioStatistics ratio_statistics(std::span<const double> forecasts, std::span<const double> truths,
                                 std::size_t lmax) {
  const std::size_t degrees = lmax + 1;
  require(forecasts.size() == truths.size() && !truths.empty() && truths.size() % degrees == 0,
          "{} and {} values are no spectra of {} degrees for the same initial times", forecasts.size(),
          truths.size(), degrees);
  const std::size_t times = truths.size() / degrees;
  RatioStatistics statistics;
  for (std::size_t l = 0; l < degrees; ++l) {
    double forecast = 0.0, truth = 0.0;
    std::vector<double> ratios;
    for (std::size_t t = 0; t < times; ++t) {
      forecast += forecasts[t * degrees + l];
      truth += truths[t * degrees + l];
      ratios.push_back(ratio_of(forecasts[t * degrees + l], truths[t * degrees + l]));
    }
    const bool sound = std::none_of(ratios.begin(), ratios.end(), [](double x) { return std::isnan(x); });
    std::sort(ratios.begin(), sound ? ratios.end() : ratios.begin());
    statistics.of_means.push_back(ratio_of(forecast, truth));
    statistics.deviation.push_back(standard_deviation(ratios));
    statistics.lower.push_back(sound ? quantile(ratios, 0.05) : no_value);
    statistics.upper.push_back(sound ? quantile(ratios, 0.95) : no_value);
  }
  return statistics;
}

std::optional<std::size_t> effective_resolution(std::span<const double> ratio, DegreeRange range,
                                                RatioBand band) {
  check_range(range, ratio.size());
  std::optional<std::size_t> reached;
  for (std::size_t l = range.first; l <= range.last && ratio[l] >= band.lower && ratio[l] <= band.upper;
       ++l) {
    reached = l;
  }
  return reached;
}

double log_spectral_distance(std::span<const double> forecast, std::span<const double> truth,
                             DegreeRange range) {
  require(forecast.size() == truth.size(), "spectra of {} and {} degrees", forecast.size(), truth.size());
  check_range(range, truth.size());
  double squares = 0.0;
  for (std::size_t l = range.first; l <= range.last; ++l) {
    const double difference = decibels(forecast[l], truth[l]);
    squares += difference * difference;
  }
  return std::sqrt(squares / static_cast<double>(range.last - range.first + 1));
}

GridScaleBump grid_scale_bump(std::span<const double> spectrum) {
  require(spectrum.size() >= 10, "a bump next to the grid scale needs 10 degrees, not {}", spectrum.size());
  const std::size_t lmax = spectrum.size() - 1;
  const PowerLaw law = fit_power_law(spectrum, {(lmax + 2) / 3, 2 * lmax / 3});
  const std::size_t first = 9 * lmax / 10 + 1;
  double excess = 0.0;
  for (std::size_t l = first; l <= lmax; ++l) {
    excess += decibels(spectrum[l], law.at(l)) / static_cast<double>(lmax + 1 - first);
  }
  return {law.slope, excess, excess > bump_threshold};
}

}  // namespace mosaic::eval
