#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>

#include "device/device_arrays.hpp"
#include "kernels/block_sparse_attention/block_lists.hpp"
#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::size_t width = device_head_width, group = device_group;
using Blocks = std::vector<std::int32_t>;

// ---- The splitting of sets, on the host ----

/// Lists and counts as 32 lanes write them; places that nobody writes hold -1.
std::pair<Blocks, Blocks> split(const std::vector<bool>& selected, int first_local, int local_blocks) {
  std::vector<std::uint32_t> words((selected.size() + 31) / 32);
  for (std::size_t j = 0; j < selected.size(); ++j) {
    words[j / 32] |= std::uint32_t(selected[j]) << j % 32;
  }
  Blocks list(selected.size() + static_cast<std::size_t>(local_blocks) + 1, -1), counts(5, -1);
  for (int lane = 0; lane < 32; ++lane) {
    write_block_list(words.data(), static_cast<int>(words.size()), first_local, local_blocks, lane,
                     list.data(), counts.data());
  }
  return {list, counts};
}

/// The three groups by set operations.
std::pair<Blocks, Blocks> groups_of(const std::set<std::int32_t>& selected, std::int32_t first_local,
                                    std::int32_t local_blocks) {
  Blocks both, local, others;
  for (std::int32_t j = first_local; j < first_local + local_blocks; ++j) {
    (selected.count(j) != 0 ? both : local).push_back(j);
  }
  for (const std::int32_t j : selected) {
    if (j < first_local || j >= first_local + local_blocks) {
      others.push_back(j);
    }
  }
  const Blocks counts = {std::int32_t(both.size()), std::int32_t(local.size()), std::int32_t(others.size()),
                         0};
  both.insert(both.end(), local.begin(), local.end());
  both.insert(both.end(), others.begin(), others.end());
  return {both, counts};
}

TEST(BlockLists, GroupsOfRandomSets) {
  std::mt19937_64 bits(1);
  for (const int blocks : {1, 8, 31, 32, 33, 64, 96, 100, 384}) {
    for (const int local_blocks : {1, 2, 8, 40, blocks}) {
      for (unsigned thinning = 0; thinning < 4 && local_blocks <= blocks; ++thinning) {
        std::vector<bool> selected(static_cast<std::size_t>(blocks));
        std::set<std::int32_t> set;
        for (int j = 0; j < blocks; ++j) {
          if (bits() % 8 < thinning * 8 / 3) {  // none ... all
            selected[static_cast<std::size_t>(j)] = true;
            set.insert(j);
          }
        }
        const int first = static_cast<int>(bits() % static_cast<unsigned>(blocks - local_blocks + 1));
        auto [list, counts] = split(selected, first, local_blocks);
        const auto [expected, expected_counts] = groups_of(set, first, local_blocks);
        EXPECT_EQ(counts, (Blocks{expected_counts[0], expected_counts[1], expected_counts[2], 0, -1}));
        EXPECT_TRUE(std::all_of(list.begin() + static_cast<std::ptrdiff_t>(expected.size()), list.end(),
                                [](std::int32_t j) { return j == -1; }));
        list.resize(expected.size());
        EXPECT_EQ(list, expected) << blocks << ' ' << first << ' ' << local_blocks;
      }
    }
  }
}

TEST(BlockLists, Bits) {
  std::mt19937 bits(2);
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t x = bits() & (i % 2 == 0 ? ~0U : bits());
    EXPECT_EQ(bits_in(x), std::popcount(x));
  }
  EXPECT_EQ(bits_in(0), 0);
  EXPECT_EQ(bits_in(~0U), 32);
  EXPECT_EQ(word_of_run(0, 8, 8), 0xff00U);
  EXPECT_EQ(word_of_run(0, 24, 16), 0xff000000U);
  EXPECT_EQ(word_of_run(1, 24, 16), 0xffU);
  EXPECT_EQ(word_of_run(2, 24, 16), 0U);
  EXPECT_EQ(word_of_run(1, 0, 384), ~0U);
  EXPECT_EQ(word_of_run(0, 32, 32), 0U);
}

TEST(BlockLists, OrderOfScores) {
  const auto key = [](float x) { return ordered_bits(std::bit_cast<std::uint32_t>(x)); };
  const float ascending[] = {-INFINITY, -1e30F, -2, -1.5F, -1e-40F, 0, 1e-40F, 1, 1.5F, 1e30F, INFINITY};
  for (std::size_t i = 1; i < std::size(ascending); ++i) {
    EXPECT_LT(key(ascending[i - 1]), key(ascending[i])) << ascending[i];
  }
  EXPECT_EQ(key(-0.0F), key(0.0F));
}

