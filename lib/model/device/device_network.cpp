#include "model/device/device_network.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "kernels/grid_interpolation/grid_interpolation_device.hpp"
#include "kernels/member_projection/member_projection_device.hpp"
#include "kernels/row_norm/row_norm_device.hpp"
#include "kernels/swiglu/swiglu_device.hpp"

namespace mosaic {

namespace {

using kernels::DeviceMemory;
using kernels::ElementType;
using kernels::Stream;

kernels::BlockSparsePattern pattern_of(const NetworkConfig& config, const StageConfig& stage, bool gates) {
  kernels::BlockSparsePattern pattern{stage.block_attn_size, stage.sparse_block_size, stage.selected_blocks,
                                      kernels::AttentionBranches::all};
  if (config.attention == AttentionKind::dense) {
    pattern.local_block = token_count(stage);
  }
  if (!gates) {
    pattern.branches = kernels::AttentionBranches::local_only;
  } else if (config.attention == AttentionKind::no_compressed) {
    pattern.branches = kernels::AttentionBranches::no_compressed;
  }
  return pattern;
}

/// Tells an observer where an operation of a class begins and ends.
class Operation {
 public:
  Operation(const DeviceObserver* observer, const char* name) : observer_(observer), name_(name) {
    if (observer_ != nullptr && observer_->begin) {
      observer_->begin(name_);
    }
  }
  ~Operation() {
    if (observer_ != nullptr && observer_->end) {
      observer_->end(name_);
    }
  }
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;

 private:
  const DeviceObserver* observer_;
  const char* name_;
};

}  // namespace

struct DeviceNetwork::Pass {
  std::int64_t members;  ///< 1 while they are the same
  const Stream& stream;
  const DeviceObserver* observer;

