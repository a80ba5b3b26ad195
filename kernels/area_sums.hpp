#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "kernels/area_mask.hpp"

namespace mosaic::kernels {

/// Sums of several quantities over areas, for kernels that go row by row. A tile is a few rows, always the
/// same ones: its rows are added from south to north by one thread, then the tiles likewise, so that results
/// do not depend on threads. Areas with the same weights of cells share sums over segments of columns that no
/// area divides: sixteen areas cost little more than one.
class AreaSums {
 public:
  /// `areas` [R] must outlive this.
  AreaSums(std::span<const AreaMask> areas, std::size_t latitudes, std::size_t longitudes,
           std::size_t quantities);

  /// Four rows: few enough to be shared evenly by many threads, and a quarter of the numbers that rows would
  /// keep.
  static constexpr std::size_t tile_rows = 4;
  static std::size_t tiles(std::size_t latitudes) { return (latitudes + tile_rows - 1) / tile_rows; }
  /// Calls body(row) for the rows of a tile.
  template <class Body>
  static void for_rows(std::size_t tile, std::size_t latitudes, const Body& body) {
    for (std::size_t row = tile * tile_rows; row < std::min((tile + 1) * tile_rows, latitudes); ++row) {
      body(row);
    }
  }

  // All of these add to a quantity what a row has in the columns of every area that has the row. Rows of
  // different tiles may be added at once, those of a tile ascending.

  /// Shape of values: [lon].
  void add(std::size_t row, std::size_t quantity, const double* values);
  /// The weights of the cells themselves.
  void add_ones(std::size_t row, std::size_t quantity);
  /// (a - b)^2. Shape of both: [lon].
  void add_squared_differences(std::size_t row, std::size_t quantity, const float* a, const float* b);

  /// sum_j w_j of an area, all quantities. Shape: [quantities].
  std::vector<double> totals(std::size_t area) const;

 private:
  /// Columns that belong to the same areas, of areas with the same weights of cells.
  struct Segment {
    std::size_t begin = 0, end = 0;                   // columns
    const std::vector<float>* cell_weight = nullptr;  // null = 1 everywhere
    std::vector<std::size_t> areas;                   // that have it
  };

  void cut(const std::vector<float>* cell_weight);
  template <class Sum>
  void add_segments(std::size_t row, std::size_t quantity, const Sum& sum);

  std::span<const AreaMask> areas_;
  std::size_t latitudes_, longitudes_, quantities_;
  std::vector<Segment> segments_;
  std::vector<double> sums_;  // [tile, area, quantity]
};

}  // namespace mosaic::kernels
