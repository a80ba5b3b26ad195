#pragma once

#include <array>
#include <vector>

#include "world/parameters.hpp"
#include "world/spectral_space.hpp"

namespace mosaic::world {

/// What drives the world and what holds it back, for a truncation and its grid.
struct Forcing {
  /// Equilibrium thicknesses: constant part and amplitude of the season's cosine [rows, 2, layers] [m2 s-1].
  std::array<std::vector<double>, 2> equilibrium;
  /// Coriolis parameter, on the lowest level with the orography: [rows, 2, levels] [s-1].
  std::vector<double> planetary;
  std::vector<double> drag_spectrum;  ///< [rows, 2] [s-1]
  /// The truncated drag and its gradient per radian, on the grid [s-1].
  std::vector<double> drag, drag_zonal, drag_meridional;
  std::vector<double> orography_spectrum;  ///< [rows, 2] [m]
};

Forcing make_forcing(const Parameters& parameters, const SpectralSpace& space);

/// cos(2 pi (t - peak) / year), t in seconds since 1 January.
double season(const Parameters& parameters, double seconds);

}  // namespace mosaic::world
