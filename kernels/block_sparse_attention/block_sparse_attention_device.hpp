#pragma once

#include <cstdint>

#include "kernels/block_sparse_attention/block_sparse_attention.hpp"
#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels {

/// block_sparse_attention (see there) for the members of a chunk on a device, in three kernels that run one
/// after the other in a stream. Letters: B members, N tokens, H query heads, K key/value heads, D = 64 head
/// width, S = 128 block size, I = N / S blocks, G = H / K = 4, n selected blocks. All arrays on the device,
/// contiguous, aligned to 16 bytes.
constexpr int device_head_width = 64;
constexpr int device_block = 128;
constexpr int device_group = 4;

struct DeviceAttentionShape {
  std::int64_t members = 0, tokens = 0, kv_heads = 0;
  BlockSparsePattern pattern;  ///< as checked_pattern leaves it

  std::int64_t heads() const { return kv_heads * device_group; }
  std::int64_t blocks() const { return tokens / device_block; }
  std::int64_t local_blocks() const { return pattern.local_block / device_block; }
  bool selects() const {
    return pattern.branches == AttentionBranches::all || pattern.branches == AttentionBranches::no_compressed;
  }
  bool compresses() const {
    return pattern.branches == AttentionBranches::all || pattern.branches == AttentionBranches::no_selected;
  }
  /// Places of a block list: the local run and the selected blocks, were they disjoint.
  std::int64_t list_capacity() const { return local_blocks() + (selects() ? pattern.selected_blocks : 0); }
};

/// Errors: internal for a shape that the device kernels do not have (D, S, G; L, S dividing N; n <= I).
void check_shape(const DeviceAttentionShape& shape);

/// One pass over the product of x with the joined weights (rows q, k, v, gates): scale by the row's factor,
/// RoPE in float32 on q and k with pairs (2m, 2m + 1) turned by angle m (model.md section 5), one rounding to
/// `type`, block means of the rounded numbers in float32, softmax of the gates over (local, compressed,
/// selected) in float32; where the pattern leaves a branch out its gate is 0 and the others are divided by
/// (their sum + 1e-8).
struct AttentionInputsArgs {
  DeviceAttentionShape shape;
  ElementType product_type = ElementType::float32;  ///< float32 or `type`
  const void* product = nullptr;      ///< [B, N, product_stride]: H D of q, K D of k, K D of v, 3 H of gates
  std::int64_t product_stride = 0;    ///< a multiple of 8; local_only needs no gates
  const float* row_factor = nullptr;  ///< [B, N]; null: 1
  const float* cosine = nullptr;      ///< [N, D / 2]
  const float* sine = nullptr;        ///< [N, D / 2]
  ElementType type = ElementType::float16;
  void* q = nullptr;        ///< [B, K, I, G, S, D]
  void* k = nullptr;        ///< [B, K, N, D]
  void* v = nullptr;        ///< [B, K, N, D]
  float* q_mean = nullptr;  ///< [B, I, H, D]; the means may be null for local_only
  float* k_mean = nullptr;  ///< [B, I, K, D]
  float* v_mean = nullptr;  ///< [B, I, K, D]
  float* gates = nullptr;   ///< [B, N, H, 3]; may be null for local_only
};
void attention_inputs(const AttentionInputsArgs& args, const Stream& stream);

/// Selection and the compressed branch from the block means, float32 in a fixed order: scores T = q_mean .
/// k_mean, top n by the mean of T over heads h, h + K, h + 2K, h + 3K (ties: lower block), softmax(T / 8)
/// v_mean. For each query block and key/value head the blocks of the local run and of the selection are
/// listed in three groups, each ascending: in both, local only, selected only. Without selection all of the
/// run is local only. At most 7000 blocks where anything is scored (shared memory of compute capability 8.0).
struct BlockSelectionArgs {
  DeviceAttentionShape shape;
  const float* q_mean = nullptr;  ///< [B, I, H, D]
  const float* k_mean = nullptr;  ///< [B, I, K, D]
  const float* v_mean = nullptr;  ///< [B, I, K, D]
  const std::int32_t* given =
      nullptr;  ///< [B, I, K, n] ascending selected blocks in place of the scores'; null: by score
  std::int32_t* lists = nullptr;   ///< [B, K, I, list_capacity]
  std::int32_t* counts = nullptr;  ///< [B, K, I, 4]: of the three groups; the fourth is 0
  float* compressed = nullptr;     ///< [B, I, H, D]; untouched without the branch
};
void select_blocks(const BlockSelectionArgs& args, const Stream& stream);

/// The local and selected branches over block lists, and the gated sum:
///   y = g_loc O_loc / l_loc + g_sel O_sel / l_sel + g_cmp compressed[block of the query]
/// (local_only: O_loc / l_loc). A key block in both lists is multiplied once: the online softmax over the
/// blocks in both is parked, continued with the local ones, restored, continued with the selected ones
/// (gpu.md section 4). 16-bit products with float32 accumulation; float32: plain products.
struct AttendArgs {
  DeviceAttentionShape shape;
  ElementType type = ElementType::float16;
  const void* q = nullptr;              ///< [B, K, I, G, S, D]
  const void* k = nullptr;              ///< [B, K, N, D]
  const void* v = nullptr;              ///< [B, K, N, D]
  const std::int32_t* lists = nullptr;  ///< as select_blocks leaves them
  const std::int32_t* counts = nullptr;
  const float* gates = nullptr;       ///< [B, N, H, 3]; unused for local_only
  const float* compressed = nullptr;  ///< [B, I, H, D]; unused without the branch
  void* out = nullptr;                ///< [B, N, H, D]
  std::int32_t* tile_counter =
      nullptr;  ///< one number, set to 0 by the call; for kernels that hand out tiles
};

/// Which body runs: `automatic` takes hopper on compute capability 9.0, else ampere; float32 has one body for
/// all.
enum class AttendBody { automatic, ampere, hopper };
void attend(const AttendArgs& args, AttendBody body, const Stream& stream);

}  // namespace mosaic::kernels
