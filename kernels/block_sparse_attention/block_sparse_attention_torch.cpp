#include "kernels/block_sparse_attention/block_sparse_attention_torch.hpp"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
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

// The packed layout: q [K, N, G, D], k and v [K, N, D]. The G heads that share keys are neighbouring rows, so
// runs of tokens and blocks are views, and one product serves G heads.
struct Packed {
  Tensor q, k, v;
  std::int64_t kv_heads, tokens, group, width;
};

/// Takes the tensors over, so that the unpacked ones end here where the caller gave them up.
Packed pack(Tensor q, Tensor k, Tensor v) {
  const auto tokens = q.size(0), heads = q.size(1), width = q.size(2), kv_heads = k.size(1);
  const auto group = heads / kv_heads;
  return {q.view({tokens, kv_heads, group, width}).permute({1, 0, 2, 3}).contiguous(),
          k.permute({1, 0, 2}).contiguous(),
          v.permute({1, 0, 2}).contiguous(),
          kv_heads,
          tokens,
          group,
          width};
}

/// [K, rows, G, X] -> [rows, K G, X], contiguous also for G = 1, where reshape() alone would give a view.
Tensor unpack(const Tensor& x) {
  return x.permute({1, 0, 2, 3}).reshape({x.size(1), x.size(0) * x.size(2), x.size(3)}).contiguous();
}

double product_operations(const Packed& p, std::int64_t keys_per_query) {
  return 4.0 * static_cast<double>(p.tokens * p.kv_heads * p.group * p.width) *
         static_cast<double>(keys_per_query);
}

Tensor local_branch(const Packed& p, std::int64_t block) {
  const OperationScope scope("attention, local", product_operations(p, block));
  const auto runs = p.kv_heads * (p.tokens / block);
  const Tensor out = at::scaled_dot_product_attention(p.q.view({runs, 1, block * p.group, p.width}),
                                                      p.k.view({runs, 1, block, p.width}),
                                                      p.v.view({runs, 1, block, p.width}));
  return out.reshape(p.q.sizes());
}

struct Compressed {
  Tensor out;    // [K, N / S, G, D]
  Tensor score;  // [K, N / S, N / S], detached
};

Compressed compressed_branch(const Packed& p, std::int64_t block) {
  const auto blocks = p.tokens / block;
  const OperationScope scope("attention, compressed and scores",
                             product_operations(p, blocks) / static_cast<double>(block));
  const Tensor q = p.q.view({p.kv_heads, blocks, block, p.group, p.width}).mean(2);
  const Tensor k = p.k.view({p.kv_heads, blocks, block, p.width}).mean(2);
  const Tensor v = p.v.view({p.kv_heads, blocks, block, p.width}).mean(2);
  const Tensor product = at::matmul(q.view({p.kv_heads, blocks * p.group, p.width}), k.transpose(1, 2));
  const Tensor weights = at::softmax(product / std::sqrt(static_cast<double>(p.width)), -1);
  const Tensor by_head =
      product.detach().view({p.kv_heads, blocks, p.group, blocks}).permute({0, 2, 1, 3}).contiguous();
  // Heads in order of their number, cut in G rows of K: the mean over rows takes heads h, h + K, h + 2K, ...
  return {at::matmul(weights, v).view({p.kv_heads, blocks, p.group, p.width}),
          by_head.view({p.group, p.kv_heads, blocks, blocks}).mean(0)};
}

/// Numbers of the n blocks of highest score, ascending: [K, N / S, n]. The stable sort gives ties to the
/// lower number.
Tensor select_blocks(const Tensor& score, std::int64_t n) {
  const Tensor order = std::get<1>(score.sort(/*stable=*/true, /*dim=*/-1, /*descending=*/true));
  return std::get<0>(order.narrow(-1, 0, n).contiguous().sort(/*stable=*/true, -1, /*descending=*/false));
}

Tensor selected_branch(const Packed& p, std::int64_t block, const Tensor& index) {
  const auto blocks = p.tokens / block, keys = index.size(2) * block;
  const OperationScope scope("attention, selected", product_operations(p, keys));
  const auto bytes_per_block = 2 * keys * p.width * static_cast<std::int64_t>(p.q.element_size());
  const auto slice = std::max<std::int64_t>(gathered_bytes / bytes_per_block, at::get_num_threads());
  std::vector<Tensor> parts;
  for (std::int64_t head = 0; head < p.kv_heads; ++head) {
    const Tensor q = p.q[head].view({blocks, 1, block * p.group, p.width});
    const Tensor k = p.k[head].view({blocks, block * p.width});
    const Tensor v = p.v[head].view({blocks, block * p.width});
    for (std::int64_t first = 0; first < blocks; first += slice) {
      const auto count = std::min(slice, blocks - first);
      const Tensor rows = index[head].narrow(0, first, count).reshape({-1});
      const Tensor part = at::scaled_dot_product_attention(
          q.narrow(0, first, count), k.index_select(0, rows).view({count, 1, keys, p.width}),
          v.index_select(0, rows).view({count, 1, keys, p.width}));
      parts.push_back(part.reshape({count * block, p.group, p.width}));
    }
  }
  return at::cat(parts).view(p.q.sizes());
}

