#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "grid/lat_lon_grid.hpp"
#include "stores/zarr.hpp"

namespace mosaic::eval {

/// Fields in double of a golden set of spherical harmonics, stored [longitude, latitude].
class HarmonicFields {
 public:
  explicit HarmonicFields(const std::filesystem::path& path) : store_(path.string()) {
    grid = {axis("latitude"), axis("longitude")};
  }

  LatLonGrid grid;

  /// [latitude, longitude]
  std::vector<double> read(const std::string& name) const {
    const std::vector<double> stored = axis(name);
    const std::size_t rows = grid.latitude.size(), columns = grid.longitude.size();
    std::vector<double> field(stored.size());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      field[i % rows * columns + i / rows] = stored[i];
    }
    return field;
  }

 private:
  std::vector<double> axis(const std::string& name) const {
    return store_.read_double(name, ZarrBox::all(store_.array(name)), 1);
  }

  ZarrStore store_;
};

}  // namespace mosaic::eval
