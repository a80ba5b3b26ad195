// Tests that must fail: proof that the shared MPI main notices. Started by job_test only.
#include <gtest/gtest.h>

#include "parallel/comm.hpp"

namespace mosaic {
namespace {

TEST(Probe, Passes) { Comm::world().barrier(); }

TEST(Probe, FailsOnTheLastRank) { EXPECT_NE(Comm::world().rank(), Comm::world().size() - 1); }

TEST(Probe, LastRankStaysAway) {
  const Comm world = Comm::world();
  if (world.rank() != world.size() - 1) {
    world.barrier();
  }
}

}  // namespace
}  // namespace mosaic
