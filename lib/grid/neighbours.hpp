#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "grid/sphere_points.hpp"

namespace mosaic {

/// For each target point the k nearest source points.
struct NeighbourTable {
  int k = 0;
  std::size_t targets = 0;
  std::vector<std::int32_t> index;  ///< [targets, k] source points, nearest first

  std::span<const std::int32_t> row(std::size_t target) const {
    return std::span(index).subspan(target * static_cast<std::size_t>(k), static_cast<std::size_t>(k));
  }
};

/// Great-circle distance [rad] by the haversine formula in double from float32 radians:
/// h = sin(dlat / 2)^2 + cos(lat1) cos(lat2) sin(dlon / 2)^2, distance = 2 asin(sqrt(h)).
double haversine_distance(const SpherePoints& a, std::size_t i, const SpherePoints& b, std::size_t j);

/// The k sources nearest to each target by haversine_distance, in the order (distance rounded to 1e-12 rad,
/// then index): mirror images, which are equally far, go by their index. The result is that of comparing all
/// pairs, as long as the k-th neighbour is not antipodal; the cost is that of the latitude band that holds
/// the neighbours. Independent of `threads`. Errors: bad_configuration unless 1 <= k <= number of sources.
NeighbourTable nearest_neighbours(const SpherePoints& sources, const SpherePoints& targets, int k,
                                  int threads);

}  // namespace mosaic
