#pragma once

namespace mosaic::world {

/// The analytic geography: six elliptic continents and six Gaussian mountain ranges, not the Earth's.
/// Places in degrees. Source: spec of the simulated world, section 2.
double land_fraction(double longitude, double latitude);   ///< [1]
double surface_height(double longitude, double latitude);  ///< [m], not negative

}  // namespace mosaic::world
