#include "kernels/member_projection/member_projection_torch.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "kernels/member_projection/member_projection.hpp"
#include "kernels/operation_record.hpp"

namespace mosaic::kernels {

at::Tensor member_projection(const at::Tensor& weight, const at::Tensor& x) {
  const OperationScope scope("noise projections", 2.0 * static_cast<double>(weight.numel()));
  if (at::GradMode::is_enabled() && (weight.requires_grad() || x.requires_grad())) {
    return (weight * x).sum(-1);
  }
  const at::Tensor w = weight.contiguous(), in = x.contiguous();
  const at::Tensor y = at::empty({w.size(0)}, w.options());
  const auto run = [&]<class T>(T) {
    member_projection(MemberProjectionArgs<T>{1, w.size(1), w.size(0), w.const_data_ptr<T>(),
                                              in.const_data_ptr<T>(), y.mutable_data_ptr<T>()});
  };
  w.scalar_type() == at::kDouble ? run(double{}) : run(float{});
  return y;
}

}  // namespace mosaic::kernels