/// Weights of the branches: softmax of the logits, without the absent branch, [K, N, G, 3].
Tensor branch_weights(const Tensor& gates, const Packed& p, AttentionBranches branches) {
  Tensor weights = gates.view({p.tokens, p.kv_heads, p.group, 3}).permute({1, 0, 2, 3});
  if (branches == AttentionBranches::all) {
    return weights;
  }
  const auto other = branches == AttentionBranches::no_compressed ? 2 : 1;
  const Tensor kept = weights.select(-1, 0) + weights.select(-1, other);
  return weights / (kept + 1e-8).unsqueeze(-1);
}

Tensor attention_cpu(Tensor q, Tensor k, Tensor v, const Tensor& gate_logits,
                     const BlockSparsePattern& pattern, AttentionInternals* internals) {
  const Packed p = pack(std::move(q), std::move(k), std::move(v));
  Tensor local = local_branch(p, pattern.local_block);
  if (internals != nullptr) {
    internals->local = unpack(local);
  }
  if (pattern.branches == AttentionBranches::local_only) {
    return unpack(local);
  }
  const auto block = pattern.sparse_block, blocks = p.tokens / block;
  const Tensor gates = at::softmax(gate_logits, -1);
  const Tensor weights = branch_weights(gates, p, pattern.branches);
  Tensor sum = local * weights.narrow(-1, 0, 1);
  local.reset();
  const Compressed compressed = compressed_branch(p, block);
  if (pattern.branches != AttentionBranches::no_compressed) {
    const Tensor gate = weights.narrow(-1, 1, 1).reshape({p.kv_heads, blocks, block, p.group, 1});
    const Tensor parts = sum.view({p.kv_heads, blocks, block, p.group, p.width});
    sum = at::addcmul(parts, gate, compressed.out.unsqueeze(2)).reshape(p.q.sizes());
  }
  if (internals != nullptr) {
    internals->gates = gates;
    internals->compressed_blocks = unpack(compressed.out);
    internals->score = compressed.score.permute({1, 0, 2});
  }
  if (pattern.branches != AttentionBranches::no_selected) {
    const Tensor index = select_blocks(compressed.score, pattern.selected_blocks);
    const Tensor selected = selected_branch(p, block, index);
    sum = at::addcmul(sum, selected, weights.narrow(-1, 2, 1));
    if (internals != nullptr) {
      internals->selected = unpack(selected);
      internals->index = index.permute({1, 0, 2});
    }
  }
  return unpack(sum);
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

at::Tensor block_sparse_attention(at::Tensor q, at::Tensor k, at::Tensor v, const at::Tensor& gate_logits,
                                  const BlockSparsePattern& pattern, Backend backend,
                                  AttentionInternals* internals) {
  const auto checked = checked_pattern(pattern, q.size(0), q.size(1), k.size(1));
  require_backend("block_sparse_attention", backend, {Backend::reference, Backend::cpu});
  if (backend == Backend::cpu) {
    return attention_cpu(std::move(q), std::move(k), std::move(v), gate_logits, checked, internals);
  }
  require(internals == nullptr, "block_sparse_attention: the reference keeps no internals");
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
  const Tensor gates = args.gate_logits != nullptr ? wrap(args.gate_logits, {n, h, 3}) : Tensor();
  const Tensor out =
      block_sparse_attention(wrap(args.q, {n, h, d}), wrap(args.k, {n, kv, d}), wrap(args.v, {n, kv, d}),
                             gates, args.pattern, Backend::cpu, &internals);
  std::copy_n(out.const_data_ptr<T>(), out.numel(), args.out);
  if (args.index != nullptr && internals.index.defined()) {
    const Tensor index = internals.index.contiguous();
    std::copy_n(index.const_data_ptr<std::int64_t>(), index.numel(), args.index);
  }
}

template void block_sparse_attention_cpu(const BlockSparseAttentionArgs<float>&);
template void block_sparse_attention_cpu(const BlockSparseAttentionArgs<double>&);

}  // namespace mosaic::kernels
