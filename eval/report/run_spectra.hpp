#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "eval/report/run_results.hpp"
#include "eval/spectral_fidelity.hpp"

namespace mosaic::eval {

/// Spectra by degree of one quantity at one lead: means over the initial times with a truth, lmax + 1 values
/// each.
struct DegreeCurves {
  std::vector<double> members;  ///< mean over members of their spectra
  std::vector<double> ensemble_mean;
  std::vector<double> truth;
  RatioStatistics ratio;  ///< members over truth, with its spread over initial times
  std::size_t initial_times = 0;

  std::size_t lmax() const { return truth.size() - 1; }
};

/// Nothing without an initial time that has a truth. `lead`, `quantity`: places in the sums, which have
/// spectra by degree.
std::optional<DegreeCurves> degree_curves(const RunResults& run, std::size_t lead, std::size_t quantity);

/// [km] 2 pi Earth's radius / l. Errors: internal for degree 0.
double wavelength_of_degree(std::size_t degree);

}  // namespace mosaic::eval
