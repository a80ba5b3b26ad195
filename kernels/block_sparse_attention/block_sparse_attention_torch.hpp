#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/block_sparse_attention/block_sparse_attention.hpp"

namespace mosaic::kernels {

/// What happens inside, for tests. Undefined tensors for branches that the pattern leaves out.
struct AttentionInternals {
  at::Tensor local;              ///< [N, H, D]
  at::Tensor compressed_blocks;  ///< [N / S, H, D], one row per query block
  at::Tensor selected;           ///< [N, H, D]
  at::Tensor gates;              ///< [N, H, 3] softmax of the logits, before any renormalisation
  at::Tensor score;              ///< [N / S, K, N / S] selection score of query block, kv head, key block
  at::Tensor index;              ///< [N / S, K, n] int64, ascending
};

/// What may differ from the definition, backend cpu only.
struct AttentionVariant {
  /// Type to which q, k, v and the probabilities of the local and selected branches are rounded; their sums
  /// and softmax statistics are float32, their results are rounded once more. Means, scores, compressed
  /// branch and gates keep the type of q. Undefined: the type of q.
  at::ScalarType operands = at::ScalarType::Undefined;
  at::Tensor index;  ///< [N / S, K, n] blocks to use in place of those of highest score; may be undefined
  AttentionInternals* internals = nullptr;  ///< may be null
};

/// The torch face of block_sparse_attention: q [N, H, D], k and v [N, K, D], gate_logits [N, H, 3] (undefined
/// for local_only) -> [N, H, D], float32 or float64. Backend cpu is a composition of ATen operations, so
/// gradients flow to all four inputs (none through the selection); reference has no gradients.
/// k and v that the caller moves in are freed as soon as they are packed. Errors: as block_sparse_attention.
at::Tensor block_sparse_attention(const at::Tensor& q, at::Tensor k, at::Tensor v,
                                  const at::Tensor& gate_logits, const BlockSparsePattern& pattern,
                                  Backend backend, const AttentionVariant& variant = {});

}  // namespace mosaic::kernels
