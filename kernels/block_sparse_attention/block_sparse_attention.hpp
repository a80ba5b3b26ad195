#pragma once

#include <cstdint>

#include "kernels/backend.hpp"

namespace mosaic::kernels {

/// The branches that are summed. Source: Zhdanov et al. (arXiv 2604.16429), section "Mosaic attention".
enum class AttentionBranches {
  all,            ///< local, compressed, selected
  no_compressed,  ///< weights of local and selected divided by (their sum + 1e-8)
  no_selected,    ///< weights of local and compressed likewise
  local_only,     ///< no gates
};

/// Which keys a query sees. Tokens are in NESTED order, so runs of tokens are patches of the sphere.
struct BlockSparsePattern {
  std::int64_t local_block = 0;      ///< L: full attention inside runs of L tokens; L = N is dense attention
  std::int64_t sparse_block = 0;     ///< S: tokens per block of the compressed and selected branches
  std::int64_t selected_blocks = 0;  ///< n: key blocks each query block selects; 0 means no_selected
  AttentionBranches branches = AttentionBranches::all;
};

/// Gated sum of local, compressed and selected attention, one member:
///   local       softmax over the keys of the query's run of L
///   compressed  softmax between the means of runs of S tokens, given to every token of the query block
///   selected    one softmax over the n S keys of the n key blocks of highest score
///   out = sum_b softmax_b(gate_logits) branch_b
/// each with scores q.k / sqrt(D). Query head i uses key/value head i / G, G = H / K. The selection score of
/// key/value head h is the mean over heads h, h + K, h + 2K, ... (not over the group) of
/// mean(q_i).mean(k_i/G); trained weights depend on it. Ties go to the lower block. Letters: N tokens, H
/// query heads, K key/value heads, D head width. All arrays contiguous. Restrictions: L and S divide N, K
/// divides H, n <= N / S.
template <class T>
struct BlockSparseAttentionArgs {
  std::int64_t tokens = 0, heads = 0, kv_heads = 0, head_width = 0;
  BlockSparsePattern pattern;
  const T* q = nullptr;            ///< [N, H, D], after RoPE
  const T* k = nullptr;            ///< [N, K, D], after RoPE
  const T* v = nullptr;            ///< [N, K, D]
  const T* gate_logits = nullptr;  ///< [N, H, 3] local, compressed, selected; unused by local_only
  T* out = nullptr;                ///< [N, H, D]
  std::int64_t* index = nullptr;   ///< [N / S, K, n] selected blocks, ascending; may be null; untouched
                                   ///< where no branch is selected
};

/// Errors: internal for a shape outside the restrictions; bad_configuration for an absent backend.
void block_sparse_attention(const BlockSparseAttentionArgs<float>& args, Backend backend);
void block_sparse_attention(const BlockSparseAttentionArgs<double>& args, Backend backend);

/// `pattern` with n = 0 expressed as branches = no_selected. Errors: internal, naming the misfit.
BlockSparsePattern checked_pattern(const BlockSparsePattern& pattern, std::int64_t tokens, std::int64_t heads,
                                   std::int64_t kv_heads);

/// The definition: nested loops, double accumulation.
template <class T>
void block_sparse_attention_reference(const BlockSparseAttentionArgs<T>& args);

/// ATen on CPU threads.
template <class T>
void block_sparse_attention_cpu(const BlockSparseAttentionArgs<T>& args);

}  // namespace mosaic::kernels
