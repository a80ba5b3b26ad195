#pragma once

// One call of `attend`: its numbers and block lists, the definition's answer, and that of a naive evaluation
// of the same precision.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "device/device_arrays.hpp"
#include "kernels/block_sparse_attention/attend_reference.hpp"

namespace mosaic::kernels {

/// Which blocks a query block selects.
enum class Selection { local_run, disjoint, one_for_all, random, everything };
/// What scores are like.
enum class Scores { ordinary, to_sixty, ties };

struct AttendSetting {
  std::int64_t blocks = 8, kv_heads = 1, selected = 4, members = 1, local_blocks = 8;
  AttentionBranches branches = AttentionBranches::all;
  Selection selection = Selection::random;
  Scores scores = Scores::ordinary;
  ElementType type = ElementType::float16;
  std::vector<std::int64_t> checked = {};  ///< query blocks whose rows are evaluated; empty: all
  std::vector<std::int64_t> listed = {};   ///< query blocks whose lists are not empty; empty: all
};

/// A few query blocks for the check. On the emulated device the lists of the others are empty, to save time.
inline AttendSetting sampled(AttendSetting setting, const std::vector<std::int64_t>& query_blocks) {
  setting.checked = query_blocks;
#ifdef MOSAIC_EMULATED_DEVICE
  setting.listed = query_blocks;
#endif
  return setting;
}

inline std::ostream& operator<<(std::ostream& out, const AttendSetting& s) {
  return out << s.members << " members, " << s.blocks << " blocks, K " << s.kv_heads << ", n " << s.selected
             << ", local run " << s.local_blocks << ", branches " << static_cast<int>(s.branches)
             << ", selection " << static_cast<int>(s.selection) << ", scores " << static_cast<int>(s.scores)
             << ", " << to_string(s.type);
}

/// q, k, v as arrays of the type hold them; numbers of key blocks that no list names are NaN.
struct AttendCase {
  AttendSetting setting;
  DeviceAttentionShape shape;
  std::vector<float> q, k, v, gates, compressed;
  std::vector<std::int32_t> lists, counts;

  explicit AttendCase(const AttendSetting& s, std::uint64_t seed = 1) : setting(s) {
    shape = {s.members,
             s.blocks * device_block,
             s.kv_heads,
             {s.local_blocks * device_block, device_block, s.selected, s.branches}};
    const float q_deviation = s.scores == Scores::to_sixty ? 15 : 1;
    q = normal_numbers(size(s.members * shape.tokens * shape.heads() * device_head_width), seed, q_deviation,
                       s.type);
    k = normal_numbers(size(s.members * shape.tokens * s.kv_heads * device_head_width), seed + 1, 1, s.type);
    v = normal_numbers(k.size(), seed + 2, 1, s.type);
    gates = gate_numbers(size(s.members * shape.tokens * shape.heads()), seed + 3);
    compressed = normal_numbers(size(s.members * s.blocks * shape.heads() * device_head_width), seed + 4);
    if (s.scores == Scores::ties) {
      for (std::size_t i = device_head_width; i < k.size(); ++i) {
        k[i] = k[i - device_head_width];
      }
    }
    make_lists(seed + 5);
    poison_unused();
  }

  std::vector<double> exact() const {
    std::vector<double> out(q.size());
    attend_reference({shape, q.data(), k.data(), v.data(), lists.data(), counts.data(), gates.data(),
                      compressed.data(), out.data(), setting.checked});
    return checked_rows(out);
  }

  /// Operation by operation: scores, weights, branches and gated parts each rounded to the type.
  std::vector<float> naive() const;

  /// Of an array as `out`, the rows of the query blocks that are checked.
  template <class T>
  std::vector<T> checked_rows(const std::vector<T>& all) const {
    const std::size_t rows = all.size() / size(shape.members * shape.blocks());
    std::vector<T> some;
    for (std::int64_t block = 0; block < shape.members * shape.blocks(); ++block) {
      if (is_in(setting.checked, block % shape.blocks())) {
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(size(block) * rows);
        some.insert(some.end(), first, first + static_cast<std::ptrdiff_t>(rows));
      }
    }
    return some;
  }

