#include "kernels/block_sparse_attention/block_sparse_attention_torch.hpp"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/operation_record.hpp"

namespace mosaic::kernels {

namespace {

using at::Tensor;

/// Gathered keys and values of one slice of query blocks: about what a second-level cache holds.
constexpr std::int64_t gathered_bytes = 4 << 20;

/// Queries that are computed at a time, about: what lies between two products stays in the caches.
constexpr std::int64_t piece_tokens = 1024;

// The packed layout: q [K, tokens, G, D], k and v [K, N, D]. The G heads that share keys are neighbouring
// rows, so runs of tokens and blocks are views, and one product serves G heads.

/// [tokens, K G, X] -> [K, tokens, G, X]. A view.
Tensor by_kv_head(const Tensor& x, std::int64_t kv_heads) {
  return x.view({x.size(0), kv_heads, x.size(1) / kv_heads, x.size(2)}).permute({1, 0, 2, 3});
}

/// [K, tokens, G, X] -> [tokens, K G, X], contiguous also for G = 1, where reshape() alone would give a view.
Tensor unpack(const Tensor& x) {
  return x.permute({1, 0, 2, 3}).reshape({x.size(1), x.size(0) * x.size(2), x.size(3)}).contiguous();
}

/// What all pieces of the queries share.
struct Keys {
  Tensor k, v;                      // [K, N, D]
  Tensor compressed, score, index;  // as AttentionInternals has them, but [K, N / S, ...]; may be undefined
};

double product_operations(const Tensor& q, std::int64_t keys_per_query) {
  return 4.0 * static_cast<double>(q.numel()) * static_cast<double>(keys_per_query);
}

/// q [K, tokens, G, D] from token `first` on.
Tensor local_branch(const Tensor& q, std::int64_t first, const Keys& keys, std::int64_t block) {
  const OperationScope scope("attention, local", product_operations(q, block));
  const auto kv_heads = q.size(0), tokens = q.size(1), rows = block * q.size(2), width = q.size(3);
  const auto runs = kv_heads * (tokens / block);
  const auto of_runs = [&](const Tensor& x) {
    return x.narrow(1, first, tokens).reshape({runs, 1, block, width});
  };
  return at::scaled_dot_product_attention(q.reshape({runs, 1, rows, width}), of_runs(keys.k), of_runs(keys.v))
      .reshape(q.sizes());
}

struct Compressed {
  Tensor out;    // [K, N / S, G, D]
  Tensor score;  // [K, N / S, N / S], detached
};

/// q [N, H, D], k and v [K, N, D].
Compressed compressed_branch(const Tensor& q, const Tensor& k, const Tensor& v, std::int64_t block) {
  const auto tokens = q.size(0), width = q.size(2), kv_heads = k.size(0), group = q.size(1) / kv_heads;
  const auto blocks = tokens / block;
  const OperationScope scope("attention, compressed and scores",
                             4.0 * static_cast<double>(q.numel() / block * blocks));
  const Tensor q_mean = by_kv_head(q.view({blocks, block, q.size(1), width}).mean(1), kv_heads);
  const Tensor k_mean = k.view({kv_heads, blocks, block, width}).mean(2);
  const Tensor v_mean = v.view({kv_heads, blocks, block, width}).mean(2);
  const Tensor product =
      at::matmul(q_mean.reshape({kv_heads, blocks * group, width}), k_mean.transpose(1, 2));
  const Tensor weights = at::softmax(product / std::sqrt(static_cast<double>(width)), -1);
  const Tensor by_head =
      product.detach().view({kv_heads, blocks, group, blocks}).permute({0, 2, 1, 3}).contiguous();
  // Heads in order of their number, cut in G rows of K: the mean over rows takes heads h, h + K, h + 2K, ...
  return {at::matmul(weights, v_mean).view({kv_heads, blocks, group, width}),
          by_head.view({group, kv_heads, blocks, blocks}).mean(0)};
}

/// Numbers of the n blocks of highest score, ascending: [K, N / S, n]. The stable sort gives ties to the
/// lower number.
Tensor select_blocks(const Tensor& score, std::int64_t n) {
  const Tensor order = std::get<1>(score.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/true));
  return std::get<0>(order.narrow(-1, 0, n).contiguous().sort(/*stable=*/true, -1, /*descending=*/false));
}

/// q [K, tokens, G, D] from token `first` on.
Tensor selected_branch(const Tensor& q, std::int64_t first, const Keys& keys, std::int64_t block) {
  const auto count = keys.index.size(2), width = q.size(3), rows = block * q.size(2);
  const auto all = keys.k.size(1) / block, blocks = q.size(1) / block;
  const OperationScope scope("attention, selected", product_operations(q, count * block));
  const auto bytes_per_block = 2 * count * block * width * static_cast<std::int64_t>(q.element_size());
  const auto slice = std::max<std::int64_t>(gathered_bytes / bytes_per_block, at::get_num_threads());
  std::vector<Tensor> parts;
  for (std::int64_t head = 0; head < q.size(0); ++head) {
    const Tensor queries = q[head].reshape({blocks, 1, rows, width});
    const Tensor k = keys.k[head].view({all, block * width}), v = keys.v[head].view({all, block * width});
    const Tensor index = keys.index[head].narrow(0, first / block, blocks);
    for (std::int64_t i = 0; i < blocks; i += slice) {
      const auto taken = std::min(slice, blocks - i);
      const Tensor chosen = index.narrow(0, i, taken).reshape({-1});
      const auto gather = [&](const Tensor& x) {
        return x.index_select(0, chosen).view({taken, 1, count * block, width});
      };
      parts.push_back(at::scaled_dot_product_attention(queries.narrow(0, i, taken), gather(k), gather(v))
                          .reshape({taken * block, q.size(2), width}));
    }
  }
  return at::cat(parts).view(q.sizes());
}

/// Weights of the branches of some tokens: softmax of the logits, without the absent branch, [K, tokens, G,
/// 3].
Tensor branch_weights(const Tensor& gates, std::int64_t kv_heads, AttentionBranches branches) {
  const Tensor weights = by_kv_head(gates, kv_heads);
  if (branches == AttentionBranches::all) {
    return weights;
  }
  const auto other = branches == AttentionBranches::no_compressed ? 2 : 1;
  const Tensor kept = weights.select(-1, 0) + weights.select(-1, other);
  return weights / (kept + 1e-8).unsqueeze(-1);
}

/// Results of one piece of the queries: [tokens, H, D], gates [tokens, H, 3].
struct Piece {
  Tensor out, local, selected, gates;
};

/// q [tokens, H, D] and their gate_logits, from token `first` on.
Piece attend(const Tensor& q, std::int64_t first, const Tensor& gate_logits, const Keys& keys,
             const BlockSparsePattern& pattern) {
  const auto kv_heads = keys.k.size(0), tokens = q.size(0), block = pattern.sparse_block;
  const Tensor packed = by_kv_head(q, kv_heads).to(keys.k.scalar_type()).contiguous();
  const Tensor local = local_branch(packed, first, keys, pattern.local_block).to(q.scalar_type());
  if (pattern.branches == AttentionBranches::local_only) {
    const Tensor out = unpack(local);
    return {out, out, Tensor(), Tensor()};
  }
  const Tensor gates = at::softmax(gate_logits, -1);
  const Tensor weights = branch_weights(gates, kv_heads, pattern.branches);
  Tensor sum = local * weights.narrow(-1, 0, 1);
  if (pattern.branches != AttentionBranches::no_compressed) {
    const auto blocks = tokens / block, group = packed.size(2), width = packed.size(3);
    const Tensor gate = weights.narrow(-1, 1, 1).reshape({kv_heads, blocks, block, group, 1});
    const Tensor branch = keys.compressed.narrow(1, first / block, blocks).unsqueeze(2);
    sum =
        at::addcmul(sum.view({kv_heads, blocks, block, group, width}), gate, branch).reshape(packed.sizes());
  }
  Tensor selected;
  if (pattern.branches != AttentionBranches::no_selected) {
    selected = selected_branch(packed, first, keys, block).to(q.scalar_type());
    sum = at::addcmul(sum, selected, weights.narrow(-1, 2, 1));
  }
  return {unpack(sum), local, selected, gates};
}

/// The tensors of `pieces` that `member` names on top of one another, as [N, H, D].
Tensor all_of(const std::vector<Piece>& pieces, Tensor Piece::*member) {
  std::vector<Tensor> parts;
  for (const Piece& piece : pieces) {
    const Tensor& part = piece.*member;
    parts.push_back(part.dim() == 4 ? unpack(part) : part);
  }
  return at::cat(parts);
}

void keep(const std::vector<Piece>& pieces, const Keys& keys, AttentionInternals& internals) {
  internals.local = all_of(pieces, &Piece::local);
  if (keys.compressed.defined()) {
    internals.gates = all_of(pieces, &Piece::gates);
    internals.compressed_blocks = unpack(keys.compressed);
    internals.score = keys.score.permute({1, 0, 2});
  }
  if (keys.index.defined()) {
    internals.selected = all_of(pieces, &Piece::selected);
    internals.index = keys.index.permute({1, 0, 2});
  }
}

/// What all queries need of q [N, H, D], k and v [N, K, D], which end here.
Keys prepare(const Tensor& q, Tensor k, Tensor v, const BlockSparsePattern& pattern,
             const AttentionVariant& variant) {
  Keys keys;
  keys.k = std::exchange(k, {}).permute({1, 0, 2}).contiguous();
  keys.v = std::exchange(v, {}).permute({1, 0, 2}).contiguous();
  if (pattern.branches != AttentionBranches::local_only) {
    const Compressed compressed = compressed_branch(q, keys.k, keys.v, pattern.sparse_block);
    keys.compressed = compressed.out;
    keys.score = compressed.score;
    if (pattern.branches != AttentionBranches::no_selected) {
      keys.index = variant.index.defined() ? variant.index.permute({1, 0, 2})
                                           : select_blocks(compressed.score, pattern.selected_blocks);
    }
  }
  if (variant.operands != at::ScalarType::Undefined) {
    keys.k = keys.k.to(variant.operands);
    keys.v = keys.v.to(variant.operands);
  }
  return keys;
}

Tensor attention_cpu(const Tensor& q, Tensor k, Tensor v, const Tensor& gate_logits,
                     const BlockSparsePattern& pattern, const AttentionVariant& variant) {
  const Keys keys = prepare(q, std::move(k), std::move(v), pattern, variant);
  // A piece holds whole runs and whole blocks; with gradients it is all, because those of a part are as
  // large.
  const bool gated = pattern.branches != AttentionBranches::local_only;
  const auto whole = gated ? std::lcm(pattern.local_block, pattern.sparse_block) : pattern.local_block;
  const auto length =
      at::GradMode::is_enabled() ? q.size(0) : whole * std::max<std::int64_t>(1, piece_tokens / whole);
  std::vector<Piece> pieces;
  for (std::int64_t first = 0; first < q.size(0); first += length) {
    const auto count = std::min(length, q.size(0) - first);
    pieces.push_back(attend(q.narrow(0, first, count), first,
                            gated ? gate_logits.narrow(0, first, count) : gate_logits, keys, pattern));
    if (variant.internals == nullptr) {
      pieces.back() = {pieces.back().out, {}, {}, {}};
    }
  }
  if (variant.internals != nullptr) {
    keep(pieces, keys, *variant.internals);
  }
  return all_of(pieces, &Piece::out);
}

template <class T>
Tensor attention_reference(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& gate_logits,
                           const BlockSparsePattern& pattern) {
  const Tensor qc = q.contiguous(), kc = k.contiguous(), vc = v.contiguous();
  const Tensor gates = gate_logits.defined() ? gate_logits.contiguous() : gate_logits;
  const Tensor out = at::empty_like(qc);
  block_sparse_attention_reference(BlockSparseAttentionArgs<T>{
      q.size(0), q.size(1), k.size(1), q.size(2), pattern, qc.const_data_ptr<T>(), kc.const_data_ptr<T>(),
      vc.const_data_ptr<T>(), gates.defined() ? gates.const_data_ptr<T>() : nullptr,
      out.mutable_data_ptr<T>(), nullptr});
  return out;
}

}  // namespace

