#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kernels/area_mask.hpp"

namespace mosaic::kernels {

/// Sums of several quantities over areas, for kernels whose tile is a row. The sums of a row are kept until
/// all rows are there and then added from south to north: results do not depend on threads. Areas with the
/// same weights of cells share sums over segments of columns that no area divides: sixteen areas cost little
/// more than one.
class AreaSums {
 public:
  /// `areas` [R] must outlive this.
  AreaSums(std::span<const AreaMask> areas, std::size_t latitudes, std::size_t longitudes,
           std::size_t quantities);

  /// Takes the values [lon] of a quantity in a row, over the columns of every area that has the row. May be
  /// called for different rows at once.
  void set(std::size_t row, std::size_t quantity, const double* values);

  /// sum_j w_j of an area, all quantities. Shape: [quantities].
  std::vector<double> totals(std::size_t area) const;

 private:
  /// Areas with the same cell weights, and the columns cut where any of them begins or ends.
  struct Layer {
    const std::vector<float>* cell_weight = nullptr;
    std::vector<std::size_t> areas;
    std::vector<std::size_t> bounds;              // [segments + 1]
    std::vector<std::vector<std::size_t>> parts;  // [areas of the layer] segments inside
  };

  void gather_layers();
  void cut(Layer& layer) const;

  std::span<const AreaMask> areas_;
  std::size_t latitudes_, longitudes_, quantities_;
  std::vector<Layer> layers_;
  std::vector<double> rows_;  // [lat, area, quantity]
};

}  // namespace mosaic::kernels