// ---- Selection and compressed branch on the device ----

/// Multiples of 1/2 in [-1, 1]: scores are exact in every order of summation, so that ties are ties.
std::vector<float> exact_numbers(std::size_t count, unsigned seed) {
  std::mt19937_64 bits(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    value = static_cast<float>(static_cast<int>(bits() % 5) - 2) / 2;
  }
  return values;
}

struct SelectionCase {
  std::size_t blocks = 8, kv_heads = 1, selected = 3, members = 1, local_blocks = 8;
  AttentionBranches branches = AttentionBranches::all;
  std::vector<float> q = {}, k = {}, v = {};  // means
  Blocks given = {};

  std::size_t heads() const { return kv_heads * group; }
  std::size_t rows() const { return members * kv_heads * blocks; }
  std::size_t capacity() const { return local_blocks + (selects() ? selected : 0); }
  bool selects() const {
    return branches == AttentionBranches::all || branches == AttentionBranches::no_compressed;
  }
  bool compresses() const {
    return branches == AttentionBranches::all || branches == AttentionBranches::no_selected;
  }
  void fill(unsigned seed) {
    if (selected == 0) {
      branches = AttentionBranches::no_selected;
    }
    q = exact_numbers(members * blocks * heads() * width, seed);
    k = exact_numbers(members * blocks * kv_heads * width, seed + 1);
    v = normal_numbers(k.size(), seed + 2, 1.0, ElementType::float32);
  }
};

struct Selection {
  Blocks lists, counts;  ///< [B, K, I, capacity], [B, K, I, 4]
  std::vector<float> compressed;
};

Selection run(const SelectionCase& which) {
  const auto q = upload(which.q), k = upload(which.k), v = upload(which.v);
  const auto lists = upload_integers(Blocks(which.rows() * which.capacity(), -1)),
             counts = upload_integers(Blocks(which.rows() * 4, -1));
  DeviceMemory given;
  if (!which.given.empty()) {
    given = upload_integers(which.given);
  }
  const auto compressed = poisoned(which.q.size());
  BlockSelectionArgs args{{std::int64_t(which.members), std::int64_t(which.blocks * device_block),
                           std::int64_t(which.kv_heads),
                           BlockSparsePattern{std::int64_t(which.local_blocks * device_block), device_block,
                                              std::int64_t(which.selected), which.branches}}};
  if (which.branches != AttentionBranches::local_only) {
    args.q_mean = q.as<float>();
    args.k_mean = k.as<float>();
    args.v_mean = v.as<float>();
  }
  args.given = given.as<std::int32_t>();
  args.lists = lists.as<std::int32_t>();
  args.counts = counts.as<std::int32_t>();
  args.compressed = which.compresses() ? compressed.as<float>() : nullptr;
  const Stream stream;
  select_blocks(args, stream);
  stream.wait();
  return {download_integers(lists), download_integers(counts), download(compressed)};
}

/// The reference of the whole operation on one member whose tokens are the block means (S = 1), with gates
/// that leave the compressed branch alone.
struct Reference {
  std::vector<std::int64_t> index;  ///< [I, K, n]
  std::vector<double> compressed;   ///< [I, H, D]
};

Reference reference(const SelectionCase& which, std::size_t member) {
  const auto part = [&](const std::vector<float>& all) {
    const std::size_t size = all.size() / which.members;
    return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(member * size),
                               all.begin() + static_cast<std::ptrdiff_t>((member + 1) * size));
  };
  const auto q = part(which.q), k = part(which.k), v = part(which.v);
  std::vector<double> gates;
  for (std::size_t i = 0; i < which.blocks * which.heads(); ++i) {
    gates.insert(gates.end(), {-1000.0, 0.0, -1000.0});
  }
  Reference out{std::vector<std::int64_t>(which.blocks * which.kv_heads * which.selected),
                std::vector<double>(q.size())};
  block_sparse_attention(BlockSparseAttentionArgs<double>{std::int64_t(which.blocks),
                                                          std::int64_t(which.heads()),
                                                          std::int64_t(which.kv_heads),
                                                          device_head_width,
                                                          {1, 1, std::int64_t(which.selected)},
                                                          q.data(),
                                                          k.data(),
                                                          v.data(),
                                                          gates.data(),
                                                          out.compressed.data(),
                                                          out.index.data()},
                         Backend::reference);
  return out;
}

