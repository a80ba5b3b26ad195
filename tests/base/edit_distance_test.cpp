#include "base/edit_distance.hpp"

#include <gtest/gtest.h>

namespace mosaic {
namespace {

TEST(EditDistance, CountsSingleLetters) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("ab", "ba"), 2U);  // a swap is not one step
  EXPECT_EQ(edit_distance("temprature", "temperature"), 1U);
}

}  // namespace
}  // namespace mosaic
