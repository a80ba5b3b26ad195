#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "parallel/comm.hpp"

namespace mosaic {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Keeps the processor busy, without any call of MPI.
void compute_for(double seconds) {
  volatile double x = 1.0;
  for (const auto start = Clock::now(); seconds_since(start) < seconds;) {
    for (int i = 0; i < 100000; ++i) {
      x = x * 1.0000001;
    }
  }
}

TEST(WorkCounter, HandsOutEveryNumberOnce) {
  const Comm world = Comm::world();
  constexpr std::int64_t units = 200;
  WorkCounter counter(world);
  std::string mine;
  for (std::int64_t unit = counter.next(); unit < units; unit = counter.next()) {
    mine += std::to_string(unit) + " ";
  }
  std::vector<std::int64_t> all;
  for (const std::string& text : world.all_gather(mine)) {
    for (std::size_t at = 0; at < text.size(); at = text.find(' ', at) + 1) {
      all.push_back(std::stoll(text.substr(at)));
    }
  }
  std::sort(all.begin(), all.end());
  ASSERT_EQ(all.size(), static_cast<std::size_t>(units));
  for (std::int64_t i = 0; i < units; ++i) {
    EXPECT_EQ(all[i], i);
  }
}

TEST(WorkCounter, TwoCountersDoNotMix) {
  const Comm world = Comm::world();
  WorkCounter first(world);
  WorkCounter second(world);
  for (int i = 0; i < 10; ++i) {
    first.next();
  }
  world.barrier();
  EXPECT_LT(second.next(), world.size());
  EXPECT_GE(first.next(), 10 * world.size());
}

TEST(WorkCounter, NothingIsTakenAboveTheLimit) {
  const Comm world = Comm::world();
  WorkCounter counter(world);
  EXPECT_FALSE(counter.next_below(0));
  world.barrier();
  const auto mine = counter.next_below(world.size());
  ASSERT_TRUE(mine);
  EXPECT_LT(*mine, world.size());
  world.barrier();
  EXPECT_FALSE(counter.next_below(world.size()));
  world.barrier();
  EXPECT_GE(counter.next(), world.size()) << "the refused ones were not counted";
  world.barrier();
  EXPECT_EQ(counter.next_below(2 * world.size()), std::nullopt);
}

/// An owner that had to take part would answer the first question after five seconds. The longest wait has
/// room for a crowded machine.
TEST(WorkCounter, AnswersWhileItsOwnerComputes) {
  const Comm world = Comm::world();
  constexpr int questions = 15;
  WorkCounter counter(world);
  world.barrier();
  if (world.rank() == 0) {
    compute_for(5.0);
    world.barrier();
    EXPECT_EQ(counter.next(), questions * (world.size() - 1));
    return;
  }
  std::vector<double> waits;
  for (int i = 0; i < questions; ++i) {
    const auto start = Clock::now();
    counter.next();
    waits.push_back(seconds_since(start));
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  world.barrier();
  std::sort(waits.begin(), waits.end());
  EXPECT_LT(waits[questions / 2], 0.1);
  EXPECT_LT(waits.back(), 1.0);
}

}  // namespace
}  // namespace mosaic
