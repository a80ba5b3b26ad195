#pragma once

#include <cmath>
#include <numbers>

namespace mosaic::eval {

// The Earth as WeatherBench 2 has it.
inline constexpr double earth_radius = 6'367'500.0;  ///< [m] mean of the equatorial and the polar radius
inline constexpr double earth_rotation = 7.292e-5;   ///< [s-1]
inline constexpr double gravity = 9.81;              ///< [m s-2]

constexpr double to_radians(double degrees) { return degrees * std::numbers::pi / 180.0; }
inline double cos_degrees(double degrees) { return std::cos(to_radians(degrees)); }
inline double sin_degrees(double degrees) { return std::sin(to_radians(degrees)); }

}  // namespace mosaic::eval
