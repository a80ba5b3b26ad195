#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

void check_shape(const DeviceAttentionShape& shape) {
  const BlockSparsePattern& pattern = shape.pattern;
  require(shape.members > 0 && shape.kv_heads > 0 && shape.tokens > 0,
          "attention on a device: {} members, {} tokens, {} key/value heads", shape.members, shape.tokens,
          shape.kv_heads);
  require(shape.tokens % device_block == 0, "attention on a device: {} tokens are not blocks of {}",
          shape.tokens, device_block);
  require(pattern.local_block > 0 && pattern.local_block % device_block == 0 &&
              shape.tokens % pattern.local_block == 0,
          "attention on a device: a local block of {} with {} tokens in blocks of {}", pattern.local_block,
          shape.tokens, device_block);
  require(pattern.branches == AttentionBranches::local_only || pattern.sparse_block == device_block,
          "attention on a device: sparse blocks of {}; the kernels have {}", pattern.sparse_block,
          device_block);
  require(!shape.selects() || (pattern.selected_blocks > 0 && pattern.selected_blocks <= shape.blocks()),
          "attention on a device: {} selected blocks of {}", pattern.selected_blocks, shape.blocks());
}

}  // namespace mosaic::kernels
