#include <gtest/gtest.h>

#include <cstdio>

// Tests without MPI. Tests that use a Comm use mpi_main.cpp.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const int result = RUN_ALL_TESTS();
  const auto* unit = testing::UnitTest::GetInstance();
  if (result == 0 && unit->skipped_test_count() > 0 &&
      unit->skipped_test_count() == unit->test_to_run_count()) {
    std::puts("ALL TESTS SKIPPED");
  }
  return result;
}
