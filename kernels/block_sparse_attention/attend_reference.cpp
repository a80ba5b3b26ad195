#include "kernels/block_sparse_attention/attend_reference.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <vector>

namespace mosaic::kernels {

namespace {

using Row = std::array<double, device_head_width>;

/// softmax(q . k / sqrt(D)) v over the keys of the blocks; k and v of one member and key/value head.
Row softmax_attention(const float* q, const float* k, const float* v,
                      const std::vector<std::int32_t>& blocks) {
  std::vector<double> scores;
  for (const std::int64_t block : blocks) {
    for (std::int64_t key = block * device_block; key < (block + 1) * device_block; ++key) {
      double score = 0;
      for (int d = 0; d < device_head_width; ++d) {
        score += double(q[d]) * double(k[key * device_head_width + d]);
      }
      scores.push_back(score / std::sqrt(double(device_head_width)));
    }
  }
  Row out{};
  if (scores.empty()) {
    return out;
  }
  const double highest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    score = std::exp(score - highest);
    sum += score;
  }
  std::size_t next = 0;
  for (const std::int64_t block : blocks) {
    for (std::int64_t key = block * device_block; key < (block + 1) * device_block; ++key) {
      const double weight = scores[next++] / sum;
      for (std::size_t d = 0; d < out.size(); ++d) {
        out[d] += weight * double(v[std::size_t(key) * out.size() + d]);
      }
    }
  }
  return out;
}

std::vector<std::int32_t> joined(std::span<const std::int32_t> first, std::span<const std::int32_t> second) {
  std::vector<std::int32_t> both(first.begin(), first.end());
  both.insert(both.end(), second.begin(), second.end());
  return both;
}

/// The rows of all heads of a group in query block `block`; `column` = member K + kv_head.
void attend_block(const AttendReferenceArgs& args, std::int64_t column, std::int64_t block) {
  const DeviceAttentionShape& shape = args.shape;
  const std::int64_t list = column * shape.blocks() + block, member = column / shape.kv_heads;
  const std::int32_t* counts = args.counts + 4 * list;
  const std::span blocks(args.lists + list * shape.list_capacity(),
                         static_cast<std::size_t>(counts[0] + counts[1] + counts[2]));
  const auto both = static_cast<std::size_t>(counts[0]), run = both + static_cast<std::size_t>(counts[1]);
  const auto local = joined(blocks.first(both), blocks.subspan(both, run - both));
  const auto selected = joined(blocks.first(both), blocks.subspan(run));
  const float* k = args.k + column * shape.tokens * device_head_width;
  const float* v = args.v + column * shape.tokens * device_head_width;
  const bool gated = shape.pattern.branches != AttentionBranches::local_only;
  for (std::int64_t group = 0; group < device_group; ++group) {
    const std::int64_t head = column % shape.kv_heads * device_group + group;
    for (std::int64_t i = 0; i < device_block; ++i) {
      const float* q = args.q + ((list * device_group + group) * device_block + i) * device_head_width;
      const std::int64_t row = (member * shape.tokens + block * device_block + i) * shape.heads() + head;
      const Row local_row = softmax_attention(q, k, v, local);
      const Row selected_row = gated ? softmax_attention(q, k, v, selected) : Row{};
      const float* compressed =
          shape.compresses() ? args.compressed + ((member * shape.blocks() + block) * shape.heads() + head) *
                                                     device_head_width
                             : nullptr;
      for (std::size_t d = 0; d < local_row.size(); ++d) {
        double sum = gated ? double(args.gates[3 * row]) * local_row[d] +
                                 double(args.gates[3 * row + 2]) * selected_row[d]
                           : local_row[d];
        if (compressed != nullptr) {
          sum += double(args.gates[3 * row + 1]) * double(compressed[d]);
        }
        args.out[std::size_t(row) * local_row.size() + d] = sum;
      }
    }
  }
}

}  // namespace

void attend_reference(const AttendReferenceArgs& args) {
  for (std::int64_t column = 0; column < args.shape.members * args.shape.kv_heads; ++column) {
    for (std::int64_t block = 0; block < args.shape.blocks(); ++block) {
      const auto& wanted = args.query_blocks;
      if (wanted.empty() || std::find(wanted.begin(), wanted.end(), block) != wanted.end()) {
        attend_block(args, column, block);
      }
    }
  }
}

}  // namespace mosaic::kernels
