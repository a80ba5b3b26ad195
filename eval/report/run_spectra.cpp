#include "eval/report/run_spectra.hpp"

#include <numbers>

#include "base/error.hpp"
#include "eval/earth.hpp"

namespace mosaic::eval {
namespace {

/// Spectra of one kind of every initial time with a truth, one behind the other: [N, degrees].
std::vector<double> spectra_of(const RunResults& run, SpectrumKind kind, std::size_t lead,
                               std::size_t quantity) {
  std::vector<double> all;
  for (const InitTimeSums& sums : run.sums) {
    if (sums.scored[lead] != 0) {
      const double* first = &sums.by_degree.values[sums.degree_offset(kind, lead, quantity)];
      all.insert(all.end(), first, first + sums.by_degree.degrees);
    }
  }
  return all;
}

std::vector<double> mean_of(const std::vector<double>& spectra, std::size_t degrees) {
  std::vector<double> mean(degrees, 0.0);
  for (std::size_t i = 0; i < spectra.size(); ++i) {
    mean[i % degrees] += spectra[i];
  }
  for (double& value : mean) {
    value /= static_cast<double>(spectra.size() / degrees);
  }
  return mean;
}

}  // namespace

std::optional<DegreeCurves> degree_curves(const RunResults& run, std::size_t lead, std::size_t quantity) {
  const std::size_t degrees = run.sums.front().by_degree.degrees;
  const auto members = spectra_of(run, SpectrumKind::member_mean, lead, quantity);
  const auto ensemble_mean = spectra_of(run, SpectrumKind::ensemble_mean, lead, quantity);
  const auto truth = spectra_of(run, SpectrumKind::truth, lead, quantity);
  if (truth.empty()) {
    return std::nullopt;
  }
  return DegreeCurves{mean_of(members, degrees), mean_of(ensemble_mean, degrees), mean_of(truth, degrees),
                      ratio_statistics(members, truth, degrees - 1), truth.size() / degrees};
}

double wavelength_of_degree(std::size_t degree) {
  require(degree > 0, "degree 0 has no wavelength");
  return 2.0 * std::numbers::pi * earth_radius / 1000.0 / static_cast<double>(degree);
}

}  // namespace mosaic::eval