  std::vector<float> run(AttendBody body) const {
#ifdef MOSAIC_EMULATED_DEVICE
    // Bodies with a thread block for each query block and head: only those that are looked at.
    if (body == AttendBody::ampere || setting.type == ElementType::float32) {
      emulation::settings().blocks = [this](unsigned x, unsigned, unsigned) {
        return is_in(setting.checked, x / device_group);
      };
    }
#endif
    const DeviceArray q_device = upload(q, setting.type), k_device = upload(k, setting.type),
                      v_device = upload(v, setting.type), out = poisoned(q.size(), setting.type);
    const DeviceArray gates_device = upload(gates), compressed_device = upload(compressed);
    const DeviceMemory lists_device = upload_integers(lists), counts_device = upload_integers(counts),
                       counter(16);
    const Stream stream;
    attend({shape, setting.type, q_device.data(), k_device.data(), v_device.data(),
            lists_device.as<std::int32_t>(), counts_device.as<std::int32_t>(),
            setting.branches == AttentionBranches::local_only ? nullptr : gates_device.as<float>(),
            shape.compresses() ? compressed_device.as<float>() : nullptr, out.data(),
            counter.as<std::int32_t>()},
           body, stream);
    stream.wait();
#ifdef MOSAIC_EMULATED_DEVICE
    emulation::settings().blocks = nullptr;
#endif
    return checked_rows(download(out));
  }

  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

  /// Blocks of groups from_group ... to_group of a list.
  std::vector<std::int32_t> list(std::int64_t number, int from_group, int to_group) const;

