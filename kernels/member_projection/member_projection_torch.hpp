#pragma once

#include <ATen/core/Tensor.h>

namespace mosaic::kernels {

/// weight [O, I], x [I] of one member -> [O]. Gradients flow where they are asked for.
at::Tensor member_projection(const at::Tensor& weight, const at::Tensor& x);

}  // namespace mosaic::kernels
