#include "stores/box_cache.hpp"

#include <gtest/gtest.h>

namespace mosaic::test {
namespace {

BoxCache::Key key(std::size_t start) { return {nullptr, "z", {start}, {1}}; }

BoxCache::Values floats(std::size_t count, float value) {
  return std::make_shared<const std::vector<float>>(count, value);
}

TEST(BoxCache, WhatWasNotUsedForTheLongestTimeGoesFirst) {
  BoxCache cache(3 * 10 * sizeof(float));
  for (const std::size_t i : {0U, 1U, 2U}) {
    cache.keep(key(i), floats(10, static_cast<float>(i)));
  }
  ASSERT_NE(cache.find(key(0)), nullptr);
  cache.keep(key(3), floats(10, 3.0F));
  EXPECT_EQ(cache.find(key(1)), nullptr);
  for (const std::size_t i : {0U, 2U, 3U}) {
    ASSERT_NE(cache.find(key(i)), nullptr) << i;
    EXPECT_EQ(cache.find(key(i))->front(), static_cast<float>(i));
  }
  cache.keep(key(4), floats(25, 4.0F));  // needs the room of all three
  EXPECT_EQ(cache.find(key(0)), nullptr);
  EXPECT_EQ(cache.find(key(2)), nullptr);
  EXPECT_EQ(cache.find(key(3)), nullptr);
  EXPECT_NE(cache.find(key(4)), nullptr);
}

TEST(BoxCache, WhatIsLargerThanTheLimitIsNotKept) {
  BoxCache cache(10 * sizeof(float));
  cache.keep(key(0), floats(10, 0.0F));
  cache.keep(key(1), floats(11, 1.0F));
  EXPECT_NE(cache.find(key(0)), nullptr);
  EXPECT_EQ(cache.find(key(1)), nullptr);
}

}  // namespace
}  // namespace mosaic::test
