#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

/// Something whose zonal energy spectrum is taken: a channel, or the kinetic energy of a wind,
/// (S_u + S_v) / 2 [m3 s-2].
struct SpectrumQuantity {
  std::string variable;               ///< the channel's variable, kinetic_energy or 10m_kinetic_energy
  std::optional<int> level;           ///< [hPa]
  std::vector<std::size_t> channels;  ///< into the chosen channels: one, or those of u and v
};

/// Each wind of which u and v are both there becomes a kinetic energy; every other channel stands for itself.
std::vector<SpectrumQuantity> spectrum_quantities(const ChannelSet& channels);

/// The quantities of spectra by spherical-harmonic degree: those of spectrum_quantities(), and behind each
/// kinetic energy its rotational_ and divergent_ part, from the same channels.
std::vector<SpectrumQuantity> degree_quantities(const ChannelSet& channels);

/// Zonal energy spectrum by latitude: S_0 = C |F_0|^2, S_k = 2 C |F_k|^2 for k > 0, also for the shortest
/// wave; C = 2 pi R cos(latitude), R = 6 367 500 m. Source: WeatherBench 2. Units: m times the field's
/// squared. Shape: [lat, longitudes / 2 + 1]. Errors: corrupt_input if longitudes are not uniform within 1e-3
/// degrees.
std::vector<double> zonal_energy_spectrum(std::span<const float> field, const LatLonGrid& grid, int threads);

/// Latitudes over which spectra are averaged at fixed wavenumber, weighted by cos(latitude).
struct LatitudeBand {
  std::string name;
  double lower;  ///< [degrees] bound of |latitude|
  double upper;  ///< [degrees] bound of |latitude|
  bool contains(double latitude) const;
};

/// global, tropics (|latitude| < 20) and mid-latitudes (30 < |latitude| < 60); bounds are outside.
const std::vector<LatitudeBand>& spectrum_bands();

/// Mean over the rows of a band weighted by cos(latitude). Shapes: [lat, K] -> [K]; NaN for an empty band.
std::vector<double> band_mean(std::span<const double> spectrum, const LatitudeBand& band,
                              const LatLonGrid& grid);

}  // namespace mosaic::eval
