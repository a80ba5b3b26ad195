#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace mosaic::eval {

// Uncertainty of numbers that are made of means over initial times. Initial times follow each other within
// hours, so that neighbours are alike: whole blocks of them are drawn, not single ones.

/// K quantities at N initial times, ascending. The mean of quantity k over a choice of initial times is
/// sum_t weight(t, k) value(t, k) / sum_t weight(t, k); a value without weight is not read.
struct TimeSeries {
  std::size_t times = 0;        ///< N
  std::size_t quantities = 0;   ///< K
  std::vector<double> values;   // [N, K]
  std::vector<double> weights;  // [N, K]
};

/// A number made of the K means; what is not linear is in here, hence after the mean.
using NumberOfMeans = std::function<double(std::span<const double> means)>;

struct BootstrapOptions {
  int samples = 1000;
  double confidence = 0.95;  ///< of the interval, in (0, 1)
  std::uint64_t seed = 0;
  std::optional<std::size_t> block_length = std::nullopt;  ///< nothing: automatic
};

/// With fewer initial times there is no interval.
inline constexpr std::size_t fewest_initial_times = 3;

struct Interval {
  double estimate;               ///< number of the means over all initial times
  double lower, upper;           ///< NaN where there is no interval
  std::size_t block_length = 0;  ///< 0 without an interval
  std::size_t initial_times = 0;

  bool exists() const { return block_length > 0; }
  /// Whether the interval is there and lies on one side of `value`.
  bool excludes(double value) const { return lower > value || upper < value; }
};

/// Circular block bootstrap (Politis and Romano 1992): the N initial times stand in a circle; a sample is
/// made of ceil(N / b) blocks of b neighbours with uniform random starts, cut to N. The interval is that
/// between the (1 - c) / 2 and (1 + c) / 2 quantiles of the numbers of the samples (percentile method). The
/// block length is automatic_block_length() of the number's jackknife values N g - (N - 1) g_without_t, which
/// are the values themselves where g is a mean.
///
/// Starts are random_words(seed, (sample, draw div 4, N, b)): every number with the same N and b gets the
/// same samples; nothing depends on threads. A block starts at word N div 2^32, uniform to N 2^-32.
///
/// NaN limits if there are fewer than fewest_initial_times, or if the estimate or the number of any sample is
/// not finite. Errors: internal for sizes that do not fit, fewer than 2 samples, a confidence outside (0, 1),
/// a block length outside 1 ... N.
Interval bootstrap_interval(const TimeSeries& series, const NumberOfMeans& number,
                            const BootstrapOptions& options);

/// The initial times of one sample: [times], each 0 ... times - 1.
std::vector<std::size_t> resampled_times(std::size_t times, std::size_t block_length, std::uint64_t seed,
                                         std::uint32_t sample);

/// R(k) = (1/N) sum_t (x_t - mean) (x_(t+k) - mean), k = 0 ... largest_lag < N.
std::vector<double> autocovariances(std::span<const double> values, std::size_t largest_lag);

/// Lags that the rule of automatic_block_length() reads of N values: ceil(sqrt(N)) + K_N, at most N - 1.
std::size_t lags_for_block_length(std::size_t times);

/// Optimal block length of the circular bootstrap of a mean, not rounded: (2 G^2 / D)^(1/3) N^(1/3) with
///   G = sum_k lambda(k / M) |k| R(k),  D = (4/3) (sum_k lambda(k / M) R(k))^2,  k = -M ... M,
/// lambda(t) = 1 for |t| <= 1/2, 2 (1 - |t|) to |t| = 1, then 0; M = 2 m, at most the lags given. m is the
/// smallest lag >= 1 behind which K_N = max(5, ceil(sqrt(log10 N))) autocorrelations in a row are below
/// 2 sqrt(log10(N) / N); the last one that is not, if there is no such lag. Between 1 and
/// min(3 sqrt(N), N / 3), or 1. Source: Politis and White (2004), with D after Patton, Politis and White
/// (2009). For an autoregressive process R(k) ~ r^|k| it tends to (6 r^2 N / (1 - r^2)^2)^(1/3).
double optimal_block_length(std::span<const double> autocovariances, std::size_t times);

/// The same of a series, rounded; 1 for values that are all alike or not all finite.
std::size_t automatic_block_length(std::span<const double> values);

}  // namespace mosaic::eval
