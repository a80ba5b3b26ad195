#include "grid/healpix.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "base/error.hpp"

namespace mosaic {

namespace {

constexpr double pi = std::numbers::pi;
constexpr double degrees_per_radian = 180.0 / pi;

// Rings are counted from the north: the southernmost corner of base face f lies on ring
// corner_ring[f] * nside, its longitude is corner_eighth[f] * 45 degrees.
constexpr std::array<int, 12> corner_ring{2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4};
constexpr std::array<int, 12> corner_eighth{1, 3, 5, 7, 0, 2, 4, 6, 1, 3, 5, 7};

/// A pixel by its base face and its steps north-east (x) and north-west (y) of the face's southern corner.
struct FacePixel {
  int face;
  std::int64_t x;
  std::int64_t y;
};

/// The even bits of `bits`, closed up.
std::int64_t even_bits(std::int64_t bits) {
  std::int64_t result = 0;
  for (int bit = 0; bit < 31; ++bit) {
    result |= ((bits >> (2 * bit)) & 1) << bit;
  }
  return result;
}

/// The bits of `bits`, spread over the even places.
std::int64_t spread_bits(std::int64_t bits) {
  std::int64_t result = 0;
  for (int bit = 0; bit < 31; ++bit) {
    result |= ((bits >> bit) & 1) << (2 * bit);
  }
  return result;
}

FacePixel face_pixel(std::int64_t nested, std::int64_t nside) {
  const std::int64_t inside = nested % (nside * nside);
  return {static_cast<int>(nested / (nside * nside)), even_bits(inside), even_bits(inside >> 1)};
}

std::int64_t nested_index(const FacePixel& pixel, std::int64_t nside) {
  return pixel.face * nside * nside + spread_bits(pixel.x) + 2 * spread_bits(pixel.y);
}

/// A pixel's ring: 1 ... 4 nside - 1 from the north, and the number of pixels in a quarter of it.
struct Ring {
  std::int64_t number;
  std::int64_t quarter;
};

Ring ring_of(const FacePixel& pixel, std::int64_t nside) {
  const std::int64_t number =
      corner_ring[static_cast<std::size_t>(pixel.face)] * nside - pixel.x - pixel.y - 1;
  return {number, std::min({number, 4 * nside - number, nside})};
}

/// Longitude of the centre in units of 45 degrees / ring.quarter, 0 ... 8 quarter - 1.
std::int64_t longitude_steps(const FacePixel& pixel, const Ring& ring) {
  const std::int64_t steps =
      corner_eighth[static_cast<std::size_t>(pixel.face)] * ring.quarter + pixel.x - pixel.y;
  return steps < 0 ? steps + 8 * ring.quarter : steps;
}

/// A direction as the projection needs it: z, the sine of the colatitude (exact near the poles, where z
/// is not), and the longitude in quarter turns, 0 <= quarter_turns < 4.
struct Direction {
  double z;
  double sine;
  double quarter_turns;
};

Direction direction_of_centre(const FacePixel& pixel, std::int64_t nside) {
  const Ring ring = ring_of(pixel, nside);
  const double quarter = static_cast<double>(ring.quarter);
  Direction result{};
  if (ring.quarter < nside) {
    const double cap = quarter * quarter / (3.0 * static_cast<double>(nside) * static_cast<double>(nside));
    result.z = ring.number < nside ? 1.0 - cap : cap - 1.0;
    result.sine = std::sqrt(cap * (2.0 - cap));
  } else {
    result.z = static_cast<double>(2 * nside - ring.number) * 2.0 / (3.0 * static_cast<double>(nside));
    result.sine = std::sqrt((1.0 - result.z) * (1.0 + result.z));
  }
  result.quarter_turns = static_cast<double>(longitude_steps(pixel, ring)) / (2.0 * quarter);
  return result;
}

FacePixel pixel_in_belt(const Direction& direction, std::int64_t nside) {
  const double n = static_cast<double>(nside);
  const double east = n * (0.5 + direction.quarter_turns);
  const double north = n * direction.z * 0.75;
  // Numbers of the ascending and descending lines (x and y are constant along them) through the point.
  const auto ascending = static_cast<std::int64_t>(east - north);
  const auto descending = static_cast<std::int64_t>(east + north);
  const std::int64_t face_up = ascending / nside;
  const std::int64_t face_down = descending / nside;
  const std::int64_t face =
      face_up == face_down ? 4 + face_up % 4 : (face_up < face_down ? face_up : face_down + 8);
  return {static_cast<int>(face), descending % nside, nside - ascending % nside - 1};
}

FacePixel pixel_in_cap(const Direction& direction, std::int64_t nside) {
  const auto quarter = std::min<std::int64_t>(3, static_cast<std::int64_t>(direction.quarter_turns));
  const double along = direction.quarter_turns - static_cast<double>(quarter);
  // sqrt(3 (1 - |z|)), written so that it does not cancel near the pole.
  const double width =
      static_cast<double>(nside) * direction.sine * std::sqrt(3.0 / (1.0 + std::abs(direction.z)));
  const auto eastern = std::min<std::int64_t>(nside - 1, static_cast<std::int64_t>(along * width));
  const auto western = std::min<std::int64_t>(nside - 1, static_cast<std::int64_t>((1.0 - along) * width));
  if (direction.z >= 0.0) {
    return {static_cast<int>(quarter), nside - western - 1, nside - eastern - 1};
  }
  return {static_cast<int>(quarter + 8), eastern, western};
}

std::int64_t pixel_of(const Direction& direction, std::int64_t nside) {
  const bool belt = std::abs(direction.z) <= 2.0 / 3.0;
  return nested_index(belt ? pixel_in_belt(direction, nside) : pixel_in_cap(direction, nside), nside);
}

double quarter_turns_of(double degrees) {
  const double turns = degrees / 90.0 - 4.0 * std::floor(degrees / 360.0);
  return turns >= 0.0 && turns < 4.0 ? turns : 0.0;  // a tiny negative longitude rounds up to a full turn
}

}  // namespace

HealpixMesh::HealpixMesh(int nside) : nside_(nside) {
  require(nside >= 1 && nside <= 8192 && std::has_single_bit(static_cast<unsigned>(nside)),
          ExitCode::bad_configuration, "HEALPix nside is {}; expected a power of two in 1 ... 8192", nside);
}

LonLat HealpixMesh::centre(std::int64_t pixel) const {
  require(pixel >= 0 && pixel < pixels(), "pixel {} is outside the HEALPix mesh of {} pixels", pixel,
          pixels());
  const Direction direction = direction_of_centre(face_pixel(pixel, nside_), nside_);
  const double latitude = std::abs(direction.z) < 0.99
                              ? std::asin(direction.z)
                              : std::copysign(std::acos(direction.sine), direction.z);
  return {90.0 * direction.quarter_turns, latitude * degrees_per_radian};
}

std::array<double, 3> HealpixMesh::centre_vector(std::int64_t pixel) const {
  require(pixel >= 0 && pixel < pixels(), "pixel {} is outside the HEALPix mesh of {} pixels", pixel,
          pixels());
  const Direction direction = direction_of_centre(face_pixel(pixel, nside_), nside_);
  const double longitude = 0.5 * pi * direction.quarter_turns;
  return {direction.sine * std::cos(longitude), direction.sine * std::sin(longitude), direction.z};
}

std::int64_t HealpixMesh::ring_from_nested(std::int64_t pixel) const {
  require(pixel >= 0 && pixel < pixels(), "pixel {} is outside the HEALPix mesh of {} pixels", pixel,
          pixels());
  const FacePixel place = face_pixel(pixel, nside_);
  const Ring ring = ring_of(place, nside_);
  const std::int64_t n = nside_;
  const std::int64_t steps = longitude_steps(place, ring);
  if (ring.number < n) {
    return 2 * ring.quarter * (ring.quarter - 1) + steps / 2;
  }
  if (ring.number > 3 * n) {
    return pixels() - 2 * ring.quarter * (ring.quarter + 1) + steps / 2;
  }
  // In the belt every other ring starts at longitude 0, the rings between half a pixel east of it.
  return 2 * n * (n - 1) + (ring.number - n) * 4 * n + steps / 2;
}

std::int64_t HealpixMesh::nested_from_ring(std::int64_t ring_pixel) const {
  require(ring_pixel >= 0 && ring_pixel < pixels(), "pixel {} is outside the HEALPix mesh of {} pixels",
          ring_pixel, pixels());
  const double n = static_cast<double>(nside_);
  const std::int64_t cap = 2 * std::int64_t{nside_} * (nside_ - 1);
  Direction direction{};
  if (ring_pixel >= cap && ring_pixel < pixels() - cap) {
    const std::int64_t ring = (ring_pixel - cap) / (4 * nside_);
    const std::int64_t place = (ring_pixel - cap) % (4 * nside_);
    direction.z = (n - static_cast<double>(ring)) * 2.0 / (3.0 * n);
    direction.quarter_turns = (static_cast<double>(place) + (ring % 2 == 0 ? 0.5 : 0.0)) / n;
  } else {
    // Ring r of a cap holds 4 r pixels; the rings before it 2 r (r - 1).
    const std::int64_t from_pole = ring_pixel < cap ? ring_pixel : pixels() - 1 - ring_pixel;
    auto ring =
        static_cast<std::int64_t>(0.5 * (1.0 + std::sqrt(1.0 + 2.0 * static_cast<double>(from_pole))));
    ring -= 2 * ring * (ring - 1) > from_pole ? 1 : 0;
    const std::int64_t counted = from_pole - 2 * ring * (ring - 1);
    const std::int64_t place = ring_pixel < cap ? counted : 4 * ring - 1 - counted;
    const double share = static_cast<double>(ring * ring) / (3.0 * n * n);
    direction.z = ring_pixel < cap ? 1.0 - share : share - 1.0;
    direction.sine = std::sqrt(share * (2.0 - share));
    direction.quarter_turns = (static_cast<double>(place) + 0.5) / static_cast<double>(ring);
  }
  return pixel_of(direction, nside_);
}

std::int64_t HealpixMesh::pixel_at(const LonLat& place) const {
  require(std::isfinite(place.longitude) && std::abs(place.latitude) <= 90.0,
          "longitude {}, latitude {} is not a place on the sphere", place.longitude, place.latitude);
  const double latitude = place.latitude / degrees_per_radian;
  return pixel_of({std::sin(latitude), std::cos(latitude), quarter_turns_of(place.longitude)}, nside_);
}

std::int64_t HealpixMesh::pixel_at(const std::array<double, 3>& direction) const {
  const auto [x, y, z] = direction;
  const double length = std::hypot(x, y, z);
  require(std::isfinite(length) && length > 0.0, "({}, {}, {}) is not a direction", x, y, z);
  const double longitude = std::atan2(y, x) * degrees_per_radian;
  return pixel_of({z / length, std::hypot(x, y) / length, quarter_turns_of(longitude)}, nside_);
}

}  // namespace mosaic
