#include "model/network_config.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace mosaic {

bool NetworkConfig::has_gates(std::size_t block) const {
  const bool local = attention == AttentionKind::local_only || attention == AttentionKind::dense;
  return !local && sparse_every > 0 && static_cast<int>(block) % sparse_every == 0;
}

NetworkConfig published_network(const std::string& preset) {
  require(preset == "era5" || preset == "hres", ExitCode::bad_configuration,
          "unknown preset '{}': there are era5 and hres", preset);
  NetworkConfig config;
  config.stages = {{64, 768, 12, 1024, 128, 24, 4, 2}, {32, 1024, 16, 1024, 128, 12, 4, 2}};
  config.bottleneck = {16, 1280, 20, 1024, 128, 4, 2, 0};
  if (preset == "hres") {
    config.history = 4;
    config.neighbours = 20;
  }
  return config;
}

NetworkConfig demo_network() {
  NetworkConfig config;
  config.head_width = 16;
  config.stages = {{16, 128, 8, 256, 64, 6, 2, 1}, {8, 128, 8, 128, 32, 5, 1, 1}};
  config.bottleneck = {4, 192, 12, 64, 16, 3, 1, 0};
  return config;
}

namespace {

void check_stage(const NetworkConfig& config, const StageConfig& stage, std::vector<std::string>& problems) {
  const std::int64_t tokens = std::int64_t{12} * stage.nside * stage.nside;
  const auto expect = [&](bool ok, const std::string& text) {
    if (!ok) {
      problems.push_back(fmt::format("stage of nside {}: {}", stage.nside, text));
    }
  };
  expect(stage.nside > 0 && (stage.nside & (stage.nside - 1)) == 0, "nside is not a power of two");
  expect(stage.heads * config.head_width == stage.width,
         fmt::format("{} heads of {} are not {} wide", stage.heads, config.head_width, stage.width));
  expect(config.group > 0 && stage.heads % config.group == 0,
         fmt::format("{} heads are not a multiple of the group of {}", stage.heads, config.group));
  expect(stage.block_attn_size > 0 && tokens % stage.block_attn_size == 0,
         fmt::format("block_attn_size {} does not divide {} tokens", stage.block_attn_size, tokens));
  expect(stage.sparse_block_size > 0 && tokens % stage.sparse_block_size == 0,
         fmt::format("sparse_block_size {} does not divide {} tokens", stage.sparse_block_size, tokens));
  expect(
      stage.selected_blocks >= 0 && stage.selected_blocks * std::int64_t{stage.sparse_block_size} <= tokens,
      fmt::format("{} selected blocks of {} exceed {} tokens", stage.selected_blocks, stage.sparse_block_size,
                  tokens));
  expect(stage.encoder_depth >= 0 && stage.decoder_depth >= 0, "negative depth");
}

}  // namespace

void check_network(const NetworkConfig& config) {
  std::vector<std::string> problems;
  if (config.head_width <= 0 || config.head_width % 4 != 0) {
    problems.push_back(fmt::format("head_width {} is not a multiple of 4", config.head_width));
  }
  if (config.stages.empty()) {
    problems.push_back("no stages");
  }
  if (config.channels < 1 || config.history < 1 || config.neighbours < 1 || config.noise_width < 1) {
    problems.push_back("channels, history, neighbours and noise_width must be positive");
  }
  for (std::size_t i = 0; i < config.levels(); ++i) {
    check_stage(config, config.level(i), problems);
    if (i > 0 && config.level(i).nside * 2 != config.level(i - 1).nside) {
      problems.push_back(
          fmt::format("nside {} does not follow {}", config.level(i).nside, config.level(i - 1).nside));
    }
  }
  require(problems.empty(), ExitCode::bad_configuration, "network configuration: {}",
          fmt::join(problems, "; "));
}

namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