at::Tensor block_sparse_attention(const at::Tensor& q, at::Tensor k, at::Tensor v,
                                  const at::Tensor& gate_logits, const BlockSparsePattern& pattern,
                                  Backend backend, const AttentionVariant& variant) {
  const auto checked = checked_pattern(pattern, q.size(0), q.size(1), k.size(1));
  require_backend("block_sparse_attention", backend, {Backend::reference, Backend::cpu});
  if (backend == Backend::cpu) {
    return attention_cpu(q, std::move(k), std::move(v), gate_logits, checked, variant);
  }
  require(variant.internals == nullptr && !variant.index.defined() &&
              variant.operands == at::ScalarType::Undefined,
          "block_sparse_attention: the reference has no variants and keeps no internals");
  return q.scalar_type() == at::kDouble ? attention_reference<double>(q, k, v, gate_logits, checked)
                                        : attention_reference<float>(q, k, v, gate_logits, checked);
}

template <class T>
void block_sparse_attention_cpu(const BlockSparseAttentionArgs<T>& args) {
  const auto wrap = [](const T* data, at::IntArrayRef shape) {
    return at::from_blob(const_cast<T*>(data), shape, c10::CppTypeToScalarType<T>::value);
  };
  const auto n = args.tokens, h = args.heads, kv = args.kv_heads, d = args.head_width;
  AttentionInternals internals;
  AttentionVariant variant;
  variant.internals = &internals;
  const Tensor gates = args.gate_logits != nullptr ? wrap(args.gate_logits, {n, h, 3}) : Tensor();
  const Tensor out =
      block_sparse_attention(wrap(args.q, {n, h, d}), wrap(args.k, {n, kv, d}), wrap(args.v, {n, kv, d}),
                             gates, args.pattern, Backend::cpu, variant);
  std::copy_n(out.const_data_ptr<T>(), out.numel(), args.out);
  if (args.index != nullptr && internals.index.defined()) {
    const Tensor index = internals.index.contiguous();
    std::copy_n(index.const_data_ptr<std::int64_t>(), index.numel(), args.index);
  }
}

template void block_sparse_attention_cpu(const BlockSparseAttentionArgs<float>&);
template void block_sparse_attention_cpu(const BlockSparseAttentionArgs<double>&);

}  // namespace mosaic::kernels
