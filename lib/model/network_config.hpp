#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mosaic {

/// One resolution of the network.
struct StageConfig {
  int nside = 0;
  int width = 0;              ///< channels of the residual stream
  int heads = 0;              ///< H query heads; width = heads * head_width
  int block_attn_size = 0;    ///< tokens of a local run
  int sparse_block_size = 0;  ///< tokens of a sparse block
  int selected_blocks = 0;    ///< n; 0 = no selected branch
  int encoder_depth = 0;      ///< blocks on the way down (all blocks of the bottleneck)
  int decoder_depth = 0;      ///< blocks on the way up
  friend bool operator==(const StageConfig&, const StageConfig&) = default;
};

/// Ablations of the attention (model.md section 5).
enum class AttentionKind { mosaic, local_only, no_compressed, dense };
enum class NoiseKind { per_step, none };

/// Shape of a network of the Mosaic family. Defaults are the published values.
struct NetworkConfig {
  std::vector<StageConfig> stages;  ///< finest first
  StageConfig bottleneck;
  int head_width = 64;  ///< D
  int group = 4;        ///< G query heads share one key/value head
  int mlp_ratio = 4;
  int channels = 82;    ///< C
  int history = 2;      ///< T
  int neighbours = 24;  ///< k
  int noise_width = 32;
  int sparse_every = 1;  ///< blocks whose index in their stage is not a multiple are local only; <= 0: all
  AttentionKind attention = AttentionKind::mosaic;
  NoiseKind noise = NoiseKind::per_step;

  int features() const { return channels * history + 10; }  ///< numbers per input point
  /// The level's stage, the bottleneck being the last level.
  const StageConfig& level(std::size_t i) const { return i < stages.size() ? stages[i] : bottleneck; }
  std::size_t levels() const { return stages.size() + 1; }
  /// False where `sparse_every` or the ablation leaves only the local branch.
  bool has_gates(std::size_t block) const;
};

/// The published presets: `era5` (T 2, k 24) and `hres` (T 4, k 20). Errors: bad_configuration.
NetworkConfig published_network(const std::string& preset);

/// A small network on the published channels and grid, about a second per member-step on two cores.
NetworkConfig demo_network();

/// Errors: bad_configuration listing everything that does not fit together.
void check_network(const NetworkConfig& config);

/// Published names of all parameters with their shapes (out, in).
std::map<std::string, std::vector<std::int64_t>> parameter_shapes(const NetworkConfig& config);

std::int64_t parameter_count(const NetworkConfig& config);

/// A canonical one-line text of the configuration, for identities and error messages.
std::string describe(const NetworkConfig& config);

}  // namespace mosaic
