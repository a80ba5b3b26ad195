#include "model/network/network.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
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
/// Rows of a product at a time: of the hidden layer 100 MB are alive instead of 1.2 GB at full size.
constexpr std::int64_t product_rows = 4096;
/// Rows between two products at a time: their intermediate results stay in the caches.
constexpr std::int64_t cached_rows = 256;

/// Collects results that come in runs of rows. Without gradients they go straight to their place.
class RowCollector {
 public:
  RowCollector(std::int64_t rows, at::ScalarType type) : rows_(rows), type_(type) {}

  void add(const Tensor& part) {
    if (at::GradMode::is_enabled()) {
      parts_.push_back(part.to(type_));
      return;
    }
    if (!all_.defined()) {
      std::vector<std::int64_t> shape = part.sizes().vec();
      shape[0] = rows_;
      all_ = at::empty(shape, part.options().dtype(type_));
    }
    all_.narrow(0, filled_, part.size(0)).copy_(part);
    filled_ += part.size(0);
  }

  Tensor take() { return parts_.empty() ? std::move(all_) : at::cat(parts_); }

 private:
  std::int64_t rows_, filled_ = 0;
  at::ScalarType type_;
  Tensor all_;
  std::vector<Tensor> parts_;
};

/// Calls f(first, count) for runs of `length` of `rows` rows; with gradients for all at once, because the
/// gradient of a run is as large as that of the whole.
template <class F>
void for_runs(std::int64_t rows, std::int64_t length, const F& f) {
  length = at::GradMode::is_enabled() ? rows : length;
  for (std::int64_t first = 0; first < rows; first += length) {
    f(first, std::min(length, rows - first));
  }
}

/// f, which works on each row of its own, for all rows of x, as `type`.
template <class F>
Tensor row_by_row(const Tensor& x, at::ScalarType type, const F& f) {
  RowCollector all(x.size(0), type);
  for_runs(x.size(0), cached_rows, [&](auto first, auto count) { all.add(f(x.narrow(0, first, count))); });
  return all.take();
}

/// Statistics and product at least in float32.
Tensor rms_norm(const Tensor& x) {
  const OperationScope scope("norms", 0);
  const Tensor wide = x.scalar_type() == at::kBFloat16 ? x.to(at::kFloat) : x;
  return (wide * (wide.square().mean(-1, /*keepdim=*/true) + norm_epsilon).rsqrt()).to(x.scalar_type());
}

/// Rotates the channel pairs (2m, 2m + 1) of every head by angle m. x [N, heads, D], tables [N, D / 2].
Tensor rotate(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const OperationScope scope("rotary embedding", 0);
  const Tensor pairs = x.view({x.size(0), x.size(1), x.size(2) / 2, 2});
  const Tensor a = pairs.select(-1, 0), b = pairs.select(-1, 1);
  const Tensor c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  return at::stack({a * c - b * s, b * c + a * s}, -1).view(x.sizes()).to(x.scalar_type());
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
  operand_ = parameters_.at("model.preprocess.0.weight").scalar_type();
  stream_ = parameters_.at("model.postprocess.3.weight").scalar_type();
}

Tensor Network::product(const std::string& name, const Tensor& x, const char* operation) const {
  const Tensor& weight = parameters_.at("model." + name + ".weight");
  const OperationScope scope(operation,
                             2.0 * static_cast<double>(x.numel()) * static_cast<double>(weight.size(0)));
  return at::linear(x.to(weight.scalar_type()), weight);
}

Tensor Network::linear(const std::string& name, const Tensor& x, const char* operation) const {
  return product(name, x, operation).to(stream_);
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
    x = attention(block, level, static_cast<std::size_t>(i), x, step);
    x = feed_forward(block, x, step);
    step.seen(block, x);
  }
  return x;
}

