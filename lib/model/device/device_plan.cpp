#include "model/device/device_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"

namespace mosaic {

namespace {

using kernels::ElementType;

void require_kernels(const NetworkConfig& config) {
  std::vector<std::string> problems;
  const auto expect = [&](bool ok, const std::string& text) {
    if (!ok) {
      problems.push_back(text);
    }
  };
  expect(config.head_width == kernels::device_head_width,
         fmt::format("head_width {} (the GPU's is {})", config.head_width, kernels::device_head_width));
  expect(config.group == kernels::device_group,
         fmt::format("{} query heads for a key/value head ({})", config.group, kernels::device_group));
  for (std::size_t level = 0; level < config.levels(); ++level) {
    const StageConfig& stage = config.level(level);
    expect(stage.sparse_block_size == kernels::device_block,
           fmt::format("sparse_block_size {} at nside {} ({})", stage.sparse_block_size, stage.nside,
                       kernels::device_block));
    expect(stage.block_attn_size % kernels::device_block == 0,
           fmt::format("block_attn_size {} at nside {} (a multiple of {})", stage.block_attn_size,
                       stage.nside, kernels::device_block));
  }
  require(problems.empty(), ExitCode::bad_configuration,
          "this network has no GPU kernels: {}; run it with model.device: cpu", fmt::join(problems, "; "));
}

}  // namespace

kernels::ElementType element_type(Precision precision) {
  return precision == Precision::float32   ? ElementType::float32
         : precision == Precision::float16 ? ElementType::float16
                                           : ElementType::bfloat16;
}

std::int64_t token_count(const StageConfig& stage) { return std::int64_t{12} * stage.nside * stage.nside; }

std::int64_t feature_columns(const NetworkConfig& config) { return padded(config.features(), 64); }

std::int64_t output_columns(const NetworkConfig& config) { return padded(config.channels, 8); }

std::int64_t qkv_columns(const NetworkConfig& config, const StageConfig& stage, bool gates) {
  const std::int64_t width = stage.width, kv_width = width / config.group;
  return padded(width + 2 * kv_width + (gates ? 3 * stage.heads : 0), 8);
}

std::int64_t interpolation_columns(const NetworkConfig& config) {
  return padded(std::int64_t{3} * config.stages.front().width / config.head_width, 8);
}

std::vector<BlockPlace> block_places(const NetworkConfig& config) {
  std::vector<BlockPlace> places;
  std::int64_t shift = 0;
  const auto add = [&](const std::string& part, std::size_t level, int depth) {
    for (int i = 0; i < depth; ++i) {
      places.push_back({fmt::format("{}.blocks.{}", part, i), level,
                        config.has_gates(static_cast<std::size_t>(i)), shift});
      shift += std::int64_t{config.mlp_ratio} * config.level(level).width;
    }
  };
  const std::size_t count = config.stages.size();
  for (std::size_t s = 0; s < count; ++s) {
    add(fmt::format("encoder_stages.{}", s), s, config.stages[s].encoder_depth);
  }
  add("bottleneck", count, config.bottleneck.encoder_depth);
  for (std::size_t up = 0; up < count; ++up) {
    add(fmt::format("decoder_stages.{}", up), count - 1 - up, config.stages[count - 1 - up].decoder_depth);
  }
  return places;
}

std::size_t DevicePlan::total() const {
  return std::accumulate(streams.begin(), streams.end(), std::size_t(0)) +
         std::accumulate(buffers.begin(), buffers.end(), std::size_t(0)) + weights + states;
}

namespace {

/// Position terms of down- and upsampling, rotary tables, neighbours with relative positions, static columns.
std::size_t table_bytes(const NetworkConfig& config, std::int64_t points) {
  std::int64_t numbers = points * 6;
  for (std::size_t level = 0; level < config.levels(); ++level) {
    const StageConfig& stage = config.level(level);
    numbers += token_count(stage) * config.head_width;  // cosines and sines of half the channels
    if (level > 0) {
      const StageConfig& finer = config.level(level - 1);
      numbers += token_count(stage) * stage.width + token_count(finer) * finer.width;
    }
  }
  numbers += (points + token_count(config.stages.front())) * config.neighbours * 4;
  return static_cast<std::size_t>(numbers) * sizeof(float);
}

}  // namespace

DevicePlan device_plan(const NetworkConfig& config, const DeviceOptions& options, std::size_t points) {
  require_kernels(config);
  require(options.chunk >= 1, ExitCode::bad_configuration, "chunk: {} is less than 1", options.chunk);
  DevicePlan plan;
  const auto grow = [&](Buffer buffer, std::int64_t numbers_of_member, std::size_t bytes) {
    std::size_t& size = plan.buffers[static_cast<std::size_t>(buffer)];
    size = std::max(size, static_cast<std::size_t>(numbers_of_member * options.chunk) * bytes);
  };
  const std::size_t operand = size_of(options.precision), word = 4;
  const std::int64_t width = config.head_width;
  for (std::size_t level = 0; level < config.levels(); ++level) {
    const StageConfig& stage = config.level(level);
    const std::int64_t n = token_count(stage), blocks = n / kernels::device_block,
                       kv_heads = stage.heads / config.group;
    plan.streams.push_back(static_cast<std::size_t>(n * stage.width * options.chunk) *
                           size_of(options.stream_type()));
    if (!options.folds_norms()) {
      grow(Buffer::operand, n * stage.width, operand);
    }
    grow(Buffer::factor, n, word);
    grow(Buffer::product, n * qkv_columns(config, stage, true), word);
    grow(Buffer::q, n * stage.width, operand);
    grow(Buffer::k, n * kv_heads * width, operand);
    grow(Buffer::v, n * kv_heads * width, operand);
    grow(Buffer::attended, n * stage.width, operand);
    grow(Buffer::gates, n * stage.heads * 3, word);
    grow(Buffer::q_mean, blocks * stage.heads * width, word);
    grow(Buffer::k_mean, blocks * kv_heads * width, word);
    grow(Buffer::v_mean, blocks * kv_heads * width, word);
    grow(Buffer::compressed, blocks * stage.heads * width, word);
    const std::int64_t run =
        config.attention == AttentionKind::dense ? blocks : stage.block_attn_size / kernels::device_block;
    grow(Buffer::lists, blocks * kv_heads * (run + stage.selected_blocks), word);
    grow(Buffer::counts, blocks * kv_heads * 4, word);
    grow(Buffer::hidden, n * config.mlp_ratio * stage.width, operand);
    if (level > 0) {
      grow(Buffer::product, token_count(config.level(level - 1)) * config.level(level - 1).width, word);
    }
  }
  const std::int64_t p = static_cast<std::int64_t>(points), finest = token_count(config.stages.front()),
                     either = std::max(p, finest), channels = config.stages.front().width;
  plan.buffers[static_cast<std::size_t>(Buffer::tile_counter)] = 256;
  grow(Buffer::features, p * feature_columns(config), operand);
  grow(Buffer::wide, p * channels, word);
  grow(Buffer::narrow, either * channels, operand);
  grow(Buffer::interpolation, either * interpolation_columns(config), word);
  grow(Buffer::values, either * channels, operand);
  grow(Buffer::noise, config.noise_width, word);
  grow(Buffer::noise_vector, config.noise_width, word);
  const auto places = block_places(config);
  if (!places.empty()) {
    grow(Buffer::shift, places.back().shift + config.mlp_ratio * config.level(places.back().level).width,
         word);
  }
  plan.states = member_bytes(config, points, options.chunk + options.resident_members) +
                static_cast<std::size_t>(options.chunk) * points *
                    static_cast<std::size_t>(output_columns(config)) * word;
  plan.weights = static_cast<std::size_t>(parameter_count(config)) * operand + table_bytes(config, p);
  return plan;
}

std::size_t member_bytes(const NetworkConfig& config, std::size_t points, int members) {
  return static_cast<std::size_t>(members) *
         static_cast<std::size_t>((config.history + 1) * config.channels) * points * sizeof(float);
}

int chunk_that_fits(const NetworkConfig& config, DeviceOptions options, std::size_t points, int members,
                    std::size_t memory) {
  for (options.chunk = members; options.chunk > 1; --options.chunk) {
    if (device_plan(config, options, points).total() <= memory) {
      return options.chunk;
    }
  }
  const std::size_t least = device_plan(config, options, points).total();
  const std::string kept =
      options.resident_members == 0
          ? ""
          : fmt::format(" ({} MB of them for the {} members that stay there: more GPUs share them)",
                        member_bytes(config, points, options.resident_members) / 1'000'000,
                        options.resident_members);
  require(least <= memory, ExitCode::bad_configuration,
          "GPU: one member at once needs {} MB{}, {} MB are free: take another GPU or model.device: cpu",
          least / 1'000'000, kept, memory / 1'000'000);
  return 1;
}

}  // namespace mosaic