/// softmax(q . k / 8) v in `Number`, operation by operation.
template <class Number>
std::vector<Number> compressed_branch(const SelectionCase& which) {
  std::vector<Number> out(which.q.size());
  std::vector<Number> weight(which.blocks);
  for (std::size_t row = 0; row < which.q.size() / width; ++row) {  // [B, I, H]
    const std::size_t kv = row % which.heads() / group, member = row / which.heads() / which.blocks;
    const auto key = [&](std::size_t j) {
      return ((member * which.blocks + j) * which.kv_heads + kv) * width;
    };
    Number largest = -INFINITY, total = 0;
    for (std::size_t j = 0; j < which.blocks; ++j) {
      weight[j] = 0;
      for (std::size_t d = 0; d < width; ++d) {
        weight[j] += Number(which.q[row * width + d]) * Number(which.k[key(j) + d]);
      }
      weight[j] /= 8;
      largest = std::max(largest, weight[j]);
    }
    for (Number& w : weight) {
      w = std::exp(w - largest);
      total += w;
    }
    for (std::size_t j = 0; j < which.blocks; ++j) {
      for (std::size_t d = 0; d < width; ++d) {
        out[row * width + d] += weight[j] / total * Number(which.v[key(j) + d]);
      }
    }
  }
  return out;
}

/// What a query block's list should be, from the blocks that a rule selects.
using Rule = std::function<std::set<std::int32_t>(std::size_t member, std::size_t kv, std::size_t query)>;

bool lists_follow(const Selection& ours, const SelectionCase& which, const Rule& rule) {
  for (std::size_t row = 0; row < which.rows(); ++row) {
    const std::size_t query = row % which.blocks, kv = row / which.blocks % which.kv_heads,
                      member = row / which.blocks / which.kv_heads;
    const auto first_local = static_cast<std::int32_t>(query / which.local_blocks * which.local_blocks);
    const auto [list, counts] =
        groups_of(rule(member, kv, query), first_local, static_cast<std::int32_t>(which.local_blocks));
    if (!std::equal(counts.begin(), counts.end(),
                    ours.counts.begin() + static_cast<std::ptrdiff_t>(row * 4)) ||
        !std::equal(list.begin(), list.end(),
                    ours.lists.begin() + static_cast<std::ptrdiff_t>(row * which.capacity()))) {
      return false;
    }
  }
  return true;
}

Rule by_reference(const SelectionCase& which, std::vector<double>* compressed = nullptr) {
  std::vector<std::vector<std::int64_t>> index;
  for (std::size_t m = 0; m < which.members; ++m) {
    auto of_member = reference(which, m);
    index.push_back(std::move(of_member.index));
    if (compressed != nullptr) {
      compressed->insert(compressed->end(), of_member.compressed.begin(), of_member.compressed.end());
    }
  }
  return [index, K = which.kv_heads, n = which.selected](std::size_t m, std::size_t kv, std::size_t query) {
    const auto first = index[m].begin() + static_cast<std::ptrdiff_t>((query * K + kv) * n);
    return std::set<std::int32_t>(first, first + static_cast<std::ptrdiff_t>(n));
  };
}

/// Selected by `score` of a key block, of equal ones the first in `order`.
std::set<std::int32_t> best(const SelectionCase& which, Blocks order,
                            const std::function<double(std::int32_t)>& score) {
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return score(a) > score(b); });
  return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(which.selected)};
}

/// Mean score of heads first + r stride, r = 0 ... 3.
double head_mean(const SelectionCase& which, std::size_t member, std::size_t query, std::int32_t key,
                 std::size_t first, std::size_t stride) {
  double sum = 0;
  for (std::size_t r = 0; r < group; ++r) {
    const std::size_t head = first + r * stride;
    for (std::size_t d = 0; d < width; ++d) {
      sum +=
          double(which.q[((member * which.blocks + query) * which.heads() + head) * width + d]) *
          double(
              which.k[((member * which.blocks + std::size_t(key)) * which.kv_heads + head / group) * width +
                      d]);
    }
  }
  return sum / group;
}

class SelectBlocks : public DeviceTest {
 protected:
  static void expect_reference(const SelectionCase& which) {
    const auto ours = run(which);
    std::vector<double> exact;
    EXPECT_TRUE(lists_follow(ours, which, by_reference(which, &exact)))
        << which.blocks << ' ' << which.selected;
    EXPECT_TRUE(
        within_twice_naive(ours.compressed, compressed_branch<float>(which), exact, ElementType::float32))
        << which.blocks << ' ' << which.selected;
  }
};

