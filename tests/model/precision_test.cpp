// The network in two precisions against float64, beside a version that rounds everything to bfloat16.
#include "model/precision.hpp"

#include <ATen/TensorOperators.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"
#include "model/formula_numbers.hpp"
#include "model/network/loading.hpp"
#include "model/network/precision_errors.hpp"
#include "support/errors.hpp"

namespace mosaic {
namespace {

using at::Tensor;

constexpr double rule = 2;  // ours may be off by that many times the naive version's error

/// 768 and 192 tokens, all three branches, member noise.
NetworkConfig small_network() {
  NetworkConfig config;
  config.head_width = 16;
  config.channels = 5;
  config.neighbours = 6;
  config.stages = {{8, 64, 4, 128, 32, 6, 2, 1}};
  config.bottleneck = {4, 128, 8, 64, 16, 3, 1, 0};
  return config;
}

LatLonGrid small_grid() { return LatLonGrid::with_poles(24, 13); }

Tensor numbers(const std::string& key, at::IntArrayRef shape) {
  const FormulaNumbers formula(key);
  std::size_t count = 1;
  for (const auto extent : shape) {
    count *= static_cast<std::size_t>(extent);
  }
  std::vector<float> values(count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(std::sqrt(3.0) * formula(i));
  }
  return tensor_from(values, shape);
}

Network network_of(Parameters parameters) {
  const NetworkConfig config = small_network();
  const LatLonGrid grid = small_grid();
  const Tensor columns = numbers("columns", {static_cast<std::int64_t>(grid.points()), 6});
  return Network(config, std::move(parameters), make_tables(config, grid, columns, nullptr, nullptr, 1));
}

Network network_in(Precision precision) {
  return network_of(formula_parameters(small_network(), "precision", precision));
}

std::vector<StageErrors> errors_of(const Network& ours) {
  const c10::InferenceMode inference;
  const NetworkConfig config = small_network();
  return precision_errors(
      ours, PrecisionYardsticks(network_in(Precision::float32)),
      numbers("features", {static_cast<std::int64_t>(small_grid().points()), config.features()}),
      numbers("noise", {config.noise_width}));
}

TEST(NetworkPrecision, ErrorIsAtMostTwiceThatOfNaiveBfloat16) {
  const auto errors = errors_of(network_in(Precision::bfloat16));
  EXPECT_EQ(errors.back().stage, "postprocess");
  EXPECT_GE(errors.size(), 10U);
  for (const StageErrors& stage : errors) {
    EXPECT_LE(stage.ours, rule * stage.naive) << stage.stage;
    // Rounding to 8 bits leaves about 2^-9 of each operand: less would mean that nothing was rounded.
    EXPECT_GT(stage.ours, 0x1p-11) << stage.stage;
    EXPECT_LT(stage.naive, 0.1) << stage.stage;
  }
}

TEST(NetworkPrecision, Float32IsFarBelow) {
  for (const StageErrors& stage : errors_of(network_in(Precision::float32))) {
    EXPECT_LT(stage.ours, 1e-5) << stage.stage;
  }
}

/// The twin: weights that keep 5 of the 8 significant bits of bfloat16 break the rule.
TEST(NetworkPrecision, CoarserWeightsBreakTheRule) {
  Parameters parameters = formula_parameters(small_network(), "precision", Precision::bfloat16);
  for (auto& [name, tensor] : parameters) {
    if (tensor.scalar_type() == at::kBFloat16) {
      tensor = tensor.view(at::kShort).bitwise_and(-8).view(at::kBFloat16);
    }
  }
  const StageErrors output = errors_of(network_of(std::move(parameters))).back();
  EXPECT_GT(output.ours, rule * output.naive);
}

TEST(NetworkPrecision, LargeWeightsAreKeptInBfloat16Only) {
  std::uint64_t bytes = 0;
  const Network network = network_in(Precision::bfloat16);
  for (const auto& [name, tensor] : network.parameters()) {
    bytes += tensor.nbytes();
  }
  const auto all = static_cast<double>(parameter_count(small_network()));
  EXPECT_LT(static_cast<double>(bytes), 2.2 * all);
  EXPECT_GE(static_cast<double>(bytes), 2.0 * all);
}

TEST(Precision, HasThreeNames) {
  EXPECT_EQ(parse_precision("float32"), Precision::float32);
  EXPECT_EQ(to_string(parse_precision("bfloat16")), "bfloat16");
  EXPECT_EQ(to_string(parse_precision("float16")), "float16");
  EXPECT_EQ(test::code_of([] { parse_precision("float64"); }), ExitCode::bad_configuration);
}

}  // namespace
}  // namespace mosaic
