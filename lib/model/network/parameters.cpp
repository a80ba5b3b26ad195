#include <ATen/ops/empty.h>

#include <algorithm>

#include "base/error.hpp"
#include "model/checkpoint.hpp"
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

Parameters formula_parameters(const NetworkConfig& config, const std::string& key) {
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    parameters[name] = tensor_from(formula_weight(key, name, shape[0], shape[1]), shape);
  }
  return parameters;
}

Parameters parameters_from(const NetworkConfig& config, const TensorFile& checkpoint) {
  check_parameters(config, checkpoint);
  Parameters parameters;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    parameters[name] = tensor_from(checkpoint.at(name).to_float(), shape);
  }
  return parameters;
}

}  // namespace mosaic
