#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace mosaic::eval {

/// Pure functions of spectra by degree: l = 0 ... lmax, of powers or energies of one quantity. Forecast and
/// truth must be on the same grid and made by the same method; how a truth was brought to the grid changes
/// its small scales more than most forecasts do.

/// Degrees first ... last, both counted.
struct DegreeRange {
  std::size_t first;
  std::size_t last;
};

/// Share of the degrees of a grid about which conclusions may be drawn: 100 of 120 on the 1.5 degree grid.
/// Beyond, what the grid cannot hold folds back: fields of slope l^-3 sampled at points have 1.3 times their
/// true power at l = 100, 1.8 times at 119 (conservative means 0.64 and 0.73 times).
constexpr double trusted_share = 5.0 / 6.0;

/// floor(trusted_share (lmax + 1)), at most lmax: 100 for lmax = 119, 25 for 30.
std::size_t last_trusted_degree(std::size_t lmax);

/// Below it a degree has few waves and its power is weather, not resolution.
constexpr std::size_t first_judged_degree = 10;

/// first_judged_degree (1 on grids without it) ... last_trusted_degree(lmax).
DegreeRange judged_degrees(std::size_t lmax);

/// numerator_l / denominator_l; NaN where the denominator is not above 0 or a value is not finite. With the
/// spectra of an ensemble mean and of the truth: the damping by averaging. Errors: internal if lengths
/// differ.
std::vector<double> degree_ratio(std::span<const double> numerator, std::span<const double> denominator);

/// Ratio of spectra by degree over initial times; every list has lmax + 1 values.
struct RatioStatistics {
  std::vector<double>
      of_means;  ///< mean of the forecasts' spectra over mean of the truths': the curve to show
  std::vector<double> deviation;  ///< standard deviation of the ratios of initial times, N - 1; NaN for N = 1
  std::vector<double> lower;      ///< 5 % quantile of those ratios, linear between ranks
  std::vector<double> upper;      ///< 95 % quantile
};

/// Shapes: [N, lmax + 1] each, N initial times (a forecast's spectrum is the mean of its members' spectra).
/// NaN in a spectrum makes NaN at its degree. Errors: internal for sizes that are no N whole spectra.
RatioStatistics ratio_statistics(std::span<const double> forecasts, std::span<const double> truths,
                                 std::size_t lmax);

/// Bounds of a ratio within which a forecast counts as having the truth's power: 1 dB either way.
struct RatioBand {
  double lower = 0.8;
  double upper = 1.25;
};

/// Effective resolution: the largest degree of the range to which the ratio has stayed within the band from
/// range.first on; nothing if it is outside at once. NaN is outside. Errors: internal for a range beyond the
/// list.
std::optional<std::size_t> effective_resolution(std::span<const double> ratio, DegreeRange range,
                                                RatioBand band = {});

/// Log-spectral distance [dB]: root mean square over the degrees of 10 log10(forecast_l / truth_l), every
/// degree counting once. NaN where a spectrum is not above 0. Errors: internal for a range beyond the lists.
/// Source: Rabiner and Juang 1993, section 4.5.
double log_spectral_distance(std::span<const double> forecast, std::span<const double> truth,
                             DegreeRange range);

/// Pile-up of power next to the grid scale. Rule: a power law log P_l = c + s log l is fitted by least
/// squares to degrees ceil(lmax / 3) ... floor(2 lmax / 3); excess is the mean over the last tenth of the
/// degrees (l > 0.9 lmax) of 10 log10(P_l / power law). It is a bump if the excess is above 1 dB, a quarter
/// of the power: sampling at points makes 1.7 dB there, while the scatter of one spectrum's last tenth is
/// below 0.2 dB on the 1.5 degree grid. Damped spectra have a negative excess.
struct GridScaleBump {
  double slope;   ///< s of the power law
  double excess;  ///< [dB]
  bool bump;      ///< excess > bump_threshold; false for NaN
};

constexpr double bump_threshold = 1.0;  // [dB]

/// NaN excess where a spectrum is not above 0 in the degrees of the rule. Errors: internal for lmax below 9.
GridScaleBump grid_scale_bump(std::span<const double> spectrum);

}  // namespace mosaic::eval