TEST_F(SelectBlocks, EightBlocksAnyNumberSelected) {
  for (std::size_t n = 0; n <= 8; ++n) {
    for (const std::size_t local_blocks : {1, 2, 8}) {
      SelectionCase which{8, 1, n, 1, local_blocks};
      which.fill(static_cast<unsigned>(n));
      expect_reference(which);
    }
  }
}

using Shapes = std::vector<std::array<std::size_t, 4>>;  // blocks, key/value heads, selected, members

class SelectBlocksShapes : public SelectBlocks {
 protected:
  static void expect_references(const Shapes& shapes) {
    for (const auto& [blocks, kv_heads, selected, members] : shapes) {
      SelectionCase which{blocks, kv_heads, selected, members,
                          blocks == 7       ? std::size_t(7)
                          : blocks % 8 == 0 ? 8
                                            : 4};
      which.fill(static_cast<unsigned>(blocks));
      expect_reference(which);
    }
  }
};

TEST_F(SelectBlocksShapes, Small) { expect_references({{7, 3, 3, 1}, {16, 1, 4, 2}, {24, 5, 4, 1}}); }

TEST_F(SelectBlocksShapes, Large) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "minutes with sanitizers";
#endif
  expect_references({{96, 4, 12, 3}, {384, 3, 24, 1}, {1300, 1, 5, 1}});  // the last: scores in parts
}

TEST_F(SelectBlocks, ScoresThatAreNotExact) {
  SelectionCase which{24, 2, 5, 1, 8};
  which.fill(3);
  which.q = normal_numbers(which.q.size(), 4, 1.0, ElementType::float32);
  which.k = normal_numbers(which.k.size(), 5, 1.0, ElementType::float32);
  expect_reference(which);
}

/// Scores up to +-60 and beyond the range of float32's exponential.
TEST_F(SelectBlocks, LargeScores) {
  SelectionCase which{24, 1, 4, 1, 8};
  which.fill(6);
  for (float& x : which.q) {
    x *= 64;
  }
  expect_reference(which);
}

TEST_F(SelectBlocks, EqualScoresGoToTheLowerBlocks) {
  SelectionCase which{40, 2, 5, 1, 8};
  which.fill(7);
  std::fill(which.k.begin(), which.k.end(), 0.5F);
  const Rule lowest = [](auto...) { return std::set<std::int32_t>{0, 1, 2, 3, 4}; };
  EXPECT_TRUE(lists_follow(run(which), which, lowest));
  // Two best (7, 38), the others tied.
  std::fill(which.q.begin(), which.q.end(), 1.0F);
  for (const std::size_t j : {7, 38}) {
    std::fill_n(which.k.begin() + static_cast<std::ptrdiff_t>(j * 2 * width), 2 * width, 1.0F);
  }
  EXPECT_TRUE(lists_follow(run(which), which, [](auto...) {
    return std::set<std::int32_t>{0, 1, 2, 7, 38};
  }));
}

TEST_F(SelectBlocks, OneBlockBestForAll) {
  SelectionCase which{40, 2, 1, 1, 8};
  which.fill(8);
  std::fill(which.q.begin(), which.q.end(), 1.0F);
  for (std::size_t i = 0; i < which.k.size(); ++i) {
    which.k[i] = i / (2 * width) % 40 == 33 ? -0.5F : -1.0F;  // all scores negative
  }
  EXPECT_TRUE(lists_follow(run(which), which, [](auto...) { return std::set<std::int32_t>{33}; }));
  expect_reference(which);
}

TEST_F(SelectBlocks, ScoresOfOppositeSign) {
  SelectionCase which{48, 1, 3, 1, 8};
  which.fill(9);
  std::fill(which.q.begin(), which.q.end(), 1.0F);
  for (std::size_t i = 0; i < which.k.size(); ++i) {
    const auto j = static_cast<int>(i / width);
    which.k[i] = static_cast<float>((j % 2 == 0 ? -1 : 1) * (j - 24)) / 64;
  }
  expect_reference(which);
}

/// Products of -1e-60 round to -0, which ties with 0.
TEST_F(SelectBlocks, NegativeZeroIsZero) {
  SelectionCase which{40, 1, 4, 1, 8};
  which.fill(10);
  std::fill(which.q.begin(), which.q.end(), 1e-30F);
  for (std::size_t i = 0; i < which.k.size(); ++i) {
    which.k[i] = i / width % 2 == 0 ? -1e-30F : 1e-30F;
  }
  EXPECT_TRUE(lists_follow(run(which), which, [](auto...) { return std::set<std::int32_t>{0, 1, 2, 3}; }));
}

