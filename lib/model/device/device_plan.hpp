#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "kernels/element_type.hpp"
#include "model/network_config.hpp"
#include "model/precision.hpp"

namespace mosaic {

/// The working arrays of a forward pass on a device, for the B members of a chunk. N tokens, W channels of a
/// level; P points of the latitude-longitude grid; H heads, K key/value heads, D head width, I blocks. Each
/// is as large as its largest use.
enum class Buffer {
  operand,        ///< [B, N, W] the stream as operand of products, where it is stored in another type
  factor,         ///< [B, N] float32, row factors
  product,        ///< [B, N, qkv_columns] float32; also the products of down- and upsampling
  q,              ///< [B, N, H D]
  k,              ///< [B, N, K D]
  v,              ///< [B, N, K D]
  attended,       ///< [B, N, H D]
  gates,          ///< [B, N, H, 3] float32
  q_mean,         ///< [B, I, H, D] float32
  k_mean,         ///< [B, I, K, D] float32
  v_mean,         ///< [B, I, K, D] float32
  compressed,     ///< [B, I, H, D] float32
  lists,          ///< [B, K, I, places] int32
  counts,         ///< [B, K, I, 4] int32
  tile_counter,   ///< one int32
  hidden,         ///< [B, N, F]
  features,       ///< [B, P, feature columns]
  wide,           ///< [B, P, W] float32
  narrow,         ///< [B, P or N, W]
  interpolation,  ///< [B, P or N, t columns] float32
  values,         ///< [B, P or N, W]
  noise,          ///< [B, 32] float32
  noise_vector,   ///< [B, 32] float32
  shift,          ///< [B, hidden columns of all blocks] float32
  count
};
constexpr std::size_t buffer_count = static_cast<std::size_t>(Buffer::count);

kernels::ElementType element_type(Precision precision);

/// What a device is told to do.
struct DeviceOptions {
  kernels::ElementType precision = kernels::ElementType::float16;  ///< of the operands of matrix products
  int chunk = 8;             ///< members that are computed at once; changes no bits
  int resident_members = 0;  ///< members of an ensemble that stays on the device
  /// The residual stream: 16 bits only as float16, which has the digits for it.
  kernels::ElementType stream_type() const {
    return precision == kernels::ElementType::float16 ? precision : kernels::ElementType::float32;
  }
  /// Products read the stream itself, its row factors applied to what they give.
  bool folds_norms() const { return stream_type() == precision; }
};

/// Bytes of everything that a device holds.
struct DevicePlan {
  std::vector<std::size_t> streams;  ///< [level]
  std::array<std::size_t, buffer_count> buffers{};
  std::size_t weights = 0;  ///< with tables
  std::size_t states = 0;   ///< histories, fields on their way to the host, the forecast's output

  std::size_t total() const;
};

/// Errors: bad_configuration listing what the device's kernels do not have (head width other than 64, sparse
/// blocks other than 128, groups other than 4, ...).
DevicePlan device_plan(const NetworkConfig& config, const DeviceOptions& options, std::size_t points);

/// Of members whose histories lie on the device, with the place for all their newest fields on the way to the
/// host.
std::size_t member_bytes(const NetworkConfig& config, std::size_t points, int members);

/// The largest chunk of at most `members` members that fits into `memory` bytes. Errors: bad_configuration
/// where not even one does.
int chunk_that_fits(const NetworkConfig& config, DeviceOptions options, std::size_t points, int members,
                    std::size_t memory);

/// Columns of arrays that kernels read in whole vectors, filled up with zeros.
constexpr std::int64_t padded(std::int64_t columns, std::int64_t multiple) {
  return (columns + multiple - 1) / multiple * multiple;
}
std::int64_t token_count(const StageConfig& stage);
std::int64_t feature_columns(const NetworkConfig& config);
std::int64_t output_columns(const NetworkConfig& config);
/// Of the joined q, k, v and gates of a block.
std::int64_t qkv_columns(const NetworkConfig& config, const StageConfig& stage, bool gates);
/// Three scores' factors for each head of an interpolation.
std::int64_t interpolation_columns(const NetworkConfig& config);

/// A block of the network in the order of computation.
struct BlockPlace {
  std::string name;  ///< encoder_stages.0.blocks.1, ...
  std::size_t level = 0;
  bool gates = true;
  std::int64_t shift = 0;  ///< first column in Buffer::shift
};
std::vector<BlockPlace> block_places(const NetworkConfig& config);

}  // namespace mosaic
