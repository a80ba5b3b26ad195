#include "model/step_operations.hpp"

namespace mosaic {

namespace {

/// Operations of a product [rows, inputs] x [inputs, outputs].
double product(double rows, double inputs, double outputs) { return 2 * rows * inputs * outputs; }

double tokens_of(const StageConfig& stage) { return 12.0 * stage.nside * stage.nside; }

using Counts = std::map<std::string, double>;

void add_block(Counts& counts, const NetworkConfig& config, const StageConfig& stage, bool gated) {
  const double n = tokens_of(stage), w = stage.width, hidden = w * config.mlp_ratio;
  const double gates = gated ? 3.0 * stage.heads : 0;
  counts["linear, attention"] += product(n, w, w + 2 * w / config.group + gates + w);
  counts["linear, feed-forward"] += product(n, w, 2 * hidden) + product(n, hidden, w);
  if (config.noise == NoiseKind::per_step) {
    counts["noise projections"] += product(1, config.noise_width, hidden);
  }
  // Scores and weighted sums: every query of every head meets `keys` keys of the head width.
  const auto attend = [&](double queries, double keys) { return 2 * product(queries, w, keys); };
  const bool dense = config.attention == AttentionKind::dense;
  counts["attention, local"] += attend(n, dense ? n : stage.block_attn_size);
  if (gated) {
    const double blocks = n / stage.sparse_block_size;
    counts["attention, compressed and scores"] += attend(blocks, blocks);
    if (stage.selected_blocks > 0) {
      counts["attention, selected"] += attend(n, 1.0 * stage.selected_blocks * stage.sparse_block_size);
    }
  }
}

void add_interpolation(Counts& counts, const NetworkConfig& config, double sources, double targets) {
  const double w = config.stages.front().width, heads = w / config.head_width;
  counts["linear, other"] += product(3, w, w);  // Wq_h^T Wk_h of all heads
  counts["linear, other"] += product(sources, w, w + 3 * heads) + product(targets, w, w);
  counts["interpolation"] += product(targets, config.neighbours, w + 3 * heads);
}

}  // namespace

std::map<std::string, double> step_operations(const NetworkConfig& config, std::int64_t points) {
  Counts counts;
  const double p = static_cast<double>(points), w = config.stages.front().width;
  const double finest = tokens_of(config.stages.front());
  counts["linear, other"] += product(p, config.features(), w) + product(p, w, w);  // preprocess
  counts["linear, other"] += product(p, w, w) + product(p, w, config.channels);    // postprocess
  add_interpolation(counts, config, p, finest);
  add_interpolation(counts, config, finest, p);
  if (config.noise == NoiseKind::per_step) {
    counts["noise projections"] += product(1, config.noise_width, config.noise_width);
  }
  for (std::size_t level = 0; level < config.levels(); ++level) {
    const StageConfig& stage = config.level(level);
    for (const int depth : {stage.encoder_depth, stage.decoder_depth}) {
      for (int i = 0; i < depth; ++i) {
        add_block(counts, config, stage, config.has_gates(static_cast<std::size_t>(i)));
      }
    }
    if (level + 1 < config.levels()) {
      const StageConfig& coarse = config.level(level + 1);
      const double children = 4.0 * stage.width, parents = tokens_of(coarse);
      counts["linear, other"] += product(parents, children + 12, coarse.width);  // down
      counts["linear, other"] += product(parents, coarse.width + 12, children);  // up
    }
  }
  return counts;
}

}  // namespace mosaic
