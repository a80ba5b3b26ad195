#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace mosaic::test {

/// A number made of independent samples, and its standard error.
struct Estimate {
  double value = 0;
  double error = 0;
};

/// `estimator` gets which samples take part. The standard error is the delete-one jackknife's (Efron and
/// Tibshirani 1993, chapter 11): sqrt((K - 1) / K sum_k (x_(k) - mean)^2), x_(k) without sample k.
Estimate jackknife(std::size_t samples, const std::function<double(const std::vector<bool>&)>& estimator);

/// How far an estimate of K samples may lie from the truth, in standard errors, in all but 1 of 1000 cases:
/// the two-sided quantile of Student's t with K - 1 degrees of freedom, from the normal one by Cornish and
/// Fisher's expansion (Abramowitz and Stegun 26.7.5; within 4 % from 7 degrees on).
double student_bound(std::size_t samples);

/// The quantile that chi-square with `degrees` of freedom (any number) exceeds in 1 of 1000 cases: Wilson and
/// Hilferty (Abramowitz and Stegun 26.4.17).
double chi_square_bound(double degrees);

/// Whether counts by rank are flat, given independent samples of them whose points are not independent.
/// `counts`: [K][R]. X^2 = K sum_r (f_r - 1/R)^2 R with the mean fractions f has the mean tr D and the
/// variance 2 tr D^2, D = R times the fractions' covariance over the samples; X^2 is compared with the
/// chi-square of the same two moments (Satterthwaite 1946; Rao and Scott 1981).
struct Flatness {
  double chi_square = 0;  ///< scaled to `degrees`
  double degrees = 0;     ///< of freedom
  bool flat() const { return chi_square <= chi_square_bound(degrees); }
};
Flatness flatness_of_ranks(const std::vector<std::vector<double>>& counts);

}  // namespace mosaic::test
