#include "model/golden_case.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "model/formula_numbers.hpp"

namespace mosaic::test {

namespace {

constexpr double radians = std::numbers::pi / 180;

StageConfig stage_of(const nlohmann::json& j) {
  return {j[0], j[1], j[2], j[3], j[4], j[5], j[6], j.size() > 7 ? j[7].get<int>() : 0};
}

float state_value(int c, int h, double lon, double lat, double u) {
  const double m = 1 + c % 5, l = 1 + c % 3;
  return static_cast<float>(
      0.8 * std::sin(m * lon + 0.7 * c + 0.25 * h) * std::cos(lat) +
      0.6 * std::cos(l * lat + 0.3 * c - 0.1 * h) +
      0.5 * std::sin((2 + c % 7) * lon + 3 * lat - 0.2 * h) * std::cos(lat) * std::cos(lat) + 0.15 * u);
}

at::Tensor state(const GoldenCase& which, const std::string& key, int h) {
  const int channels = which.network.channels;
  std::vector<float> values(which.grid.points() * channels);
  for (int c = 0; c < channels; ++c) {
    const FormulaNumbers u(key + "/field/" + std::to_string(h) + "/" + std::to_string(c));
    std::size_t p = 0;
    for (const double lon : which.grid.longitude) {
      for (const double lat : which.grid.latitude) {
        values[p * channels + c] = state_value(c, h, lon * radians, lat * radians, u(p));
        ++p;
      }
    }
  }
  return tensor_from(values, {static_cast<std::int64_t>(which.grid.points()), 1, channels});
}

}  // namespace

GoldenCase read_case(const std::filesystem::path& config_json) {
  std::ifstream in(config_json);
  const auto j = nlohmann::json::parse(in);
  GoldenCase result;
  result.key = j.at("key");
  result.grid = LatLonGrid::with_poles(j.at("nlon"), j.at("nlat"));
  result.members = j.at("members");
  result.network.history = j.at("H");
  result.network.neighbours = j.at("k");
  result.network.head_width = j.at("head_dim");
  result.network.group = j.at("gqa_ratio");
  result.network.channels = j.at("channels");
  for (const auto& stage : j.at("stages")) {
    result.network.stages.push_back(stage_of(stage));
  }
  result.network.bottleneck = stage_of(j.at("bott"));
  return result;
}

at::Tensor entry(const TensorFile& file, const std::string& name) {
  const TensorView& view = file.at(name);
  return view.type == TensorType::int64 ? tensor_from(view.to_int64(), view.shape)
                                        : tensor_from(view.to_float(), view.shape);
}

at::Tensor formula_states(const GoldenCase& which) {
  std::vector<at::Tensor> states;
  for (int h = 0; h < which.network.history; ++h) {
    states.push_back(state(which, which.key, h));
  }
  return at::cat(states, 1);
}

at::Tensor formula_target(const GoldenCase& which) {
  return state(which, which.key + "/target", which.network.history).squeeze(1);
}

std::vector<float> formula_static_fields(const GoldenCase& which) {
  std::vector<float> fields;
  const FormulaNumbers u(which.key + "/soil");
  std::size_t p = 0;
  for (const double longitude : which.grid.longitude) {
    for (const double latitude : which.grid.latitude) {
      const double lon = longitude * radians, lat = latitude * radians;
      const double land =
          std::clamp(0.5 + std::sin(2 * lon + 1) * std::cos(lat) + 0.3 * std::sin(3 * lat), 0.0, 1.0);
      const double height = 9.80665 * 3000 * land * land * (0.6 + 0.4 * std::cos(4 * lon + 2 * lat));
      const double soil = land > 0.4 ? std::floor(3.5 * (u(p) + 1)) + 1 : 0;
      for (const double value : {height, land, soil}) {
        fields.push_back(static_cast<float>(value));
      }
      ++p;
    }
  }
  return fields;
}

at::Tensor time_columns(float day, float year) {
  const float tau = static_cast<float>(2 * std::numbers::pi);
  const std::vector<float> values = {std::sin(tau * day), std::cos(tau * day), std::sin(tau * year),
                                     std::cos(tau * year)};
  return tensor_from(values, {4});
}

at::Tensor features_of(const at::Tensor& states, const at::Tensor& columns, const at::Tensor& time) {
  const auto points = states.size(0);
  return at::cat({states.reshape({points, -1}), columns, time.expand({points, 4})}, 1);
}

at::Tensor fair_crps(const at::Tensor& members, const at::Tensor& target, const LatLonGrid& grid) {
  const auto count = members.size(0), n_lat = static_cast<std::int64_t>(grid.latitude.size());
  at::Tensor score = (members - target).abs().mean(0);
  const at::Tensor pairs = (members.unsqueeze(0) - members.unsqueeze(1)).abs().sum(at::IntArrayRef({0, 1}));
  score = score - pairs / static_cast<double>(2 * count * (count - 1));
  const std::vector<double> weights = area_weights(grid);
  const std::vector<float> rounded(weights.begin(), weights.end());
  const at::Tensor area = tensor_from(rounded, {1, n_lat, 1}).to(members.scalar_type());
  return (score.view({-1, n_lat, target.size(1)}) * area).mean();
}

/// Loss of all members with the gradients of every parameter.
at::Tensor loss_with_gradients(const Network& network, const GoldenCase& which, const at::Tensor& features,
                               const at::Tensor& noise, const at::Tensor& target) {
  for (const auto& [name, parameter] : network.parameters()) {
    at::Tensor(parameter).requires_grad_(true);
  }
  std::vector<at::Tensor> members;
  for (int m = 0; m < which.members; ++m) {
    members.push_back(network.forward(features, noise[m]));
  }
  const at::Tensor loss = fair_crps(at::stack(members), target, which.grid);
  loss.backward();
  return loss.detach();
}

Deviation deviation(const at::Tensor& ours, const at::Tensor& truth) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (ours.numel() != truth.numel()) {
    return {infinite, infinite};
  }
  const at::Tensor a = ours.detach().to(at::kDouble).reshape({-1}), b = truth.to(at::kDouble).reshape({-1});
  const at::Tensor d = (a - b).abs();
  const double scale = std::sqrt(b.square().mean().item().toDouble());
  const double max = d.max().item().toDouble(), rms = std::sqrt(d.square().mean().item().toDouble());
  if (!std::isfinite(max) || !std::isfinite(scale)) {
    return {infinite, infinite};
  }
  return {max / scale, rms / scale};
}

void expect_close(const at::Tensor& ours, const at::Tensor& truth, double limit, const std::string& what) {
  EXPECT_LE(deviation(ours, truth).max, limit) << what;
}

}  // namespace mosaic::test
