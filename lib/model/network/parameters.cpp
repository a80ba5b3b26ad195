#include <ATen/ops/empty.h>

#include <algorithm>

#include "base/error.hpp"
#include "model/formula_numbers.hpp"
#include "model/network/loading.hpp"

namespace mosaic {

namespace {

template <class T>
at::Tensor copy_of(std::span<const T> values, at::IntArrayRef shape, at::ScalarType type) {
  at::Tensor tensor = at::empty(shape, at::TensorOptions().dtype(type));
  require(static_cast<std::size_t>(tensor.numel()) == values.size(), "tensor of {} elements from {} values",
          tensor.numel(), values.size());
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<T>());
  return tensor;
}

}  // namespace

at::Tensor tensor_from(std::span<const float> values, at::IntArrayRef shape) {
  return copy_of(values, shape, at::kFloat);
}
at::Tensor tensor_from(std::span<const std::int64_t> values, at::IntArrayRef shape) {
  return copy_of(values, shape, at::kLong);
}

namespace {

/// The type in which a parameter is kept: bfloat16 for the weights of large products, if asked for. Vectors,
/// positions and what decides the interpolation's scores cost nothing in float32.
at::ScalarType kept_type(const std::string& name, Precision precision) {
  const bool small = name.find("noise") != std::string::npos || name.ends_with("proj_pos.weight") ||
                     (name.starts_with("model.interp_") && name.ends_with("to_q.weight")) ||
                     name == "model.postprocess.3.weight";
  return precision == Precision::bfloat16 && !small ? at::kBFloat16 : at::kFloat;
}

}  // namespace

std::vector<float> values_of(const at::Tensor& tensor) {
  const float* first = tensor.const_data_ptr<float>();
  return {first, first + tensor.numel()};
}

Parameters formula_parameters(const NetworkConfig& config, const std::string& key, Precision precision) {
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    parameters[name] =
        tensor_from(formula_weight(key, name, shape[0], shape[1]), shape).to(kept_type(name, precision));
  }
  return parameters;
}

Parameters parameters_from(const NetworkConfig& config, const TensorFile& checkpoint, Precision precision) {
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    parameters[name] = tensor_from(checkpoint.at(name).to_float(), shape).to(kept_type(name, precision));
  }
  return parameters;
}

}  // namespace mosaic
