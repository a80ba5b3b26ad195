#include "kernels/grid_interpolation/grid_interpolation_torch.hpp"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "kernels/operation_record.hpp"

namespace mosaic::kernels {

namespace {

using at::Tensor;

Tensor differentiable(const Tensor& t, const Tensor& v, const Tensor& rel, const Tensor& index) {
  const auto targets = index.size(0), k = index.size(1), heads = v.size(1), width = v.size(2);
  const Tensor rows = index.reshape({-1});
  const Tensor near_t = t.index_select(0, rows).view({targets, k, heads, 3});
  const Tensor near_v = v.index_select(0, rows).view({targets, k, heads, width});
  const Tensor score = (near_t * rel.unsqueeze(2)).sum(-1) / std::sqrt(static_cast<double>(width));
  return (at::softmax(score, 1).unsqueeze(-1) * near_v).sum(1);
}

}  // namespace

at::Tensor grid_interpolation(const at::Tensor& t, const at::Tensor& v, const at::Tensor& rel,
                              const at::Tensor& index, Backend backend) {
  const auto targets = index.size(0), k = index.size(1), heads = v.size(1), width = v.size(2);
  const OperationScope scope("interpolation", 2.0 * static_cast<double>(targets * k * heads * (width + 3)));
  if (at::GradMode::is_enabled() && (t.requires_grad() || v.requires_grad())) {
    return differentiable(t, v, rel, index);
  }
  const Tensor tc = t.contiguous(), vc = v.contiguous(), rc = rel.contiguous(), ic = index.contiguous();
  const Tensor out = at::empty({targets, heads, width}, v.options());
  const auto run = [&]<class T>(T) {
    grid_interpolation(
        GridInterpolationArgs<T>{targets, k, heads, width, tc.const_data_ptr<T>(), vc.const_data_ptr<T>(),
                                 rc.const_data_ptr<T>(), ic.const_data_ptr<std::int64_t>(),
                                 out.mutable_data_ptr<T>(), at::get_num_threads()},
        backend);
  };
  v.scalar_type() == at::kDouble ? run(double{}) : run(float{});
  return out;
}

}  // namespace mosaic::kernels
