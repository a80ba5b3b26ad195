#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <string>

#include "base/time.hpp"

namespace mosaic::world {

inline constexpr std::size_t levels = 3;
inline constexpr std::array<int, levels> pressure_levels = {200, 500, 800};  ///< [hPa]
inline constexpr std::size_t layers = 2;                                     ///< between the levels

inline constexpr double radius = 6.371e6;        ///< [m]
inline constexpr double rotation = 7.292115e-5;  ///< [s-1]
inline constexpr double gravity = 9.80665;       ///< [m s-2]
inline constexpr double gas_constant = 287.05;   ///< of dry air [J kg-1 K-1]
inline constexpr double days_of_year = 365.25;

/// One hemisphere's jet of the shear that the forcing relaxes to, A cos(phi)/cos(phi0) exp(-((phi -
/// phi0)/W)^2).
struct ForcedJet {
  std::array<double, layers> shear;  ///< A [m s-1], 200-500 and 500-800 hPa
  double latitude;                   ///< phi0 [degrees], poleward
  double width;                      ///< W [degrees]
};

/// Numbers of the three-level quasi-geostrophic model (Marshall & Molteni 1993) with its analytic forcing.
struct Parameters {
  int truncation = 21;                                             ///< N, triangular
  Duration time_step = Duration::hours(1);                         ///< of the Runge-Kutta scheme
  std::array<double, layers> deformation_radius = {700e3, 450e3};  ///< [m]
  double scale_height = 9000;                                      ///< H0 [m], of the orography's vorticity
  double orography_factor = 1;                                     ///< on the orography's vorticity
  double relaxation_days = 20;                                     ///< tau_R
  double drag_days = 3;                                            ///< tau_E
  double drag_of_land = 0.5;                                       ///< added to the drag where there is land
  double drag_of_mountains = 0.5;                                  ///< added where the surface is high
  double drag_height = 1000;                                       ///< [m] scale of that
  double diffusion_days = 1;                                       ///< tau_H of degree N
  int diffusion_power = 4;                                         ///< of n (n + 1)
  ForcedJet north_winter = {{29, 25}, 31, 17};
  ForcedJet north_summer = {{14, 13}, 40, 17};
  ForcedJet south_winter = {{27, 23}, 32, 17};
  ForcedJet south_summer = {{21, 17}, 36, 17};
  std::array<double, layers> tropical_shear = {-8, -2};           ///< B [m s-1]
  double tropical_width = 12;                                     ///< [degrees]
  std::array<double, layers> land_sea_contrast = {1.3e8, 8.0e7};  ///< c [m2 s-1]
  double peak_day = 20;  ///< of the northern winter, days after 1 January

  std::size_t latitudes() const;   ///< of the Gaussian grid: 32 for T21, 64 for T42
  std::size_t longitudes() const;  ///< twice as many
  /// Rows (m, n) of a spectrum, m slowest, n = m ... N.
  std::size_t rows() const {
    const auto n = static_cast<std::size_t>(truncation);
    return (n + 1) * (n + 2) / 2;
  }
};

/// The world at T21, 3600 s, and at T42, 1800 s, there with nine tenths of the forced shear so that the
/// climates are alike. Errors: bad_configuration for another truncation.
Parameters parameters_of(int truncation);

/// Every number with its name, for identities and files.
std::map<std::string, std::string> named_values(const Parameters& parameters);

/// t = 0 of the model: its year has 365.25 days and begins here.
inline constexpr Time epoch{946684800};  // 2000-01-01T00

}  // namespace mosaic::world
