#include "grid/sphere_points.hpp"

#include <cmath>
#include <numbers>

namespace mosaic {

namespace {

void reserve_points(SpherePoints& points, std::size_t count) {
  for (auto* column :
       {&points.longitude_degrees, &points.latitude_degrees, &points.lon_rad, &points.lat_rad}) {
    column->reserve(count);
  }
  points.xyz.reserve(3 * count);
}

void append_point(SpherePoints& points, double longitude, double latitude) {
  constexpr float radians_per_degree = static_cast<float>(std::numbers::pi / 180.0);
  const float lon_degrees = static_cast<float>(longitude);
  const float lat_degrees = static_cast<float>(latitude);
  const float lon = lon_degrees * radians_per_degree;
  const float lat = lat_degrees * radians_per_degree;
  points.longitude_degrees.push_back(lon_degrees);
  points.latitude_degrees.push_back(lat_degrees);
  points.lon_rad.push_back(lon);
  points.lat_rad.push_back(lat);
  points.xyz.push_back(std::cos(lat) * std::cos(lon));
  points.xyz.push_back(std::cos(lat) * std::sin(lon));
  points.xyz.push_back(std::sin(lat));
}

}  // namespace

SpherePoints sphere_points(const LatLonGrid& grid) {
  SpherePoints points;
  reserve_points(points, grid.points());
  for (const double longitude : grid.longitude) {
    for (const double latitude : grid.latitude) {
      append_point(points, longitude, latitude);
    }
  }
  return points;
}

SpherePoints sphere_points(const HealpixMesh& mesh) {
  SpherePoints points;
  reserve_points(points, static_cast<std::size_t>(mesh.pixels()));
  for (std::int64_t pixel = 0; pixel < mesh.pixels(); ++pixel) {
    const LonLat centre = mesh.centre(pixel);
    append_point(points, centre.longitude, centre.latitude);
  }
  return points;
}

}  // namespace mosaic
