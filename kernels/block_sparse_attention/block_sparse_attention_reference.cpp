#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <vector>

#include "kernels/block_sparse_attention/block_sparse_attention.hpp"

namespace mosaic::kernels {

namespace {

using Index = std::int64_t;

double dot(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

/// softmax(q . keys / sqrt(D)) . values over the rows named by `rows`; row r of head h is [(r K + h) D].
void attend(const double* q, const std::vector<double>& keys, const std::vector<double>& values,
            std::span<const Index> rows, Index kv_heads, Index head, Index width, double* out) {
  std::vector<double> weight(rows.size());
  double largest = -INFINITY;
  for (std::size_t j = 0; j < rows.size(); ++j) {
    weight[j] = dot(q, &keys[(rows[j] * kv_heads + head) * width], width) / std::sqrt(double(width));
    largest = std::max(largest, weight[j]);
  }
  double total = 0;
  for (double& w : weight) {
    w = std::exp(w - largest);
    total += w;
  }
  std::fill_n(out, width, 0.0);
  for (std::size_t j = 0; j < rows.size(); ++j) {
    const double* value = &values[(rows[j] * kv_heads + head) * width];
    for (Index d = 0; d < width; ++d) {
      out[d] += weight[j] / total * value[d];
    }
  }
}

/// Means over runs of `block` rows of `row_width` numbers: [N, row] -> [N / block, row].
std::vector<double> block_means(const std::vector<double>& x, Index block, Index row_width) {
  const Index rows = static_cast<Index>(x.size()) / row_width;
  std::vector<double> mean(rows / block * row_width, 0.0);
  for (Index i = 0; i < rows; ++i) {
    for (Index c = 0; c < row_width; ++c) {
      mean[i / block * row_width + c] += x[i * row_width + c] / static_cast<double>(block);
    }
  }
  return mean;
}

template <class T>
class Reference {
 public:
  explicit Reference(const BlockSparseAttentionArgs<T>& args)
      : a_(args),
        pattern_(checked_pattern(args.pattern, args.tokens, args.heads, args.kv_heads)),
        group_(args.heads / args.kv_heads),
        q_(args.q, args.q + args.tokens * args.heads * args.head_width),
        k_(args.k, args.k + args.tokens * args.kv_heads * args.head_width),
        v_(args.v, args.v + args.tokens * args.kv_heads * args.head_width) {
    if (pattern_.branches != AttentionBranches::local_only) {
      q_mean_ = block_means(q_, pattern_.sparse_block, args.heads * args.head_width);
      k_mean_ = block_means(k_, pattern_.sparse_block, args.kv_heads * args.head_width);
      v_mean_ = block_means(v_, pattern_.sparse_block, args.kv_heads * args.head_width);
      blocks_ = args.tokens / pattern_.sparse_block;
      select_all();
    }
  }

  void run() const {
    std::vector<double> local(a_.head_width), compressed(a_.head_width), selected(a_.head_width);
    for (Index i = 0; i < a_.tokens; ++i) {
      for (Index h = 0; h < a_.heads; ++h) {
        const double* q = &q_[(i * a_.heads + h) * a_.head_width];
        T* out = a_.out + (i * a_.heads + h) * a_.head_width;
        attend(q, k_, v_, run_of(i / pattern_.local_block, pattern_.local_block), a_.kv_heads, h / group_,
               a_.head_width, local.data());
        if (pattern_.branches == AttentionBranches::local_only) {
          std::copy(local.begin(), local.end(), out);
          continue;
        }
        compressed_branch(i / pattern_.sparse_block, h, compressed.data());
        if (pattern_.branches != AttentionBranches::no_selected) {
          attend(q, k_, v_, selected_rows(i / pattern_.sparse_block, h / group_), a_.kv_heads, h / group_,
                 a_.head_width, selected.data());
        }
        const auto gate = gates(a_.gate_logits + (i * a_.heads + h) * 3);
        for (Index d = 0; d < a_.head_width; ++d) {
          out[d] = static_cast<T>(gate[0] * local[d] + gate[1] * compressed[d] + gate[2] * selected[d]);
        }
      }
    }
  }

 private:
  static std::vector<Index> run_of(Index block, Index size) {
    std::vector<Index> rows(size);
    std::iota(rows.begin(), rows.end(), block * size);
    return rows;
  }

  void compressed_branch(Index block, Index head, double* out) const {
    attend(&q_mean_[(block * a_.heads + head) * a_.head_width], k_mean_, v_mean_, run_of(0, blocks_),
           a_.kv_heads, head / group_, a_.head_width, out);
  }

  std::vector<double> gates(const T* logits) const {
    const double largest = std::max({logits[0], logits[1], logits[2]});
    std::vector<double> gate(3);
    double total = 0;
    for (int b = 0; b < 3; ++b) {
      gate[b] = std::exp(logits[b] - largest);
      total += gate[b];
    }
    for (double& g : gate) {
      g /= total;
    }
    if (pattern_.branches != AttentionBranches::all) {
      gate[pattern_.branches == AttentionBranches::no_compressed ? 1 : 2] = 0;
      const double kept = gate[0] + gate[1] + gate[2] + 1e-8;
      for (double& g : gate) {
        g /= kept;
      }
    }
    return gate;
  }

  /// The selection score of key/value head h averages the heads h, h + K, h + 2K, ...
  double score(Index query_block, Index h, Index key_block) const {
    double sum = 0;
    for (Index r = 0; r < group_; ++r) {
      const Index head = h + r * a_.kv_heads;
      sum += dot(&q_mean_[(query_block * a_.heads + head) * a_.head_width],
                 &k_mean_[(key_block * a_.kv_heads + head / group_) * a_.head_width], a_.head_width);
    }
    return sum / static_cast<double>(group_);
  }

  void select_all() {
    const Index n = pattern_.selected_blocks;
    index_.resize(blocks_ * a_.kv_heads * n);
    for (Index row = 0; row < blocks_ * a_.kv_heads; ++row) {
      std::vector<double> scores(blocks_);
      for (Index j = 0; j < blocks_; ++j) {
        scores[j] = score(row / a_.kv_heads, row % a_.kv_heads, j);
      }
      std::vector<Index> order(blocks_);
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](Index x, Index y) { return scores[x] > scores[y]; });
      std::sort(order.begin(), order.begin() + n);
      std::copy_n(order.begin(), n, index_.begin() + row * n);
    }
    if (a_.index != nullptr && pattern_.branches != AttentionBranches::no_selected) {
      std::copy(index_.begin(), index_.end(), a_.index);
    }
  }

  std::vector<Index> selected_rows(Index query_block, Index kv_head) const {
    std::vector<Index> rows;
    const Index n = pattern_.selected_blocks;
    for (Index j = 0; j < n; ++j) {
      const auto block = run_of(index_[(query_block * a_.kv_heads + kv_head) * n + j], pattern_.sparse_block);
      rows.insert(rows.end(), block.begin(), block.end());
    }
    return rows;
  }

  const BlockSparseAttentionArgs<T>& a_;
  BlockSparsePattern pattern_;
  Index group_, blocks_ = 0;
  std::vector<double> q_, k_, v_, q_mean_, k_mean_, v_mean_;
  std::vector<Index> index_;
};

}  // namespace

template <class T>
void block_sparse_attention_reference(const BlockSparseAttentionArgs<T>& args) {
  Reference<T>(args).run();
}

template void block_sparse_attention_reference(const BlockSparseAttentionArgs<float>&);
template void block_sparse_attention_reference(const BlockSparseAttentionArgs<double>&);

}  // namespace mosaic::kernels