 private:
  static bool is_in(const std::vector<std::int64_t>& some, std::int64_t block) {
    return some.empty() || std::find(some.begin(), some.end(), block) != some.end();
  }
  std::vector<float> gate_numbers(std::size_t rows, std::uint64_t seed) const;
  void make_lists(std::uint64_t seed);
  std::set<std::int32_t> selected_blocks(std::int64_t query_block, std::mt19937_64& random) const;
  void poison_unused();
};

/// Softmax over the three branches; absent ones get 0 and the rest is divided by (its sum + 1e-8).
inline std::vector<float> AttendCase::gate_numbers(std::size_t rows, std::uint64_t seed) const {
  std::vector<float> numbers = normal_numbers(3 * rows, seed);
  for (std::size_t row = 0; row < rows; ++row) {
    float* gate = numbers.data() + 3 * row;
    double total = 0;
    for (int i = 0; i < 3; ++i) {
      const bool there = i == 0 || (i == 1 ? shape.compresses() : shape.selects());
      gate[i] = there ? std::exp(gate[i]) : 0.0F;
      total += gate[i];
    }
    for (int i = 0; i < 3; ++i) {
      gate[i] = static_cast<float>(gate[i] / (total + 1e-8));
    }
  }
  return numbers;
}

inline std::set<std::int32_t> AttendCase::selected_blocks(std::int64_t query_block,
                                                          std::mt19937_64& random) const {
  std::set<std::int32_t> chosen;
  if (!shape.selects()) {
    return chosen;
  }
  const std::int64_t run = query_block / setting.local_blocks * setting.local_blocks;
  const auto add = [&](std::int64_t block) {
    chosen.insert(static_cast<std::int32_t>(block % setting.blocks));
  };
  for (std::int64_t i = 0; static_cast<std::int64_t>(chosen.size()) < setting.selected; ++i) {
    switch (setting.selection) {
      case Selection::local_run:
      case Selection::everything:
        add(run + i);
        break;
      case Selection::disjoint:
        add(run + setting.local_blocks + i);
        break;
      case Selection::one_for_all:
        i == 0 ? add(3) : add(static_cast<std::int64_t>(random() % 1024));
        break;
      case Selection::random:
        add(static_cast<std::int64_t>(random() % 1024));
        break;
    }
  }
  return chosen;
}

inline void AttendCase::make_lists(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::int64_t columns = shape.members * shape.kv_heads;
  lists.assign(size(columns * shape.blocks() * shape.list_capacity()), 1 << 20);
  counts.assign(size(columns * shape.blocks() * 4), 0);
  for (std::int64_t number = 0; number < columns * shape.blocks(); ++number) {
    const std::int64_t query_block = number % shape.blocks();
    if (!is_in(setting.listed, query_block)) {
      continue;
    }
    const std::set<std::int32_t> selected = selected_blocks(query_block, random);
    std::vector<std::int32_t> group[3];
    for (std::int32_t block = 0; block < shape.blocks(); ++block) {
      const bool local = block / setting.local_blocks == query_block / setting.local_blocks;
      if (local || selected.contains(block)) {
        group[local && selected.contains(block) ? 0 : local ? 1 : 2].push_back(block);
      }
    }
    std::int32_t* place = lists.data() + number * shape.list_capacity();
    for (std::size_t i = 0; i < 3; ++i) {
      place = std::copy(group[i].begin(), group[i].end(), place);
      counts[4 * size(number) + i] = static_cast<std::int32_t>(group[i].size());
    }
  }
}

inline std::vector<std::int32_t> AttendCase::list(std::int64_t number, int from_group, int to_group) const {
  const std::int32_t* place = lists.data() + number * shape.list_capacity();
  std::vector<std::int32_t> blocks;
  for (int group = 0; group <= to_group; ++group) {
    const std::int32_t count = counts[size(4 * number + group)];
    if (group >= from_group) {
      blocks.insert(blocks.end(), place, place + count);
    }
    place += count;
  }
  return blocks;
}

inline void AttendCase::poison_unused() {
  for (std::int64_t column = 0; column < shape.members * shape.kv_heads; ++column) {
    std::set<std::int32_t> used;
    for (std::int64_t block = 0; block < shape.blocks(); ++block) {
      const auto named = list(column * shape.blocks() + block, 0, 2);
      used.insert(named.begin(), named.end());
    }
    for (std::int32_t block = 0; block < shape.blocks(); ++block) {
      if (!used.contains(block)) {
        const auto first = (column * shape.blocks() + block) * device_block * device_head_width;
        std::fill_n(k.begin() + first, device_block * device_head_width, std::nanf(""));
        std::fill_n(v.begin() + first, device_block * device_head_width, std::nanf(""));
      }
    }
  }
}

/// One branch of a query row, operation by operation at the precision of `type`.
inline std::vector<float> naive_branch(ElementType type, const float* q, const float* k, const float* v,
                                       const std::vector<std::int32_t>& blocks) {
  constexpr std::int64_t width = device_head_width;
  std::vector<float> scores, out(static_cast<std::size_t>(width));
  float highest = -std::numeric_limits<float>::infinity(), sum = 0;
  for (const std::int64_t block : blocks) {
    for (std::int64_t key = block * device_block; key < (block + 1) * device_block; ++key) {
      float score = 0;
      for (std::int64_t d = 0; d < width; ++d) {
        score += q[d] * k[key * width + d];
      }
      scores.push_back(rounded(type, rounded(type, score) / 8));
      highest = std::max(highest, scores.back());
    }
  }
  for (float& score : scores) {
    score = std::exp(score - highest);
    sum += score;
  }
  std::size_t next = 0;
  for (const std::int64_t block : blocks) {
    for (std::int64_t key = block * device_block; key < (block + 1) * device_block; ++key) {
      const float weight = rounded(type, scores[next++] / sum);
      for (std::int64_t d = 0; d < width; ++d) {
        out[static_cast<std::size_t>(d)] += weight * v[key * width + d];
      }
    }
  }
  for (float& value : out) {
    value = rounded(type, value);
  }
  return out;
}

inline std::vector<float> AttendCase::naive() const {
  constexpr std::int64_t width = device_head_width;
  const auto round = [&](float x) { return rounded(setting.type, x); };
  std::vector<float> out(q.size());
  const auto add = [&](std::int64_t row, float gate, const auto& values) {
    for (std::int64_t d = 0; d < width; ++d) {
      float& sum = out[size(row * width + d)];
      sum = round(sum + round(round(gate) * round(values[d])));
    }
  };
  const bool gated = setting.branches != AttentionBranches::local_only;
  for (std::int64_t number = 0; number < shape.members * shape.kv_heads * shape.blocks(); ++number) {
    const std::int64_t column = number / shape.blocks(), block = number % shape.blocks(),
                       member = column / shape.kv_heads;
    if (!is_in(setting.checked, block)) {
      continue;
    }
    const auto local = list(number, 0, 1), more = list(number, 2, 2);
    auto selected = list(number, 0, 0);
    selected.insert(selected.end(), more.begin(), more.end());
    const float* keys = k.data() + column * shape.tokens * width;
    const float* values = v.data() + column * shape.tokens * width;
    for (std::int64_t i = 0; i < device_group * device_block; ++i) {
      const std::int64_t head = column % shape.kv_heads * device_group + i / device_block;
      const std::int64_t token = member * shape.tokens + block * device_block + i % device_block;
      const std::int64_t row = token * shape.heads() + head;
      const float* q_row = q.data() + (number * device_group * device_block + i) * width;
      add(row, gated ? gates[size(3 * row)] : 1,
          naive_branch(setting.type, q_row, keys, values, local).data());
      if (gated) {
        add(row, gates[size(3 * row + 2)], naive_branch(setting.type, q_row, keys, values, selected).data());
      }
      if (shape.compresses()) {
        add(row, gates[size(3 * row + 1)],
            compressed.data() + ((member * shape.blocks() + block) * shape.heads() + head) * width);
      }
    }
  }
  return checked_rows(out);
}

}  // namespace mosaic::kernels
