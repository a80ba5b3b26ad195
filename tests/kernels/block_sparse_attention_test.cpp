#include "kernels/block_sparse_attention/block_sparse_attention.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "kernels/attention_case.hpp"

namespace mosaic::kernels {
namespace {

#ifdef MOSAIC_HAVE_TORCH
const std::vector<Backend> backends = {Backend::reference, Backend::cpu};
#else
const std::vector<Backend> backends = {Backend::reference};
#endif

template <class T>
class BlockSparseAttention : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(BlockSparseAttention, Types);

/// Every other backend against the reference: the same blocks, and values within the derived limit.
template <class T>
void expect_backends_agree(const AttentionCase<T>& which) {
  const auto truth = which.run(Backend::reference);
  const double limit = which.limit();
  for (const Backend backend : backends) {
    const auto ours = which.run(backend);
    ASSERT_EQ(ours.index, truth.index) << which.shape;
    for (std::size_t i = 0; i < ours.out.size(); ++i) {
      ASSERT_LE(std::abs(static_cast<double>(ours.out[i]) - static_cast<double>(truth.out[i])), limit)
          << "value " << i << " of " << which.shape;
    }
  }
}

// Shapes of the design: (blocks, K, n, members). Scores are exact (see exact_numbers), so ties are real ties.

TYPED_TEST(BlockSparseAttention, EightBlocksAnyNumberSelected) {
  for (std::int64_t n = 0; n <= 8;
       ++n) {  // S = nothing ... everything; L = 8 blocks, so that S lies within L
    expect_backends_agree(AttentionCase<TypeParam>({8, 1, 4, 16, 8, 8, n}));
    expect_backends_agree(AttentionCase<TypeParam>({8, 1, 4, 16, 8, 2, n}, 5));
  }
}

TYPED_TEST(BlockSparseAttention, PublishedBlockAndHeadWidth) {
  expect_backends_agree(AttentionCase<TypeParam>({8, 1, 4, 64, 128, 8, 3}));
}

TYPED_TEST(BlockSparseAttention, SixteenBlocksTwoMembers) {
  for (const unsigned member : {10U, 20U}) {
    expect_backends_agree(AttentionCase<TypeParam>({16, 1, 4, 16, 16, 8, 4}, member));
  }
}

TYPED_TEST(BlockSparseAttention, OddNumbersOfBlocksAndHeads) {
  expect_backends_agree(AttentionCase<TypeParam>({24, 5, 4, 16, 8, 8, 4}));
  expect_backends_agree(AttentionCase<TypeParam>({7, 3, 3, 4, 4, 7, 3}));
  expect_backends_agree(AttentionCase<TypeParam>({3, 2, 1, 8, 1, 1, 2}));
  expect_backends_agree(AttentionCase<TypeParam>({9, 1, 1, 2, 3, 3, 9}));
}

TYPED_TEST(BlockSparseAttention, NinetySixBlocksThreeMembers) {
  for (const unsigned member : {1U, 2U, 3U}) {
    expect_backends_agree(AttentionCase<TypeParam>({96, 4, 4, 16, 4, 8, 12}, member));
  }
}

TYPED_TEST(BlockSparseAttention, AllBlocksOfTheFinestMesh) {
  expect_backends_agree(AttentionCase<TypeParam>({384, 3, 4, 8, 2, 8, 24}));
}

TYPED_TEST(BlockSparseAttention, OneBlockAndOneToken) {
  expect_backends_agree(AttentionCase<TypeParam>({1, 2, 4, 16, 8, 1, 1}));
  expect_backends_agree(AttentionCase<TypeParam>({1, 2, 4, 16, 8, 1, 0}));
  expect_backends_agree(AttentionCase<TypeParam>({1, 1, 1, 1, 1, 1, 1}));
}

TYPED_TEST(BlockSparseAttention, EveryChoiceOfBranches) {
  for (const auto branches : {AttentionBranches::no_compressed, AttentionBranches::no_selected,
                              AttentionBranches::local_only, AttentionBranches::all}) {
    expect_backends_agree(AttentionCase<TypeParam>({12, 2, 4, 16, 8, 4, 5, branches}));
  }
}

/// Scores up to +-60 and beyond: exp(60) is near the end of float32, exp(100) past it.
TYPED_TEST(BlockSparseAttention, LargeScores) {
  for (const double score : {20.0, 60.0, 100.0}) {
    AttentionCase<TypeParam> which({8, 1, 4, 16, 8, 4, 3});
    for (TypeParam& x : which.q) {
      x *= static_cast<TypeParam>(std::floor(score));  // still exact
    }
    const auto truth = which.run(Backend::reference);
    EXPECT_TRUE(
        std::all_of(truth.out.begin(), truth.out.end(), [](TypeParam x) { return std::isfinite(x); }));
    expect_backends_agree(which);
  }
}

TYPED_TEST(BlockSparseAttention, LargeGates) {
  AttentionCase<TypeParam> which({8, 1, 4, 16, 8, 4, 3});
  for (TypeParam& gate : which.gates) {
    gate *= 60;
  }
  expect_backends_agree(which);
}

/// S and L disjoint: queries of one half of the sphere are drawn to keys of the other.
TYPED_TEST(BlockSparseAttention, SelectedBlocksOutsideTheLocalRun) {
  AttentionCase<TypeParam> which({8, 1, 4, 16, 8, 4, 4});
  const std::size_t half = which.k.size() / 2;
  std::fill_n(which.k.begin(), half, TypeParam(1));
  std::fill_n(which.k.begin() + half, half, TypeParam(-1));
  std::fill_n(which.q.begin(), which.q.size() / 2, TypeParam(-0.5));
  std::fill_n(which.q.begin() + which.q.size() / 2, which.q.size() / 2, TypeParam(0.5));
  const auto truth = which.run(Backend::reference);
  EXPECT_EQ(which.selected(truth, 0, 0), (std::vector<std::int64_t>{4, 5, 6, 7}));
  EXPECT_EQ(which.selected(truth, 7, 0), (std::vector<std::int64_t>{0, 1, 2, 3}));
  expect_backends_agree(which);
}

TYPED_TEST(BlockSparseAttention, OneBlockChosenByAll) {
  AttentionCase<TypeParam> which({12, 2, 4, 16, 8, 4, 1});
  std::fill(which.q.begin(), which.q.end(), TypeParam(1));
  std::fill(which.k.begin(), which.k.end(), TypeParam(0));
  const std::size_t block = which.k.size() / 12;
  std::fill_n(which.k.begin() + 9 * block, block, TypeParam(1));
  for (const Backend backend : backends) {
    const auto result = which.run(backend);
    EXPECT_TRUE(std::all_of(result.index.begin(), result.index.end(), [](auto i) { return i == 9; }));
  }
  expect_backends_agree(which);
}

TYPED_TEST(BlockSparseAttention, TiesGoToTheLowerBlock) {
  AttentionCase<TypeParam> which({9, 2, 4, 16, 8, 3, 4});
  std::fill(which.k.begin(), which.k.end(), TypeParam(0.5));  // all keys equal: all scores equal
  for (const Backend backend : backends) {
    const auto result = which.run(backend);
    for (std::int64_t block = 0; block < 9; ++block) {
      EXPECT_EQ(which.selected(result, block, 1), (std::vector<std::int64_t>{0, 1, 2, 3}))
          << to_string(backend);
    }
  }
  // Two best blocks (7, 8), the rest tied.
  std::fill(which.q.begin(), which.q.end(), TypeParam(1));
  const std::size_t block = which.k.size() / 9;
  std::fill_n(which.k.begin() + 7 * block, 2 * block, TypeParam(1));
  for (const Backend backend : backends) {
    EXPECT_EQ(which.selected(which.run(backend), 5, 0), (std::vector<std::int64_t>{0, 1, 7, 8}));
  }
  expect_backends_agree(which);
}

/// The score of key/value head h averages the query heads h, h + K, ..., not those that share its keys.
TYPED_TEST(BlockSparseAttention, SelectionScoreTakesHeadsInStridesOfK) {
  AttentionCase<TypeParam> which({4, 2, 2, 1, 1, 1, 1});  // K 2, H 4: head 0 of K scores query heads 0 and 2
  const TypeParam query[4] = {1, 5, -3, 5};               // head 2 (group 1) outweighs head 0 (group 0)
  for (std::size_t i = 0; i < which.q.size(); ++i) {
    which.q[i] = query[i % 4];
  }
  // Head 0 meets the keys of kv head 0, head 2 those of kv head 1: score = (1 k0 - 3 k1) / 2.
  which.k = {1, 1, 2, 1, 3, 3, 0, -1};
  for (const Backend backend : backends) {
    EXPECT_EQ(which.selected(which.run(backend), 0, 0), (std::vector<std::int64_t>{3})) << to_string(backend);
  }
  // The scores of the group, (1 + 5) k0 / 2, would choose block 2.
}

TYPED_TEST(BlockSparseAttention, EqualKeysGiveMeansOfTheValues) {
  AttentionCase<TypeParam> which({4, 1, 1, 1, 2, 2, 1});
  std::fill(which.k.begin(), which.k.end(), TypeParam(1));
  std::fill(which.gates.begin(), which.gates.end(), TypeParam(7));  // gates 1/3 each
  which.v = {0, 6, 12, 18, 24, 30, 36, 42};
  // Token 5: local mean of tokens 4 ... 7 is 33, compressed 21, selected block 0 (all tied) 3.
  for (const Backend backend : backends) {
    EXPECT_NEAR(which.run(backend).out[5], (33.0 + 21.0 + 3.0) / 3, which.limit()) << to_string(backend);
  }
}

/// Dense attention is a local run of all tokens; a closed form with two distinct keys.
TYPED_TEST(BlockSparseAttention, SoftmaxOfScaledScoresInClosedForm) {
  AttentionCase<TypeParam> which({1, 1, 1, 4, 2, 1, 0, AttentionBranches::local_only});
  which.q = {1, 0, 0, 0, 0, 1, 0, 0};
  which.k = {static_cast<TypeParam>(2 * std::log(3.0)), 0, 0, 0, 0, 0, 0, 0};
  which.v = {4, 8, -4, 0, 0, 0, 0, 4};
  const double expected[8] = {3, 6, -3, 1, 2, 4, -2, 2};
  for (const Backend backend : backends) {
    const auto out = which.run(backend).out;
    for (std::size_t i = 0; i < 8; ++i) {
      EXPECT_NEAR(out[i], expected[i], 64 * std::numeric_limits<TypeParam>::epsilon());
    }
  }
}

/// Values of blocks that no query attends to may hold anything.
TYPED_TEST(BlockSparseAttention, BlocksThatNobodySelectsAreNotSeen) {
  AttentionCase<TypeParam> which({8, 1, 4, 16, 8, 1, 2, AttentionBranches::no_compressed});
  std::fill(which.q.begin(), which.q.end(), TypeParam(1));
  std::fill(which.k.begin(), which.k.end(), TypeParam(-1));
  const std::size_t block = which.k.size() / 8;
  std::fill_n(which.k.begin() + 2 * block, 2 * block, TypeParam(1));  // blocks 2, 3 for all
  const auto values = which.v;
  for (const Backend backend : backends) {
    which.v = values;
    const auto clean = which.run(backend).out;
    // Block 6 is seen by its own queries only.
    std::fill_n(which.v.begin() + 6 * block, block, TypeParam(1e30));
    const auto poisoned = which.run(backend).out;
    for (std::size_t i = 0; i < clean.size(); ++i) {
      if (i / (clean.size() / 8) != 6) {
        ASSERT_EQ(poisoned[i], clean[i]) << to_string(backend) << " value " << i;
      } else {
        ASSERT_NE(poisoned[i], clean[i]);
      }
    }
  }
}

TYPED_TEST(BlockSparseAttention, TheSameCallGivesTheSameBits) {
  const AttentionCase<TypeParam> which({24, 5, 4, 16, 8, 8, 4});
  for (const Backend backend : backends) {
    EXPECT_EQ(which.run(backend).out, which.run(backend).out) << to_string(backend);
  }
}

/// A must-fail twin: one changed key is seen by the comparison of backends.
TYPED_TEST(BlockSparseAttention, AChangedInputIsSeen) {
  const AttentionCase<TypeParam> which({8, 1, 4, 16, 8, 8, 3});
  AttentionCase<TypeParam> other = which;
  other.k[0] += TypeParam(0.5);
  const auto a = which.run(backends.back()).out, b = other.run(Backend::reference).out;
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  EXPECT_GT(largest, which.limit());
}

TEST(BlockSparsePattern, MisfitsAreNamed) {
  const auto check = [](const BlockSparsePattern& pattern, std::int64_t tokens, std::int64_t heads,
                        std::int64_t kv_heads, const std::string& words) {
    try {
      checked_pattern(pattern, tokens, heads, kv_heads);
      ADD_FAILURE() << "accepted: " << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::internal);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  check({8, 4, 1}, 16, 5, 2, "5 heads are not a multiple of 2");
  check({8, 4, 1}, 16, 4, 0, "4 heads are not a multiple of 0");
  check({7, 4, 1}, 16, 4, 2, "local block 7 does not divide 16");
  check({0, 4, 1}, 16, 4, 2, "local block 0");
  check({8, 3, 1}, 16, 4, 2, "sparse block 3 does not divide 16");
  check({8, 4, 5}, 16, 4, 2, "5 selected blocks of 4");
  check({8, 4, -1}, 16, 4, 2, "-1 selected blocks of 4");
  check({8, 4, 0, AttentionBranches::no_compressed}, 16, 4, 2, "use local_only");
}

TEST(BlockSparsePattern, NoneSelectedIsNoSelectedBranch) {
  EXPECT_EQ(checked_pattern({8, 4, 0}, 16, 4, 2).branches, AttentionBranches::no_selected);
  EXPECT_EQ(checked_pattern({8, 4, 4}, 16, 4, 2).branches, AttentionBranches::all);
  // Local only asks nothing of the sparse block.
  EXPECT_NO_THROW(checked_pattern({8, 0, 0, AttentionBranches::local_only}, 16, 4, 2));
}

}  // namespace
}  // namespace mosaic::kernels
