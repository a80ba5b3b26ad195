#pragma once

#include <cstddef>
#include <span>

#include "eval/init_time_sums.hpp"

namespace mosaic::eval {

/// Makes the zonal spectra of a lead and quantity 0, of every kind and band; then they are added up.
void begin_zonal_spectra(InitTimeSums& sums, std::size_t lead, std::size_t quantity);

/// Adds factor times a band's mean spectrum [K].
void add_band_mean(InitTimeSums& sums, SpectrumKind kind, std::size_t lead, std::size_t quantity,
                   std::size_t band, double factor, std::span<const double> mean);

/// Stores the spectra by degree of the members, their mean and the truth: [M + 2, degrees].
void store_degree_spectra(InitTimeSums& sums, std::size_t lead, std::size_t quantity,
                          std::span<const double> values);

}  // namespace mosaic::eval
