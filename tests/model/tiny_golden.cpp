#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "model/golden_case.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

struct TinyCase {
  GoldenCase which;
  std::unique_ptr<TensorFile> inputs;
  at::Tensor columns, features;

  explicit TinyCase(const std::filesystem::path& folder)
      : which(read_case(folder / "config.json")),
        inputs(open_tensor_file((folder / "inputs.safetensors").string())),
        columns(static_columns(inputs->at("static_data").to_float(), which.grid)) {
    const at::Tensor states = entry(*inputs, "state_norm").permute({1, 2, 0, 3});
    features = features_of(states.reshape({-1, states.size(2), states.size(3)}), columns,
                           entry(*inputs, "time_features"));
  }
  Network network(const NetworkConfig& config, bool stored_tables,
                  const std::filesystem::path& folder) const {
    const auto buffers = open_tensor_file((folder / "buffers.safetensors").string());
    return Network(
        config, formula_parameters(config, which.key),
        make_tables(config, which.grid, columns, stored_tables ? buffers.get() : nullptr, nullptr, 1));
  }
  at::Tensor noise(std::int64_t member) const { return entry(*inputs, "e")[0][member]; }
};

TEST(TinyGolden, InputsFollowTheFormulas) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  const TinyCase tiny(folder);
  expect_close(tiny.columns, entry(*tiny.inputs, "static_vars"), 1e-5, "static columns");
  expect_close(time_columns(0.25F, 0.3F), entry(*tiny.inputs, "time_features"), 1e-6, "time features");
  const at::Tensor states = entry(*tiny.inputs, "state_norm").permute({1, 2, 0, 3});
  EXPECT_TRUE(formula_states(tiny.which).equal(states.reshape({-1, states.size(2), states.size(3)})));
}

void compare_stages(const TinyCase& tiny, const Network& network, const TensorFile& stages) {
  const at::NoGradGuard no_gradients;
  const auto stored = std::ranges::count_if(stages.tensors(), [](const auto& item) {
    return item.first != "output" && !item.first.ends_with(".others");
  });
  for (std::int64_t member = 0; member < tiny.which.members; ++member) {
    std::ptrdiff_t compared = 0;
    NetworkObserver observer;
    observer.stage = [&](const std::string& name, const at::Tensor& output) {
      const at::Tensor truth =
          member == 0 ? entry(stages, name) : entry(stages, name + ".others")[member - 1];
      expect_close(member == 0 ? output : output.slice(0, 0, output.size(0), 5), truth, stage_limit,
                   name + " of member " + std::to_string(member));
      ++compared;
    };
    const at::Tensor output = network.forward(tiny.features, tiny.noise(member), &observer);
    expect_close(output, entry(stages, "output")[member], stage_limit, "output");
    EXPECT_EQ(compared, stored);
  }
}

TEST(TinyGolden, EveryStageWithStoredTables) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  GOLDEN_OR_SKIP(stages_file, "model/tiny/stages.safetensors");
  const TinyCase tiny(folder);
  const auto stages = open_tensor_file(stages_file.string());
  compare_stages(tiny, tiny.network(tiny.which.network, true, folder), *stages);
}

TEST(TinyGolden, RotaryAndOffsetTablesFromTheRule) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  GOLDEN_OR_SKIP(stages_file, "model/tiny/stages.safetensors");
  const TinyCase tiny(folder);
  const auto stages = open_tensor_file(stages_file.string());
  const Network stored = tiny.network(tiny.which.network, true, folder);
  const Network rule = tiny.network(tiny.which.network, false, folder);
  NetworkTables mixed = rule.tables();
  mixed.to_hp = stored.tables().to_hp;  // mirror-image ties have no rule: the stored neighbours
  mixed.to_ll = stored.tables().to_ll;
  compare_stages(tiny, Network(tiny.which.network, rule.parameters(), mixed), *stages);
}