  void seen(const std::string& name, const DeviceMemory& memory) const {
    if (observer != nullptr && observer->stage) {
      observer->stage(name, memory, members);
    }
  }
};

DeviceNetwork::DeviceNetwork(const NetworkConfig& config, const HostNetwork& host,
                             const DeviceOptions& options, std::size_t points, const Stream& stream)
    : config_(config),
      options_(options),
      points_(static_cast<std::int64_t>(points)),
      plan_(device_plan(config, options, points)),
      weights_(load_device_weights(config, host, options.precision, products_, stream)) {
  for (const std::size_t bytes : plan_.streams) {
    streams_.emplace_back(bytes);
  }
  std::transform(plan_.buffers.begin(), plan_.buffers.end(), buffers_.begin(),
                 [](std::size_t bytes) { return DeviceMemory(bytes); });
  for (const BlockPlace& place : block_places(config)) {
    places_.emplace(place.name, place);
  }
}

void DeviceNetwork::product(Pass& pass, const char* operation, std::int64_t rows, const void* x,
                            const DeviceMemory& weight, std::int64_t inputs, std::int64_t outputs,
                            ElementType out_type, void* out, bool accumulate) {
  const Operation scope(pass.observer, operation);
  products_.run({rows, inputs, outputs, options_.precision, x, weight.data(), out_type, out, accumulate},
                pass.stream);
}

void DeviceNetwork::forward(float* y, Members members, const Stream& stream, const DeviceObserver* observer) {
  Pass pass{members == Members::same ? 1 : options_.chunk, stream, observer};
  draw_shifts(pass);
  preprocess(pass);
  interpolate(pass, weights_.to_hp, points_, at(Buffer::narrow).data(), streams_[0].data(),
              options_.stream_type());
  pass.seen("interp_to_hp", streams_[0]);
  const std::size_t count = config_.stages.size();
  for (std::size_t s = 0; s < count; ++s) {
    run_stage(pass, fmt::format("encoder_stages.{}", s), s, config_.stages[s].encoder_depth);
    downsample(pass, s);
  }
  run_stage(pass, "bottleneck", count, config_.bottleneck.encoder_depth);
  for (std::size_t up = 0; up < count; ++up) {
    const std::size_t s = count - 1 - up;
    upsample(pass, s);
    run_stage(pass, fmt::format("decoder_stages.{}", up), s, config_.stages[s].decoder_depth);
  }
  spread_members(pass, 0);  // a network without feed-forward layers
  postprocess(pass, y);
}

/// z and W_noise z of all blocks, for every member.
void DeviceNetwork::draw_shifts(Pass& pass) {
  if (config_.noise == NoiseKind::none) {
    return;
  }
  const Operation scope(pass.observer, "noise");
  const std::int64_t width = config_.noise_width;
  kernels::member_projection({options_.chunk, width, width, weights_.to_noise.as<float>(),
                              noise().as<float>(), at(Buffer::noise_vector).as<float>()},
                             pass.stream);
  kernels::member_projection(
      {options_.chunk, width, static_cast<std::int64_t>(weights_.noise_bias.bytes() / sizeof(float)) / width,
       weights_.noise_bias.as<float>(), at(Buffer::noise_vector).as<float>(), at(Buffer::shift).as<float>()},
      pass.stream);
}

/// Leaves RMSNorm of the preprocessed points, which the interpolation takes, in Buffer::narrow.
void DeviceNetwork::preprocess(Pass& pass) {
  const std::int64_t rows = pass.members * points_, width = config_.stages.front().width;
  const char* linear = "other products";
  product(pass, linear, rows, features().data(), weights_.preprocess_0, feature_columns(config_), width,
          ElementType::float32, at(Buffer::wide).data());
  kernels::RowNormArgs norm;
  norm.rows = rows;
  norm.width = width;
  norm.x = at(Buffer::wide).data();
  norm.activation = kernels::Activation::silu;
  norm.out_type = options_.precision;
  norm.out = at(Buffer::narrow).data();
  {
    const Operation scope(pass.observer, "norms");
    kernels::row_norm(norm, pass.stream);
  }
  product(pass, linear, rows, at(Buffer::narrow).data(), weights_.preprocess_3, width, width,
          ElementType::float32, at(Buffer::wide).data());
  norm.activation = kernels::Activation::none;
  norm.norms = 2;  // its own and the interpolation's
  const Operation scope(pass.observer, "norms");
  kernels::row_norm(norm, pass.stream);
}

/// x [members, sources, W] normalised, of the operand type, may lie in Buffer::narrow.
void DeviceNetwork::interpolate(Pass& pass, const DeviceInterpolation& weights, std::int64_t sources,
                                const void* x, void* out, ElementType out_type) {
  const std::int64_t width = config_.stages.front().width, columns = interpolation_columns(config_);
  const char* linear = "other products";
  product(pass, linear, pass.members * sources, x, weights.t, width, columns, ElementType::float32,
          at(Buffer::interpolation).data());
  product(pass, linear, pass.members * sources, x, weights.values, width, width, options_.precision,
          at(Buffer::values).data());
  {
    const Operation scope(pass.observer, "interpolation");
    kernels::DeviceInterpolationArgs args;
    args.members = pass.members;
    args.sources = sources;
    args.targets = weights.targets;
    args.neighbours = config_.neighbours;
    args.heads = width / config_.head_width;
    args.t = at(Buffer::interpolation).as<float>();
    args.t_stride = columns;
    args.type = options_.precision;
    args.v = at(Buffer::values).data();
    args.rel_pos = weights.rel_pos.as<float>();
    args.index = weights.neighbours.as<std::int32_t>();
    args.out = at(Buffer::narrow).data();
    kernels::grid_interpolation(args, pass.stream);
  }
  product(pass, linear, pass.members * weights.targets, at(Buffer::narrow).data(), weights.out, width, width,
          out_type, out);
}

void DeviceNetwork::run_stage(Pass& pass, const std::string& part, std::size_t level, int depth) {
  for (int i = 0; i < depth; ++i) {
    const BlockPlace& place = places_.at(fmt::format("{}.blocks.{}", part, i));
    attention(pass, place);
    spread_members(pass, level);
    feed_forward(pass, place);
    pass.seen(place.name, streams_[level]);
  }
}

/// From one member to all of them, where they were the same so far: the stream of this level, and those of
/// the finer ones, which upsampling adds.
void DeviceNetwork::spread_members(Pass& pass, std::size_t level) {
  if (pass.members == options_.chunk) {
    return;
  }
  for (std::size_t i = 0; i <= level; ++i) {
    const std::size_t bytes = streams_[i].bytes() / static_cast<std::size_t>(options_.chunk);
    for (int member = 1; member < options_.chunk; ++member) {
      kernels::copy_on_device(streams_[i].as<std::byte>() + static_cast<std::size_t>(member) * bytes,
                              streams_[i].data(), bytes, pass.stream);
    }
  }
  pass.members = options_.chunk;
}

/// The stream of a level as operand of a product: itself where norms are folded (or none is asked for and the
/// types agree).
const void* DeviceNetwork::operand_of(Pass& pass, std::size_t level, int norms) {
  if (options_.folds_norms()) {
    return streams_[level].data();
  }
  const Operation scope(pass.observer, "norms");
  const StageConfig& stage = config_.level(level);
  kernels::RowNormArgs args;
  args.rows = pass.members * token_count(stage);
  args.width = stage.width;
  args.in_type = options_.stream_type();
  args.x = streams_[level].data();
  args.norms = norms;
  args.out_type = options_.precision;
  args.out = at(Buffer::operand).data();
  kernels::row_norm(args, pass.stream);
  return args.out;
}

/// Row factors of the stream for products of the stream itself; null where operand_of has normalised.
const float* DeviceNetwork::factors_of(Pass& pass, std::size_t level) {
  if (!options_.folds_norms()) {
    return nullptr;
  }
  const Operation scope(pass.observer, "norms");
  const StageConfig& stage = config_.level(level);
  float* factor = at(Buffer::factor).as<float>();
  kernels::row_factors({pass.members * token_count(stage), stage.width, options_.stream_type(),
                        streams_[level].data(), factor},
                       pass.stream);
  return factor;
}

void DeviceNetwork::attention(Pass& pass, const BlockPlace& place) {
  const StageConfig& stage = config_.level(place.level);
  const DeviceBlock& weights = weights_.blocks.at(place.name);
  const std::int64_t tokens = token_count(stage), rows = pass.members * tokens,
                     columns = qkv_columns(config_, stage, place.gates);
  const kernels::DeviceAttentionShape shape{
      pass.members, tokens, stage.heads / config_.group,
      kernels::checked_pattern(pattern_of(config_, stage, place.gates), tokens, stage.heads,
                               stage.heads / config_.group)};
  const void* x = operand_of(pass, place.level, 1);
  const float* factor = factors_of(pass, place.level);
  product(pass, "qkv and output products", rows, x, weights.qkv, stage.width, columns, ElementType::float32,
          at(Buffer::product).data());
  {
    const Operation scope(pass.observer, "attention inputs");
    kernels::AttentionInputsArgs args;
    args.shape = shape;
    args.product = at(Buffer::product).data();
    args.product_stride = columns;
    args.row_factor = factor;
    args.cosine = weights_.cosine[place.level].as<float>();
    args.sine = weights_.sine[place.level].as<float>();
    args.type = options_.precision;
    args.q = at(Buffer::q).data();
    args.k = at(Buffer::k).data();
    args.v = at(Buffer::v).data();
    if (place.gates) {
      args.q_mean = at(Buffer::q_mean).as<float>();
      args.k_mean = at(Buffer::k_mean).as<float>();
      args.v_mean = at(Buffer::v_mean).as<float>();
      args.gates = at(Buffer::gates).as<float>();
    }
    kernels::attention_inputs(args, pass.stream);
  }
  {
    const Operation scope(pass.observer, "selection");
    kernels::BlockSelectionArgs args;
    args.shape = shape;
    args.q_mean = at(Buffer::q_mean).as<float>();
    args.k_mean = at(Buffer::k_mean).as<float>();
    args.v_mean = at(Buffer::v_mean).as<float>();
    if (pass.observer != nullptr && pass.observer->selection && shape.selects()) {
      args.given = pass.observer->selection(place.name);
    }
    args.lists = at(Buffer::lists).as<std::int32_t>();
    args.counts = at(Buffer::counts).as<std::int32_t>();
    args.compressed = at(Buffer::compressed).as<float>();
    kernels::select_blocks(args, pass.stream);
  }
  {
    const Operation scope(pass.observer, "attention");
    kernels::AttendArgs args;
    args.shape = shape;
    args.type = options_.precision;
    args.q = at(Buffer::q).data();
    args.k = at(Buffer::k).data();
    args.v = at(Buffer::v).data();
    args.lists = at(Buffer::lists).as<std::int32_t>();
    args.counts = at(Buffer::counts).as<std::int32_t>();
    args.gates = at(Buffer::gates).as<float>();
    args.compressed = at(Buffer::compressed).as<float>();
    args.out = at(Buffer::attended).data();
    args.tile_counter = at(Buffer::tile_counter).as<std::int32_t>();
    kernels::attend(args, kernels::AttendBody::automatic, pass.stream);
  }
  product(pass, "qkv and output products", rows, at(Buffer::attended).data(), weights.out, stage.width,
          stage.width, options_.stream_type(), streams_[place.level].data(), true);
}

void DeviceNetwork::feed_forward(Pass& pass, const BlockPlace& place) {
  const StageConfig& stage = config_.level(place.level);
  const DeviceBlock& weights = weights_.blocks.at(place.name);
  const std::int64_t tokens = token_count(stage), hidden = std::int64_t{config_.mlp_ratio} * stage.width;
  const void* x = operand_of(pass, place.level, 1);
  const float* factor = factors_of(pass, place.level);
  {
    const Operation scope(pass.observer, "W13 and SwiGLU");
    kernels::SwigluArgs args;
    args.members = pass.members;
    args.tokens = tokens;
    args.width = stage.width;
    args.hidden = hidden;
    args.type = options_.precision;
    args.x = x;
    args.row_factor = factor;
    args.weight = weights.hidden.data();
    if (config_.noise == NoiseKind::per_step) {
      args.shift = at(Buffer::shift).as<float>() + place.shift;
      args.shift_stride =
          static_cast<std::int64_t>(weights_.noise_bias.bytes() / sizeof(float)) / config_.noise_width;
    }
    args.hidden_out = at(Buffer::hidden).data();
    kernels::swiglu(args, kernels::SwigluBody::automatic, pass.stream);
  }
  product(pass, "W2", pass.members * tokens, at(Buffer::hidden).data(), weights.back, hidden, stage.width,
          options_.stream_type(), streams_[place.level].data(), true);
}

void DeviceNetwork::downsample(Pass& pass, std::size_t s) {
  const StageConfig &fine = config_.level(s), &coarse = config_.level(s + 1);
  const std::int64_t parents = token_count(coarse);
  product(pass, "other products", pass.members * parents, operand_of(pass, s, 0), weights_.changes[s].down,
          std::int64_t{4} * fine.width, coarse.width, ElementType::float32, at(Buffer::product).data());
  const Operation scope(pass.observer, "norms");
  kernels::RowNormArgs args;
  args.rows = pass.members * parents;
  args.width = coarse.width;
  args.x = at(Buffer::product).data();
  args.position = weights_.changes[s].down_position.as<float>();
  args.period = parents;
  args.out_type = options_.stream_type();
  args.out = streams_[s + 1].data();
  kernels::row_norm(args, pass.stream);
  pass.seen(fmt::format("downsample_layers.{}", s), streams_[s + 1]);
}

void DeviceNetwork::upsample(Pass& pass, std::size_t s) {
  const StageConfig &fine = config_.level(s), &coarse = config_.level(s + 1);
  const std::int64_t parents = token_count(coarse);
  product(pass, "other products", pass.members * parents, operand_of(pass, s + 1, 0), weights_.changes[s].up,
          coarse.width, std::int64_t{4} * fine.width, ElementType::float32, at(Buffer::product).data());
  const Operation scope(pass.observer, "norms");
  kernels::RowNormArgs args;
  args.rows = pass.members * 4 * parents;
  args.width = fine.width;
  args.x = at(Buffer::product).data();
  args.position = weights_.changes[s].up_position.as<float>();
  args.period = 4 * parents;
  args.skip_type = options_.stream_type();
  args.skip = streams_[s].data();
  args.out_type = options_.stream_type();
  args.out = streams_[s].data();
  kernels::row_norm(args, pass.stream);
  pass.seen(fmt::format("upsample_layers.{}", config_.stages.size() - 1 - s), streams_[s]);
}

void DeviceNetwork::postprocess(Pass& pass, float* y) {
  const StageConfig& finest = config_.stages.front();
  const std::int64_t width = finest.width, rows = pass.members * points_;
  kernels::RowNormArgs norm;
  norm.rows = pass.members * token_count(finest);
  norm.width = width;
  norm.in_type = options_.stream_type();
  norm.x = streams_[0].data();
  norm.norms = 2;  // the last one and the interpolation's
  norm.out_type = options_.precision;
  norm.out = at(Buffer::narrow).data();
  {
    const Operation scope(pass.observer, "norms");
    kernels::row_norm(norm, pass.stream);
  }
  interpolate(pass, weights_.to_ll, token_count(finest), at(Buffer::narrow).data(), at(Buffer::wide).data(),
              ElementType::float32);
  norm.rows = rows;
  norm.in_type = ElementType::float32;
  norm.x = at(Buffer::wide).data();
  norm.norms = 1;
  {
    const Operation scope(pass.observer, "norms");
    kernels::row_norm(norm, pass.stream);
  }
  product(pass, "other products", rows, at(Buffer::narrow).data(), weights_.postprocess_1, width, width,
          ElementType::float32, at(Buffer::wide).data());
  norm.norms = 0;
  norm.activation = kernels::Activation::silu;
  {
    const Operation scope(pass.observer, "norms");
    kernels::row_norm(norm, pass.stream);
  }
  product(pass, "other products", rows, at(Buffer::narrow).data(), weights_.postprocess_3, width,
          output_columns(config_), ElementType::float32, y);
}

}  // namespace mosaic
