#include "world/geography.hpp"

#include <array>
#include <cmath>
#include <numbers>

namespace mosaic::world {
namespace {

constexpr double degree = std::numbers::pi / 180;

/// All in degrees: centre, half-axes to the east and to the north, tilt.
struct Ellipse {
  double longitude, latitude, east, north, tilt;
};

struct Range {
  Ellipse ellipse;
  double height;  ///< [m]
};

constexpr std::array<Ellipse, 6> continents = {{{262, 48, 27, 24, -20},
                                                {300, -15, 15, 30, 12},
                                                {20, 5, 21, 32, 10},
                                                {80, 52, 52, 24, 5},
                                                {134, -25, 18, 11, 0},
                                                {70, -90, 21, 21, 0}}};

constexpr std::array<Range, 6> ranges = {{{{250, 45, 9, 19, 25}, 2000},
                                          {{90, 34, 18, 9, -5}, 4000},
                                          {{318, 72, 9, 10, 0}, 2000},
                                          {{291, -22, 7, 22, 5}, 2200},
                                          {{36, 3, 9, 16, 0}, 1000},
                                          {{80, -86, 20, 20, 0}, 2800}}};

/// Distance from the centre in half-axes, in the azimuthal equidistant frame of the centre.
double elliptic_radius(const Ellipse& ellipse, double longitude, double latitude) {
  const double phi = latitude * degree, phi0 = ellipse.latitude * degree;
  const double turn = (longitude - ellipse.longitude) * degree;
  const double east = std::cos(phi) * std::sin(turn);
  const double north = std::cos(phi0) * std::sin(phi) - std::sin(phi0) * std::cos(phi) * std::cos(turn);
  const double ahead = std::sin(phi0) * std::sin(phi) + std::cos(phi0) * std::cos(phi) * std::cos(turn);
  const double sine = std::hypot(east, north);
  constexpr double nothing = 1e-12;
  if (sine < nothing && ahead < 0) {
    return 99;  // the antipode has no direction
  }
  const double stretch = (sine < nothing ? 1.0 : std::atan2(sine, ahead) / sine) / degree;
  const double x = stretch * east, y = stretch * north;
  const double c = std::cos(ellipse.tilt * degree), s = std::sin(ellipse.tilt * degree);
  return std::hypot((x * c + y * s) / ellipse.east, (-x * s + y * c) / ellipse.north);
}

}  // namespace

double land_fraction(double longitude, double latitude) {
  constexpr double coast = 0.15;  // width of the transition in half-axes
  double sea = 1;
  for (const Ellipse& continent : continents) {
    const double rho = elliptic_radius(continent, longitude, latitude);
    sea *= 1 - (1 - std::tanh((rho - 1) / coast)) / 2;
  }
  return 1 - sea;
}

double surface_height(double longitude, double latitude) {
  double height = 0;
  for (const Range& range : ranges) {
    const double rho = elliptic_radius(range.ellipse, longitude, latitude);
    height += range.height * std::exp(-rho * rho);
  }
  return height;
}

}  // namespace mosaic::world
