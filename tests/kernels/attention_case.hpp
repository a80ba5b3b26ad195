#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <ostream>
#include <vector>

#include "kernels/block_sparse_attention/block_sparse_attention.hpp"
#include "kernels/numbers.hpp"

namespace mosaic::kernels {

/// Sizes of one case; letters as in the contract, L in blocks.
struct AttentionShape {
  std::int64_t blocks, kv_heads, group, width, sparse_block, local_blocks, selected;
  AttentionBranches branches = AttentionBranches::all;

  std::int64_t tokens() const { return blocks * sparse_block; }
  std::int64_t heads() const { return kv_heads * group; }
};

inline std::ostream& operator<<(std::ostream& out, const AttentionShape& s) {
  return out << s.blocks << " blocks of " << s.sparse_block << ", K " << s.kv_heads << ", G " << s.group
             << ", D " << s.width << ", L " << s.local_blocks << " blocks, n " << s.selected << ", branches "
             << static_cast<int>(s.branches);
}

template <class T>
struct AttentionCase {
  AttentionShape shape;
  std::vector<T> q, k, v, gates;

  explicit AttentionCase(const AttentionShape& s, unsigned seed = 1)
      : shape(s),
        q(exact_numbers<T>(size(s.tokens() * s.heads() * s.width), seed)),
        k(exact_numbers<T>(size(s.tokens() * s.kv_heads * s.width), seed + 1)),
        v(normal_numbers<T>(size(s.tokens() * s.kv_heads * s.width), seed + 2)),
        gates(normal_numbers<T>(size(s.tokens() * s.heads() * 3), seed + 3, 2.0)) {}

  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

  struct Result {
    std::vector<T> out;
    std::vector<std::int64_t> index;
  };

  Result run(Backend backend) const {
    const bool local_only = shape.branches == AttentionBranches::local_only;
    Result result{
        std::vector<T>(q.size(), std::nan("")),  // poisoned
        std::vector<std::int64_t>(size(local_only ? 0 : shape.blocks * shape.kv_heads * shape.selected), -1)};
    block_sparse_attention(BlockSparseAttentionArgs<T>{shape.tokens(),
                                                       shape.heads(),
                                                       shape.kv_heads,
                                                       shape.width,
                                                       {shape.local_blocks * shape.sparse_block,
                                                        shape.sparse_block, shape.selected, shape.branches},
                                                       q.data(),
                                                       k.data(),
                                                       v.data(),
                                                       local_only ? nullptr : gates.data(),
                                                       result.out.data(),
                                                       result.index.empty() ? nullptr : result.index.data()},
                           backend);
    return result;
  }

  /// Selected blocks of a query block and key/value head in a result.
  std::vector<std::int64_t> selected(const Result& result, std::int64_t query_block,
                                     std::int64_t head) const {
    const auto first = result.index.begin() + (query_block * shape.kv_heads + head) * shape.selected;
    return {first, first + shape.selected};
  }

  /// Every value is a mean of values of v. Its weights come from scores of absolute sum s <= max |q|_2 max
  /// |k|_2 / sqrt(D), which round D + 2 times; numerator and total are off by that, by exp and by their own
  /// sums over the keys; three branches and gates add a few. u = eps / 2.
  double limit() const {
    const auto norm = [&](const std::vector<T>& x) {
      double largest = 0;
      for (std::size_t i = 0; i < x.size(); i += size(shape.width)) {
        largest = std::max(largest, std::sqrt(std::inner_product(x.begin() + i, x.begin() + i + shape.width,
                                                                 x.begin() + i, 0.0)));
      }
      return largest;
    };
    double value = 0;
    for (const T x : v) {
      value = std::max(value, std::abs(static_cast<double>(x)));
    }
    const double score = norm(q) * norm(k) / std::sqrt(static_cast<double>(shape.width));
    const double keys =
        static_cast<double>(std::max(shape.selected, shape.local_blocks) * shape.sparse_block + shape.blocks);
    const double u = std::numeric_limits<T>::epsilon() / 2;
    return (2 * static_cast<double>(shape.width + 2) * score + 2 * keys + 32) * u * value;
  }
};

}  // namespace mosaic::kernels