void add_block(Shapes& shapes, const NetworkConfig& config, const StageConfig& stage, const std::string& part,
               int index) {
  const std::int64_t w = stage.width, hidden = w * config.mlp_ratio;
  const std::string block = fmt::format("model.{}.blocks.{}.", part, index);
  shapes[block + "attention.to_q.weight"] = {w, w};
  shapes[block + "attention.to_k.weight"] = {w / config.group, w};
  shapes[block + "attention.to_v.weight"] = {w / config.group, w};
  shapes[block + "attention.to_o.weight"] = {w, w};
  if (config.has_gates(static_cast<std::size_t>(index))) {
    shapes[block + "attention.to_strategy_combine_mlp.weight"] = {3 * stage.heads, w};
  }
  shapes[block + "ffn.w13.weight"] = {2 * hidden, w};
  shapes[block + "ffn.w2.weight"] = {w, hidden};
  if (config.noise == NoiseKind::per_step) {
    shapes[block + "ffn.noise_bias.weight"] = {hidden, config.noise_width};
  }
}

void add_interpolation(Shapes& shapes, const std::string& part, std::int64_t width) {
  shapes["model." + part + ".to_q.weight"] = {width, 3};
  shapes["model." + part + ".to_kv.weight"] = {2 * width, width};
  shapes["model." + part + ".to_o.weight"] = {width, width};
}

}  // namespace

std::map<std::string, std::vector<std::int64_t>> parameter_shapes(const NetworkConfig& config) {
  Shapes shapes;
  const std::int64_t width = config.stages.front().width, noise = config.noise_width;
  if (config.noise == NoiseKind::per_step) {
    shapes["model.noise_generator.to_noise.weight"] = {noise, noise};
  }
  shapes["model.preprocess.0.weight"] = {width, config.features()};
  shapes["model.preprocess.3.weight"] = {width, width};
  shapes["model.postprocess.1.weight"] = {width, width};
  shapes["model.postprocess.3.weight"] = {config.channels, width};
  add_interpolation(shapes, "interp_to_hp", width);
  add_interpolation(shapes, "interp_to_ll", width);
  const std::size_t count = config.stages.size();
  for (std::size_t s = 0; s < count; ++s) {
    const StageConfig& stage = config.stages[s];
    const std::int64_t fine = stage.width, coarse = config.level(s + 1).width;
    for (int i = 0; i < stage.encoder_depth; ++i) {
      add_block(shapes, config, stage, fmt::format("encoder_stages.{}", s), i);
    }
    for (int i = 0; i < stage.decoder_depth; ++i) {
      add_block(shapes, config, stage, fmt::format("decoder_stages.{}", count - 1 - s), i);
    }
    const std::string down = fmt::format("model.downsample_layers.{}.", s);
    const std::string up = fmt::format("model.upsample_layers.{}.", count - 1 - s);
    shapes[down + "proj_x.weight"] = {coarse, 4 * fine};
    shapes[down + "proj_pos.weight"] = {coarse, 12};
    shapes[up + "proj_x.weight"] = {4 * fine, coarse};
    shapes[up + "proj_pos.weight"] = {4 * fine, 12};
  }
  for (int i = 0; i < config.bottleneck.encoder_depth; ++i) {
    add_block(shapes, config, config.bottleneck, "bottleneck", i);
  }
  return shapes;
}

std::int64_t parameter_count(const NetworkConfig& config) {
  std::int64_t count = 0;
  for (const auto& [name, shape] : parameter_shapes(config)) {
    count += shape[0] * shape[1];
  }
  return count;
}

std::string describe(const NetworkConfig& config) {
  std::string text = fmt::format(
      "head_width {} group {} mlp {} C {} T {} k {} noise {}/{} every {} kind {}", config.head_width,
      config.group, config.mlp_ratio, config.channels, config.history, config.neighbours, config.noise_width,
      static_cast<int>(config.noise), config.sparse_every, static_cast<int>(config.attention));
  for (std::size_t i = 0; i < config.levels(); ++i) {
    const StageConfig& s = config.level(i);
    text += fmt::format(" [{} {} {} {} {} {} {} {}]", s.nside, s.width, s.heads, s.block_attn_size,
                        s.sparse_block_size, s.selected_blocks, s.encoder_depth, s.decoder_depth);
  }
  return text;
}

}  // namespace mosaic
