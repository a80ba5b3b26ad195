#pragma once

#include <array>
#include <cstdint>

namespace mosaic {

/// A place on the sphere in degrees: longitude east in [0, 360), latitude north.
struct LonLat {
  double longitude;
  double latitude;
};

/// The HEALPix tessellation in NESTED order: 12 nside^2 pixels of equal area; the children of pixel p on the
/// mesh of 2 nside are 4p ... 4p + 3. Source: Gorski et al., Astrophys. J. 622 (2005) 759, sections 4 and 5.
class HealpixMesh {
 public:
  /// Errors: bad_configuration unless nside is a power of two in 1 ... 8192.
  explicit HealpixMesh(int nside);

  int nside() const { return nside_; }
  std::int64_t pixels() const { return std::int64_t{12} * nside_ * nside_; }

  /// Centre of a NESTED pixel, in double. Errors: internal for a pixel outside the mesh (all functions).
  LonLat centre(std::int64_t pixel) const;
  /// The same as a unit vector (x towards longitude 0, z towards the north pole).
  std::array<double, 3> centre_vector(std::int64_t pixel) const;

  /// The RING number of a NESTED pixel, and back. RING counts from north to south, on each ring eastwards.
  std::int64_t ring_from_nested(std::int64_t pixel) const;
  std::int64_t nested_from_ring(std::int64_t ring_pixel) const;

  /// The NESTED pixel that holds a direction. Longitudes may have any period, latitudes are -90 ... 90; a
  /// vector may have any length but 0. Errors: internal for other arguments.
  std::int64_t pixel_at(const LonLat& place) const;
  std::int64_t pixel_at(const std::array<double, 3>& direction) const;

 private:
  int nside_;
};

}  // namespace mosaic
