#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace mosaic::kernels {

/// The part of a latitude-longitude grid that a mean is taken over: rows with weights, times columns, times
/// weights of cells where there are any (land). Values of cells with weight 0 are never read into the mean.
struct AreaMask {
  std::vector<double> row_weight;                                   ///< [lat], 0 outside
  std::vector<std::uint8_t> columns;                                ///< [lon], 1 inside, 0 outside
  std::shared_ptr<const std::vector<float>> cell_weight = nullptr;  ///< [lat, lon]; null = 1 everywhere

  /// Product of the three for a cell.
  double weight_at(std::size_t row, std::size_t column) const {
    const double cell = cell_weight == nullptr ? 1.0 : (*cell_weight)[row * columns.size() + column];
    return columns[column] == 0 ? 0.0 : row_weight[row] * cell;
  }
};

/// Errors: internal unless every area fits the grid.
void require_fit(std::span<const AreaMask> areas, std::size_t latitudes, std::size_t longitudes);

}  // namespace mosaic::kernels
