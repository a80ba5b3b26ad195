#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/grid_interpolation/grid_interpolation.hpp"

namespace mosaic::kernels {

/// The torch face of grid_interpolation: t [P, H, 3], v [P, H, D], rel [Q, k, 3], index [Q, k] int64 ->
/// [Q, H, D]. When a gradient is asked for, a composition of ATen operations runs instead of the backend.
at::Tensor grid_interpolation(const at::Tensor& t, const at::Tensor& v, const at::Tensor& rel,
                              const at::Tensor& index, Backend backend);

}  // namespace mosaic::kernels
