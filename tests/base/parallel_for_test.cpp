#include "base/parallel_for.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <vector>

namespace mosaic {
namespace {

TEST(ParallelFor, VisitsEveryIndexOnce) {
  for (const int threads : {-1, 0, 1, 2, 8}) {
    for (const std::size_t count : {0U, 1U, 2U, 1000U}) {
      std::vector<std::atomic<int>> visits(count);
      parallel_for(count, threads, [&](std::size_t i) { ++visits.at(i); });
      for (const auto& n : visits) {
        EXPECT_EQ(n, 1);
      }
    }
  }
}

TEST(ParallelFor, RethrowsAndStops) {
  for (const int threads : {1, 4}) {
    std::atomic<int> calls{0};
    const auto body = [&](std::size_t i) {
      ++calls;
      if (i == 3) {
        throw std::out_of_range("index 3");
      }
    };
    EXPECT_THROW(parallel_for(1000000, threads, body), std::out_of_range);
    EXPECT_LT(calls, 1000000);
  }
}

}  // namespace
}  // namespace mosaic
