#pragma once

#include <cstddef>
#include <vector>

#include "grid/legendre.hpp"

namespace mosaic {

/// Gaussian latitudes, south to north.
struct GaussianLatitudes {
  std::vector<double> latitude;      ///< [degrees]
  std::vector<double> sine;          ///< of the latitude
  std::vector<double> weight;        ///< sum 1
  std::vector<Extended> colatitude;  ///< [radians]
};
GaussianLatitudes gaussian_latitudes(std::size_t count);

/// Legendre functions for the harmonics of spectral models: mean |Y|^2 = 1 over the sphere, without the
/// Condon-Shortley sign (the convention of ECMWF). The gradient's are per radian and finite at the poles. For
/// kernels/spectral_transform: rows (m, n) of a table come, for each m, first with even n - m, then with odd.
struct SpectralTables {
  std::size_t truncation = 0;
  std::vector<double> value;        ///< P [latitudes, R]
  std::vector<double> over_cosine;  ///< m P / cos(latitude) [latitudes, R]
  std::vector<double> derivative;   ///< dP / dlatitude [latitudes, R]
};

/// Of the first `count` latitudes [degrees]: [radians].
std::vector<Extended> colatitudes_of(const std::vector<double>& latitudes, std::size_t count);

/// Tables at these colatitudes [radians].
SpectralTables make_spectral_tables(std::size_t truncation, const std::vector<Extended>& colatitudes);

}  // namespace mosaic
