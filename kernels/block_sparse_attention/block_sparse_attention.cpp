#include "kernels/block_sparse_attention/block_sparse_attention.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

BlockSparsePattern checked_pattern(const BlockSparsePattern& pattern, std::int64_t tokens, std::int64_t heads,
                                   std::int64_t kv_heads) {
  BlockSparsePattern result = pattern;
  require(kv_heads > 0 && heads > 0 && heads % kv_heads == 0,
          "block_sparse_attention: {} heads are not a multiple of {} key/value heads", heads, kv_heads);
  require(pattern.local_block > 0 && tokens % pattern.local_block == 0,
          "block_sparse_attention: local block {} does not divide {} tokens", pattern.local_block, tokens);
  if (pattern.branches == AttentionBranches::local_only) {
    return result;
  }
  require(pattern.sparse_block > 0 && tokens % pattern.sparse_block == 0,
          "block_sparse_attention: sparse block {} does not divide {} tokens", pattern.sparse_block, tokens);
  const std::int64_t blocks = tokens / pattern.sparse_block;
  require(pattern.selected_blocks >= 0 && pattern.selected_blocks <= blocks,
          "block_sparse_attention: {} selected blocks of {}", pattern.selected_blocks, blocks);
  if (pattern.selected_blocks == 0) {
    require(pattern.branches != AttentionBranches::no_compressed,
            "block_sparse_attention: neither a compressed nor a selected branch; use local_only");
    result.branches = AttentionBranches::no_selected;
  }
  return result;
}

namespace {

template <class T>
void dispatch(const BlockSparseAttentionArgs<T>& args, Backend backend) {
#ifdef MOSAIC_HAVE_TORCH
  require_backend("block_sparse_attention", backend, {Backend::reference, Backend::cpu});
  if (backend == Backend::cpu) {
    block_sparse_attention_cpu(args);
    return;
  }
#else
  require_backend("block_sparse_attention", backend, {Backend::reference});
#endif
  block_sparse_attention_reference(args);
}

}  // namespace

void block_sparse_attention(const BlockSparseAttentionArgs<float>& args, Backend backend) {
  dispatch(args, backend);
}
void block_sparse_attention(const BlockSparseAttentionArgs<double>& args, Backend backend) {
  dispatch(args, backend);
}

}  // namespace mosaic::kernels
