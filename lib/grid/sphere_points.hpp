#pragma once

#include <cstddef>
#include <vector>

#include "grid/healpix.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

/// Points on the sphere as the network sees them. Longitudes and latitudes in degrees are rounded to float32
/// before anything else; radians are float32(degrees) * float32(pi / 180), one float32 product, so that
/// 90 degrees is slightly more than pi / 2; unit vectors follow in float32 from those radians.
struct SpherePoints {
  std::vector<float> longitude_degrees;  ///< [N] degrees east, 0 ... 360
  std::vector<float> latitude_degrees;   ///< [N] degrees north
  std::vector<float> lon_rad;            ///< [N] radians
  std::vector<float> lat_rad;            ///< [N] radians
  std::vector<float> xyz;                ///< [N, 3] (cos lat cos lon, cos lat sin lon, sin lat)

  std::size_t size() const { return lon_rad.size(); }
};

/// Points of a lat-lon grid in the model's order, longitude slowest: p = i_lon * n_lat + i_lat, latitudes
/// from south to north. (Fields of a State are latitude-slowest; the model converts.)
SpherePoints sphere_points(const LatLonGrid& grid);

/// Pixel centres of a HEALPix mesh in NESTED order.
SpherePoints sphere_points(const HealpixMesh& mesh);

}  // namespace mosaic
