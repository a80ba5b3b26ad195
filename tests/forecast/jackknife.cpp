#include "forecast/jackknife.hpp"

#include <cmath>
#include <numeric>

namespace mosaic::test {

namespace {

constexpr double two_sided = 3.2905;  // normal quantile of 1 - 0.001 / 2
constexpr double one_sided = 3.0902;  // of 1 - 0.001

}  // namespace

Estimate jackknife(std::size_t samples, const std::function<double(const std::vector<bool>&)>& estimator) {
  std::vector<bool> taken(samples, true);
  Estimate estimate{estimator(taken), 0};
  std::vector<double> without;
  for (std::size_t k = 0; k < samples; ++k) {
    taken[k] = false;
    without.push_back(estimator(taken));
    taken[k] = true;
  }
  const auto count = static_cast<double>(samples);
  const double mean = std::accumulate(without.begin(), without.end(), 0.0) / count;
  for (const double value : without) {
    estimate.error += (value - mean) * (value - mean);
  }
  estimate.error = std::sqrt((count - 1) / count * estimate.error);
  return estimate;
}

double student_bound(std::size_t samples) {
  const auto n = static_cast<double>(samples) - 1;
  const double x = two_sided;
  const double x3 = x * x * x;
  const double x5 = x3 * x * x;
  const double x7 = x5 * x * x;
  const double first = (x3 + x) / 4;
  const double second = (5 * x5 + 16 * x3 + 3 * x) / 96;
  const double third = (3 * x7 + 19 * x5 + 17 * x3 - 15 * x) / 384;
  return x + first / n + second / (n * n) + third / (n * n * n);
}

double chi_square_bound(double degrees) {
  const double part = 2 / (9 * degrees);
  return degrees * std::pow(1 - part + one_sided * std::sqrt(part), 3);
}

Flatness flatness_of_ranks(const std::vector<std::vector<double>>& counts) {
  const std::size_t samples = counts.size();
  const std::size_t ranks = counts.front().size();
  std::vector<std::vector<double>> fractions = counts;
  std::vector<double> mean(ranks, 0.0);
  for (auto& sample : fractions) {
    const double points = std::accumulate(sample.begin(), sample.end(), 0.0);
    for (std::size_t r = 0; r < ranks; ++r) {
      sample[r] /= points;
      mean[r] += sample[r] / static_cast<double>(samples);
    }
  }
  const auto r_count = static_cast<double>(ranks);
  double distance = 0;
  double trace = 0;
  double trace_of_square = 0;
  for (std::size_t r = 0; r < ranks; ++r) {
    distance += static_cast<double>(samples) * r_count * std::pow(mean[r] - 1 / r_count, 2);
    for (std::size_t s = 0; s < ranks; ++s) {
      double covariance = 0;
      for (const auto& sample : fractions) {
        covariance += (sample[r] - mean[r]) * (sample[s] - mean[s]) / (static_cast<double>(samples) - 1);
      }
      trace += r == s ? r_count * covariance : 0;
      trace_of_square += std::pow(r_count * covariance, 2);
    }
  }
  const double degrees = trace * trace / trace_of_square;
  return {distance / trace * degrees, degrees};
}

}  // namespace mosaic::test
