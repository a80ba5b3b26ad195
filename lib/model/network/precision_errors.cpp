#include "model/network/precision_errors.hpp"

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "base/error.hpp"

namespace mosaic {

namespace {

using at::Tensor;

Network in_double(const Network& network) {
  Parameters parameters;
  for (const auto& [name, tensor] : network.parameters()) {
    parameters[name] = tensor.to(at::kDouble);
  }
  NetworkTables tables = network.tables();
  for (Tensor* table : {&tables.static_columns, &tables.to_hp.rel_pos, &tables.to_ll.rel_pos}) {
    *table = table->to(at::kDouble);
  }
  for (auto* list : {&tables.cosine, &tables.sine, &tables.child_offsets}) {
    for (Tensor& table : *list) {
      table = table.to(at::kDouble);
    }
  }
  return Network(network.config(), std::move(parameters), std::move(tables));
}

/// Every tensor of that type, but for the noise, whose products are in float32.
Network in_short_type(const Network& network, at::ScalarType type) {
  Parameters parameters;
  for (const auto& [name, tensor] : network.parameters()) {
    const bool noise = name.find("noise") != std::string::npos;
    parameters[name] = tensor.to(noise ? at::kFloat : type);
  }
  return Network(network.config(), std::move(parameters), network.tables());
}

double norm(const Tensor& x) { return std::sqrt(x.square().sum().item().toDouble()); }

}  // namespace

PrecisionYardsticks::PrecisionYardsticks(const Network& single, at::ScalarType type)
    : exact(in_double(single)), naive(in_short_type(single, type)) {}

std::vector<StageErrors> precision_errors(const Network& ours, const PrecisionYardsticks& yardsticks,
                                          const Tensor& features, const Tensor& noise) {
  const c10::InferenceMode inference;
  std::vector<StageErrors> errors;
  std::vector<Tensor> truth;
  std::map<std::string, Tensor> selected;
  NetworkObserver recording;
  recording.stage = [&](const std::string& stage, const Tensor& output) {
    errors.push_back({stage, 0, 0});
    truth.push_back(output);
  };
  recording.attention = [&](const std::string& block, const auto&, const auto&, const auto&,
                            const kernels::AttentionInternals& internals, const auto&,
                            const auto&) { selected[block] = internals.index; };
  yardsticks.exact.forward(features.to(at::kDouble), noise.to(at::kDouble), &recording);
  const auto measure = [&](const Network& network, double StageErrors::*error) {
    std::size_t i = 0;
    NetworkObserver comparing;
    comparing.selection = [&](const std::string& block) { return selected.at(block); };
    comparing.stage = [&](const std::string& stage, const Tensor& output) {
      require(stage == errors.at(i).stage, "precision errors: {} ran in place of {}", stage, errors[i].stage);
      errors[i].*error = norm(output.to(at::kDouble) - truth[i]) / norm(truth[i]);
      ++i;
    };
    network.forward(features, noise, &comparing);
  };
  measure(ours, &StageErrors::ours);
  measure(yardsticks.naive, &StageErrors::naive);
  return errors;
}

}  // namespace mosaic
