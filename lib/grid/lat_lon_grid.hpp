#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mosaic {

/// A regular latitude-longitude grid. Fields on it are [lat S->N][lon 0->360), latitude slowest.
struct LatLonGrid {
  std::vector<double> latitude;   ///< degrees north, strictly ascending
  std::vector<double> longitude;  ///< degrees east, strictly ascending in [0, 360)

  std::size_t points() const { return latitude.size() * longitude.size(); }
  friend bool operator==(const LatLonGrid&, const LatLonGrid&) = default;

  /// n_lon longitudes 360 i / n_lon and n_lat latitudes -90 + 180 j / (n_lat - 1), poles included.
  static LatLonGrid with_poles(int n_lon, int n_lat);
  /// n_lon longitudes 360 i / n_lon and n_lat latitudes -90 + (j + 1/2) 180 / n_lat, no poles.
  static LatLonGrid without_poles(int n_lon, int n_lat);
};

/// Whether both have the same rows and columns, each within `tolerance` [degrees].
bool nearly_equal(const LatLonGrid& a, const LatLonGrid& b, double tolerance);

/// "240 x 121, latitudes -90 ... 90": longitudes times latitudes.
std::string to_string(const LatLonGrid& grid);

/// Weight of each latitude row: (J/2)(sin upper - sin lower), cell edges half way between latitudes in angle
/// and closed at the poles; sums to J. Source: WeatherBench 2. Shape: [lat].
std::vector<double> area_weights(const LatLonGrid& grid);

/// Errors: corrupt_input, saying what needs it, if longitudes are not uniform within 1e-3 degrees.
void require_uniform_longitudes(const LatLonGrid& grid, std::string_view purpose);

}  // namespace mosaic
