#include "eval/spectra_sums.hpp"

#include <algorithm>
#include <utility>

namespace mosaic::eval {

void begin_zonal_spectra(InitTimeSums& sums, std::size_t lead, std::size_t quantity) {
  for (std::size_t kind = 0; kind < spectrum_kind_names.size(); ++kind) {
    const std::size_t begin = sums.spectrum_offset(static_cast<SpectrumKind>(kind), lead, quantity, 0);
    std::fill_n(sums.spectra.begin() + static_cast<std::ptrdiff_t>(begin),
                sums.bands.size() * sums.wavenumbers, 0.0);
  }
}

void add_band_mean(InitTimeSums& sums, SpectrumKind kind, std::size_t lead, std::size_t quantity,
                   std::size_t band, double factor, std::span<const double> mean) {
  double* total = sums.spectra.data() + sums.spectrum_offset(kind, lead, quantity, band);
  for (std::size_t k = 0; k < mean.size(); ++k) {
    total[k] += factor * mean[k];
  }
}

void store_degree_spectra(InitTimeSums& sums, std::size_t lead, std::size_t quantity,
                          std::span<const double> values) {
  SpectraByDegree& spectra = sums.by_degree;
  const auto count = static_cast<std::size_t>(sums.members);
  double* of_members = &spectra.values[sums.degree_offset(SpectrumKind::member_mean, lead, quantity)];
  std::fill_n(of_members, spectra.degrees, 0.0);
  for (std::size_t k = 0; k < count * spectra.degrees; ++k) {
    of_members[k % spectra.degrees] += values[k] / static_cast<double>(count);
  }
  for (const auto& [kind, row] :
       {std::pair{SpectrumKind::ensemble_mean, count}, {SpectrumKind::truth, count + 1}}) {
    std::copy_n(&values[row * spectra.degrees], spectra.degrees,
                &spectra.values[sums.degree_offset(kind, lead, quantity)]);
  }
}

}  // namespace mosaic::eval