TEST_F(SelectBlocks, GivenSelection) {
  SelectionCase which{40, 2, 6, 1, 8};
  which.fill(11);
  std::mt19937_64 bits(12);
  for (std::size_t row = 0; row < which.rows(); ++row) {
    std::set<std::int32_t> set;
    while (set.size() < which.selected) {
      set.insert(static_cast<std::int32_t>(bits() % which.blocks));
    }
    which.given.insert(which.given.end(), set.begin(), set.end());
  }
  const auto ours = run(which);
  EXPECT_TRUE(lists_follow(ours, which, [&](std::size_t m, std::size_t kv, std::size_t query) {
    const auto first = which.given.begin() +
                       static_cast<std::ptrdiff_t>(((m * which.blocks + query) * which.kv_heads + kv) * 6);
    return std::set<std::int32_t>(first, first + 6);
  }));
  EXPECT_FALSE(lists_follow(ours, which, by_reference(which)));
  auto by_score = which;
  by_score.given.clear();
  EXPECT_EQ(ours.compressed, run(by_score).compressed);
}

TEST_F(SelectBlocks, EveryChoiceOfBranches) {
  for (const auto branches : {AttentionBranches::no_compressed, AttentionBranches::no_selected,
                              AttentionBranches::local_only, AttentionBranches::all}) {
    SelectionCase which{16, 2, 4, 1, 4, branches};
    which.fill(13);
    const auto ours = run(which);
    const Rule rule =
        which.selects() ? by_reference(which) : [](auto...) { return std::set<std::int32_t>{}; };
    EXPECT_TRUE(lists_follow(ours, which, rule)) << static_cast<int>(branches);
    EXPECT_EQ(std::isfinite(distance(ours.compressed, compressed_branch<double>(which))), which.compresses());
  }
}

std::vector<float> joined(const Selection& selection) {
  std::vector<float> all = selection.compressed;
  all.insert(all.end(), selection.lists.begin(), selection.lists.end());
  all.insert(all.end(), selection.counts.begin(), selection.counts.end());
  return all;
}

TEST_F(SelectBlocks, TheSameBitsInEveryOrderAndForAMemberAlone) {
  SelectionCase which{16, 1, 5, 3, 8};
  which.fill(14);
  which.q = normal_numbers(which.q.size(), 15, 1.0, ElementType::float32);
  in_all_orders([&] { return joined(run(which)); });
  const auto second = [](auto values) {
    const auto third = static_cast<std::ptrdiff_t>(values.size() / 3);
    return decltype(values)(values.begin() + third, values.begin() + 2 * third);
  };
  const auto all = run(which);
  SelectionCase alone = which;
  alone.members = 1;
  alone.q = second(which.q);
  alone.k = second(which.k);
  alone.v = second(which.v);
  EXPECT_EQ(joined(run(alone)), joined({second(all.lists), second(all.counts), second(all.compressed)}));
}

/// Must fail: scores of the heads that share keys instead of every K-th; ties to the higher block; another
/// head's branch.
TEST_F(SelectBlocks, WrongVariantsAreSeen) {
  SelectionCase which{24, 3, 4, 1, 8};
  which.fill(16);
  const auto ours = run(which);
  Blocks ascending(which.blocks);
  std::iota(ascending.begin(), ascending.end(), 0);
  const Blocks descending(ascending.rbegin(), ascending.rend());
  const auto rule = [&](const Blocks& order, bool by_group) -> Rule {
    return [&, order, by_group](std::size_t m, std::size_t kv, std::size_t query) {
      return best(which, order, [&](std::int32_t key) {
        return head_mean(which, m, query, key, by_group ? kv * group : kv, by_group ? 1 : which.kv_heads);
      });
    };
  };
  EXPECT_TRUE(lists_follow(ours, which, rule(ascending, false)));
  EXPECT_FALSE(lists_follow(ours, which, rule(ascending, true)));
  EXPECT_FALSE(lists_follow(ours, which, rule(descending, false)));
  auto shifted = ours.compressed;
  std::rotate(shifted.begin(), shifted.begin() + width, shifted.end());
  EXPECT_FALSE(within_twice_naive(shifted, compressed_branch<float>(which), compressed_branch<double>(which),
                                  ElementType::float32));
}

}  // namespace
}  // namespace mosaic::kernels
