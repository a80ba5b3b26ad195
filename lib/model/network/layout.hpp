#pragma once

#include <ATen/core/Tensor.h>

namespace mosaic {

/// States [T, C, lat, lon] -> points [P, T, C], longitude-major.
inline at::Tensor points_from_states(const at::Tensor& states) {
  return states.permute({3, 2, 0, 1}).reshape({-1, states.size(0), states.size(1)});
}

/// Points [P, C], longitude-major -> state [C, lat, lon]. A view.
inline at::Tensor state_from_points(const at::Tensor& points, std::int64_t latitudes) {
  return points.view({-1, latitudes, points.size(1)}).permute({2, 1, 0});
}

}  // namespace mosaic