TEST(TinyGolden, AttentionInternals) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  GOLDEN_OR_SKIP(attention_file, "model/tiny/attention.safetensors");
  const TinyCase tiny(folder);
  const auto truth = open_tensor_file(attention_file.string());
  std::ptrdiff_t compared = 0;
  NetworkObserver observer;
  observer.attention = [&](const std::string& block, const at::Tensor& q, const at::Tensor& k,
                           const at::Tensor& v, const kernels::AttentionInternals& in,
                           const at::Tensor& gated, const at::Tensor& out) {
    if (!truth->has(block + ".index")) {
      return;
    }
    ++compared;
    EXPECT_TRUE(in.index.equal(entry(*truth, block + ".index"))) << block;
    for (const auto& [name, ours] :
         std::map<std::string, at::Tensor>{{"q_rope", q},
                                           {"k_rope", k},
                                           {"v", v},
                                           {"local", in.local},
                                           {"compressed_blocks", in.compressed_blocks},
                                           {"selected", in.selected},
                                           {"gates", in.gates},
                                           {"score", in.score},
                                           {"gated", gated},
                                           {"out", out}}) {
      expect_close(ours, entry(*truth, block + "." + name), stage_limit, block + "." + name);
    }
  };
  const at::NoGradGuard no_gradients;
  tiny.network(tiny.which.network, true, folder).forward(tiny.features, tiny.noise(0), &observer);
  EXPECT_EQ(compared, std::ranges::count_if(truth->tensors(),
                                            [](const auto& item) { return item.first.ends_with(".index"); }));
  EXPECT_GT(compared, 0);
}

NetworkConfig ablation(NetworkConfig config, const std::string& name) {
  if (name == "local_only") config.attention = AttentionKind::local_only;
  if (name == "no_compressed") config.attention = AttentionKind::no_compressed;
  if (name == "dense") config.attention = AttentionKind::dense;
  if (name == "deterministic") config.noise = NoiseKind::none;
  if (name == "no_selected") {
    for (StageConfig& stage : config.stages) stage.selected_blocks = 0;
    config.bottleneck.selected_blocks = 0;
  }
  return config;
}

TEST(TinyGolden, Ablations) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  GOLDEN_OR_SKIP(ablations_file, "model/tiny/ablations.safetensors");
  const TinyCase tiny(folder);
  const auto truth = open_tensor_file(ablations_file.string());
  const at::NoGradGuard no_gradients;
  for (const auto& [name, view] : truth->tensors()) {
    const Network network = tiny.network(ablation(tiny.which.network, name), true, folder);
    expect_close(network.forward(tiny.features, tiny.noise(0)), entry(*truth, name)[0], stage_limit, name);
  }
}

TEST(TinyGolden, WrongNoiseIsSeen) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  GOLDEN_OR_SKIP(stages_file, "model/tiny/stages.safetensors");
  const TinyCase tiny(folder);
  const auto stages = open_tensor_file(stages_file.string());
  const at::NoGradGuard no_gradients;
  const at::Tensor output =
      tiny.network(tiny.which.network, true, folder).forward(tiny.features, tiny.noise(1));
  EXPECT_GT(deviation(output, entry(*stages, "output")[0]).max, 100 * stage_limit);
}

TEST(TinyGolden, EveryGradient) {
  GOLDEN_OR_SKIP(folder, "model/tiny");
  GOLDEN_OR_SKIP(gradients_file, "model/tiny/gradients.safetensors");
  const TinyCase tiny(folder);
  const auto truth = open_tensor_file(gradients_file.string());
  const Network network = tiny.network(tiny.which.network, true, folder);
  const at::Tensor target = entry(*tiny.inputs, "target_norm").reshape({-1, tiny.which.network.channels});
  const at::Tensor loss =
      loss_with_gradients(network, tiny.which, tiny.features, entry(*tiny.inputs, "e")[0], target);
  EXPECT_NEAR(loss.item().toDouble(), std::stod(truth->metadata().at("loss")), 1e-6);
  for (const auto& [name, parameter] : network.parameters()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    const auto stride = entry(*truth, name + ".stride").item().toLong();
    const at::Tensor flat = parameter.grad().reshape({-1});
    expect_close(flat.slice(0, 0, flat.numel(), stride), entry(*truth, name), gradient_limit, name);
  }
}

}  // namespace
}  // namespace mosaic::test
