#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

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

bool is_buffer(const std::string& name) {
  if (name == "model.static_vars" || name.ends_with(".neighbors") || name.ends_with(".rel_pos")) {
    return true;
  }
  return name.ends_with("_rope.cos_freqs") || name.ends_with("_rope.sin_freqs");
}

std::string listed(const std::vector<std::string>& problems) {
  constexpr std::size_t shown = 20;
  const auto end = problems.begin() + static_cast<std::ptrdiff_t>(std::min(shown, problems.size()));
  std::string text = fmt::format("{}", fmt::join(problems.begin(), end, "; "));
  return problems.size() > shown ? text + fmt::format("; and {} more", problems.size() - shown) : text;
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
  const auto shapes = parameter_shapes(config);
  Parameters parameters;
  std::vector<std::string> problems;
  for (const auto& [name, shape] : shapes) {
    if (!checkpoint.has(name)) {
      problems.push_back("missing " + name);
    } else if (const TensorView& view = checkpoint.at(name); view.shape != shape) {
      problems.push_back(fmt::format("{} is ({}), the configuration needs ({})", name,
                                     fmt::join(view.shape, ", "), fmt::join(shape, ", ")));
    } else {
      parameters[name] = tensor_from(view.to_float(), shape);
    }
  }
  for (const auto& [name, view] : checkpoint.tensors()) {
    if (!shapes.contains(name) && !is_buffer(name)) {
      problems.push_back("unknown " + name);
    }
  }
  require(problems.empty(), ExitCode::corrupt_input,
          "{}: does not hold the configured network: {}. Check preset and network configuration",
          checkpoint.path(), listed(problems));
  return parameters;
}

}  // namespace mosaic
