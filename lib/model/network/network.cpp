#include "model/network/network.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "kernels/grid_interpolation/grid_interpolation_torch.hpp"
#include "kernels/member_projection/member_projection_torch.hpp"
#include "kernels/operation_record.hpp"

namespace mosaic {

namespace {

using at::Tensor;
using kernels::OperationScope;

constexpr double norm_epsilon = 0x1p-23;
/// The hidden layer of this many rows is alive at a time: 100 MB instead of 1.2 GB at full size.
constexpr std::int64_t feed_forward_rows = 4096;

Tensor rms_norm(const Tensor& x) {
  const OperationScope scope("norms", 0);
  return x * (x.square().mean(-1, /*keepdim=*/true) + norm_epsilon).rsqrt();
}

/// Rotates the channel pairs (2m, 2m + 1) of every head by angle m. x [N, heads, D], tables [N, D / 2].
Tensor rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const OperationScope scope("rotary embedding", 0);
  const Tensor pairs = x.view({x.size(0), x.size(1), x.size(2) / 2, 2});
  const Tensor a = pairs.select(-1, 0), b = pairs.select(-1, 1);
  const Tensor c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  return at::stack({a * c - b * s, b * c + a * s}, -1).view(x.sizes());
}

kernels::BlockSparsePattern pattern_of(const NetworkConfig& config, const StageConfig& stage,
                                       std::size_t block) {
  kernels::BlockSparsePattern pattern{stage.block_attn_size, stage.sparse_block_size, stage.selected_blocks,
                                      kernels::AttentionBranches::all};
  if (config.attention == AttentionKind::dense) {
    pattern.local_block = std::int64_t{12} * stage.nside * stage.nside;
  }
  if (!config.has_gates(block)) {
    pattern.branches = kernels::AttentionBranches::local_only;
  } else if (config.attention == AttentionKind::no_compressed) {
    pattern.branches = kernels::AttentionBranches::no_compressed;
  }
  return pattern;
}

}  // namespace

struct Network::Step {
  Tensor z;  // the member's noise vector, undefined without noise
  const NetworkObserver* observer = nullptr;

  Tensor seen(const std::string& name, const Tensor& output) const {
    if (observer != nullptr && observer->stage) {
      observer->stage(name, output);
    }
    return output;
  }
};

Network::Network(const NetworkConfig& config, Parameters parameters, NetworkTables tables)
    : config_(config), parameters_(std::move(parameters)), tables_(std::move(tables)) {
  check_network(config_);
  for (const auto& [name, shape] : parameter_shapes(config_)) {
    const auto found = parameters_.find(name);
    require(found != parameters_.end() && found->second.sizes() == at::IntArrayRef(shape),
            "network: parameter {} is absent or misshapen", name);
  }
}

Tensor Network::linear(const std::string& name, const Tensor& x, const char* operation) const {
  const Tensor& weight = parameters_.at("model." + name + ".weight");
  const OperationScope scope(operation,
                             2.0 * static_cast<double>(x.numel()) * static_cast<double>(weight.size(0)));
  return at::linear(x, weight);
}

Tensor Network::forward(const Tensor& features, const Tensor& noise, const NetworkObserver* observer) const {
  Step step{Tensor(), observer};
  if (config_.noise == NoiseKind::per_step) {
    step.z = kernels::member_projection(parameters_.at("model.noise_generator.to_noise.weight"), noise);
  }
  Tensor x = at::silu(rms_norm(linear("preprocess.0", features, "linear, other")));
  x = step.seen("preprocess", rms_norm(linear("preprocess.3", x, "linear, other")));
  x = step.seen("interp_to_hp", interpolate("interp_to_hp", tables_.to_hp, x));
  const std::size_t count = config_.stages.size();
  std::vector<Tensor> skips;
  for (std::size_t s = 0; s < count; ++s) {
    x = stage(fmt::format("encoder_stages.{}", s), s, config_.stages[s].encoder_depth, std::move(x), step);
    skips.push_back(x);
    x = step.seen(fmt::format("downsample_layers.{}", s), downsample(s, x));
  }
  x = stage("bottleneck", count, config_.bottleneck.encoder_depth, std::move(x), step);
  for (std::size_t up = 0; up < count; ++up) {
    const std::size_t s = count - 1 - up;
    x = step.seen(fmt::format("upsample_layers.{}", up), upsample(s, x, skips[s]));
    skips[s].reset();
    x = stage(fmt::format("decoder_stages.{}", up), s, config_.stages[s].decoder_depth, std::move(x), step);
  }
  x = step.seen("norm_before_interp_ll", rms_norm(x));
  x = step.seen("interp_to_ll", interpolate("interp_to_ll", tables_.to_ll, x));
  x = at::silu(linear("postprocess.1", rms_norm(x), "linear, other"));
  return step.seen("postprocess", linear("postprocess.3", x, "linear, other"));
}