Tensor Network::attention(const std::string& block, std::size_t level, std::size_t index, const Tensor& x,
                          const Step& step) const {
  const StageConfig& stage = config_.level(level);
  const std::string prefix = block + ".attention.";
  const std::int64_t tokens = x.size(0), width = config_.head_width, kv_heads = stage.heads / config_.group;
  const char* operation = "linear, attention";
  const Tensor &cosine = tables_.cosine[level], &sine = tables_.sine[level];
  RowCollector all_q(tokens, stream_), all_k(tokens, stream_), all_v(tokens, stream_),
      all_gates(tokens, stream_);
  for_runs(tokens, product_rows, [&](auto first, auto count) {
    const Tensor n = row_by_row(x.narrow(0, first, count), operand_, rms_norm);
    const auto project = [&](const char* name, std::int64_t heads, std::int64_t each) {
      return product(prefix + name, n, operation).view({count, heads, each});
    };
    const Tensor q = project("to_q", stage.heads, width), k = project("to_k", kv_heads, width);
    for_runs(count, cached_rows, [&](auto run, auto rows) {
      const Tensor c = cosine.narrow(0, first + run, rows), s = sine.narrow(0, first + run, rows);
      all_q.add(rotate(q.narrow(0, run, rows).to(stream_), c, s));
      all_k.add(rotate(k.narrow(0, run, rows).to(stream_), c, s));
    });
    all_v.add(project("to_v", kv_heads, width));
    if (config_.has_gates(index)) {
      all_gates.add(project("to_strategy_combine_mlp", stage.heads, 3));
    }
  });
  Tensor q = all_q.take(), k = all_k.take(), v = all_v.take();
  const Tensor gate_logits = all_gates.take();
  const auto pattern = pattern_of(config_, stage, index);
  kernels::AttentionVariant variant;
  variant.operands = operand_;
  if (step.observer != nullptr && step.observer->selection) {
    variant.index = step.observer->selection(block);
  }
  const bool watched = step.observer != nullptr && step.observer->attention;
  kernels::AttentionInternals internals;
  variant.internals = watched ? &internals : nullptr;
  const Tensor gated =
      kernels::block_sparse_attention(q, watched ? k : std::move(k), watched ? v : std::move(v), gate_logits,
                                      pattern, kernels::Backend::cpu, variant);
  const Tensor rows = gated.view({tokens, stage.width});
  if (watched) {
    step.observer->attention(block, q, k, v, internals, gated, linear(prefix + "to_o", rows, operation));
  }
  return with_product(x, rows, prefix + "to_o", operation);
}

Tensor Network::with_product(const Tensor& x, const Tensor& y, const std::string& name,
                             const char* operation) const {
  RowCollector sums(x.size(0), stream_);
  for_runs(x.size(0), product_rows, [&](auto first, auto count) {
    const Tensor out = product(name, y.narrow(0, first, count), operation);
    for_runs(count, cached_rows, [&](auto run, auto rows) {
      sums.add(x.narrow(0, first + run, rows) + out.narrow(0, run, rows).to(stream_));
    });
  });
  return sums.take();
}

Tensor Network::feed_forward(const std::string& block, const Tensor& x, const Step& step) const {
  Tensor shift;
  if (step.z.defined()) {
    shift = kernels::member_projection(parameters_.at("model." + block + ".ffn.noise_bias.weight"), step.z)
                .to(stream_);
  }
  const auto swiglu = [&](const Tensor& h) {
    const auto halves = h.to(stream_).chunk(2, -1);
    return at::silu(shift.defined() ? halves[0] + shift : halves[0]) * halves[1];
  };
  const char* operation = "linear, feed-forward";
  RowCollector sums(x.size(0), stream_);
  for_runs(x.size(0), product_rows, [&](auto first, auto count) {
    const Tensor rows = x.narrow(0, first, count);
    const Tensor n = row_by_row(rows, operand_, rms_norm);
    const Tensor h = row_by_row(product(block + ".ffn.w13", n, operation), operand_, swiglu);
    sums.add(with_product(rows, h, block + ".ffn.w2", operation));
  });
  return sums.take();
}

Tensor Network::interpolate(const std::string& part, const InterpolationTable& table, const Tensor& x) const {
  const std::int64_t width = x.size(1), head_width = config_.head_width, heads = width / head_width;
  const Tensor n = rms_norm(x);
  const Tensor& kv = parameters_.at("model." + part + ".to_kv.weight");
  const Tensor wq = parameters_.at("model." + part + ".to_q.weight").view({heads, head_width, 3});
  const Tensor wk = kv.narrow(0, 0, width).view({heads, head_width, width}).to(wq.scalar_type());
  Tensor t, v;
  {
    const auto sources = n.size(0), products = sources * width * (width + 3 * heads) + 3 * width * width;
    const OperationScope scope("linear, other", 2.0 * static_cast<double>(products));
    t = at::linear(n, at::bmm(wq.transpose(1, 2), wk).view({3 * heads, width})).view({-1, heads, 3});
    v = at::linear(n.to(kv.scalar_type()), kv.narrow(0, width, width)).view({-1, heads, head_width});
  }
  const at::ScalarType type = table.rel_pos.scalar_type();
  const Tensor out = kernels::grid_interpolation(t.to(type), v.to(type), table.rel_pos, table.neighbours,
                                                 kernels::Backend::cpu);
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
