#include "campaign/rank_groups.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace mosaic {
namespace {

TEST(RankGroups, ManyInitialTimesNeedNoGroups) {
  EXPECT_EQ(number_of_groups(64, std::nullopt, 720, 6), 64);
  EXPECT_EQ(number_of_groups(1, std::nullopt, 720, 6), 1);
  EXPECT_EQ(number_of_groups(4, std::nullopt, 1, 1), 4) << "one batch cannot be divided";
}

TEST(RankGroups, FewInitialTimesAreSharedOut) {
  EXPECT_EQ(number_of_groups(4, std::nullopt, 1, 4), 1);
  EXPECT_EQ(number_of_groups(8, std::nullopt, 2, 4), 2);
  EXPECT_EQ(number_of_groups(12, std::nullopt, 2, 6), 2);
  EXPECT_EQ(number_of_groups(4, std::nullopt, 5, 2), 2) << "3 rounds of 1 batch are less than 2 of 2";
}

TEST(RankGroups, ChosenSizeIsAtLeastReached) {
  for (int ranks = 1; ranks <= 9; ++ranks) {
    for (int wanted = 1; wanted <= 12; ++wanted) {
      const int groups = number_of_groups(ranks, wanted, 100, 1);
      ASSERT_GE(groups, 1);
      ASSERT_GE(ranks / groups, std::min(ranks, wanted));
    }
  }
}

TEST(RankGroups, AreConsecutiveAndEven) {
  for (int ranks = 1; ranks <= 9; ++ranks) {
    for (int groups = 1; groups <= ranks; ++groups) {
      std::vector<int> sizes(static_cast<std::size_t>(groups));
      int last = 0;
      for (int rank = 0; rank < ranks; ++rank) {
        const int group = group_of_rank(rank, ranks, groups);
        ASSERT_TRUE(group == last || group == last + 1);
        last = group;
        ++sizes.at(static_cast<std::size_t>(group));
      }
      for (const int size : sizes) {
        EXPECT_GE(size, ranks / groups);
        EXPECT_LE(size, (ranks + groups - 1) / groups);
      }
    }
  }
}

}  // namespace
}  // namespace mosaic