Tensor Network::stage(const std::string& part, std::size_t level, int depth, Tensor x,
                      const Step& step) const {
  for (int i = 0; i < depth; ++i) {
    const std::string block = fmt::format("{}.blocks.{}", part, i);
    x = x + attention(block, level, static_cast<std::size_t>(i), rms_norm(x), step);
    x = x + feed_forward(block, rms_norm(x), step);
    step.seen(block, x);
  }
  return x;
}

Tensor Network::attention(const std::string& block, std::size_t level, std::size_t index, Tensor x,
                          const Step& step) const {
  const StageConfig& stage = config_.level(level);
  const std::string prefix = block + ".attention.";
  const std::int64_t tokens = x.size(0), width = config_.head_width, kv_heads = stage.heads / config_.group;
  const char* operation = "linear, attention";
  const Tensor &cosine = tables_.cosine[level], &sine = tables_.sine[level];
  Tensor q = rotate(linear(prefix + "to_q", x, operation).view({tokens, stage.heads, width}), cosine, sine);
  Tensor k = rotate(linear(prefix + "to_k", x, operation).view({tokens, kv_heads, width}), cosine, sine);
  Tensor v = linear(prefix + "to_v", x, operation).view({tokens, kv_heads, width});
  Tensor gate_logits;
  if (config_.has_gates(index)) {
    gate_logits = linear(prefix + "to_strategy_combine_mlp", x, operation).view({tokens, stage.heads, 3});
  }
  x.reset();  // neither this nor q, k, v are kept alive beyond their use: each is 150 MB at full size
  const auto pattern = pattern_of(config_, stage, index);
  if (step.observer == nullptr || !step.observer->attention) {
    const Tensor gated = kernels::block_sparse_attention(std::move(q), std::move(k), std::move(v),
                                                         gate_logits, pattern, kernels::Backend::cpu);
    return linear(prefix + "to_o", gated.view({tokens, stage.width}), operation);
  }
  kernels::AttentionInternals internals;
  const Tensor gated =
      kernels::block_sparse_attention(q, k, v, gate_logits, pattern, kernels::Backend::cpu, &internals);
  const Tensor out = linear(prefix + "to_o", gated.view({tokens, stage.width}), operation);
  step.observer->attention(block, q, k, v, internals, gated, out);
  return out;
}

Tensor Network::feed_forward(const std::string& block, const Tensor& x, const Step& step) const {
  Tensor shift;
  if (step.z.defined()) {
    shift = kernels::member_projection(parameters_.at("model." + block + ".ffn.noise_bias.weight"), step.z);
  }
  std::vector<Tensor> parts;
  for (std::int64_t first = 0; first < x.size(0); first += feed_forward_rows) {
    const Tensor rows = x.narrow(0, first, std::min(feed_forward_rows, x.size(0) - first));
    const auto halves = linear(block + ".ffn.w13", rows, "linear, feed-forward").chunk(2, -1);
    const Tensor gate = at::silu(shift.defined() ? halves[0] + shift : halves[0]);
    parts.push_back(linear(block + ".ffn.w2", gate * halves[1], "linear, feed-forward"));
  }
  return at::cat(parts);
}

Tensor Network::interpolate(const std::string& part, const InterpolationTable& table, const Tensor& x) const {
  const std::int64_t width = x.size(1), head_width = config_.head_width, heads = width / head_width;
  const Tensor n = rms_norm(x);
  const Tensor& kv = parameters_.at("model." + part + ".to_kv.weight");
  const Tensor wq = parameters_.at("model." + part + ".to_q.weight").view({heads, head_width, 3});
  const Tensor wk = kv.narrow(0, 0, width).view({heads, head_width, width});
  Tensor t, v;
  {
    const auto sources = n.size(0), products = sources * width * (width + 3 * heads) + 3 * width * width;
    const OperationScope scope("linear, other", 2.0 * static_cast<double>(products));
    t = at::linear(n, at::bmm(wq.transpose(1, 2), wk).view({3 * heads, width})).view({-1, heads, 3});
    v = at::linear(n, kv.narrow(0, width, width)).view({-1, heads, head_width});
  }
  const Tensor out =
      kernels::grid_interpolation(t, v, table.rel_pos, table.neighbours, kernels::Backend::cpu);
  return linear(part + ".to_o", out.view({-1, width}), "linear, other");
}

Tensor Network::downsample(std::size_t stage, const Tensor& x) const {
  const std::string layer = fmt::format("downsample_layers.{}.", stage);
  const Tensor children = x.view({x.size(0) / 4, 4 * x.size(1)});
  return rms_norm(linear(layer + "proj_x", children, "linear, other") +
                  linear(layer + "proj_pos", tables_.child_offsets[stage], "linear, other"));
}

Tensor Network::upsample(std::size_t stage, const Tensor& x, const Tensor& skip) const {
  const std::string layer = fmt::format("upsample_layers.{}.", config_.stages.size() - 1 - stage);
  const Tensor children = linear(layer + "proj_x", x, "linear, other") +
                          linear(layer + "proj_pos", tables_.child_offsets[stage], "linear, other");
  return rms_norm(children.view(skip.sizes()) + skip);
}

}  // namespace mosaic
