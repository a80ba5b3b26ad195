#include "kernels/operation_record.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/error.hpp"

namespace mosaic::kernels {
namespace {

TEST(OperationRecord, AddsUpScopesByName) {
  const OperationRecord record;
  { const OperationScope scope("product", 10); }
  { const OperationScope scope("product", 5); }
  { const OperationScope scope("norm", 0); }
  ASSERT_EQ(record.totals().size(), 2U);
  EXPECT_EQ(record.totals().at("product").operations, 15);
  EXPECT_EQ(record.totals().at("product").calls, 2);
  EXPECT_EQ(record.totals().at("norm").calls, 1);
}

TEST(OperationRecord, TimeIsThatOfTheScope) {
  const OperationRecord record;
  const auto start = std::chrono::steady_clock::now();
  {
    const OperationScope scope("wait", 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const double all = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_GE(record.totals().at("wait").seconds, 0.02);
  EXPECT_LE(record.totals().at("wait").seconds, all);
}

TEST(OperationRecord, SeesOnlyItsOwnTimeAndThread) {
  { const OperationScope before("before", 1); }
  {
    const OperationRecord record;
    std::thread([] { const OperationScope scope("elsewhere", 1); }).join();
    EXPECT_TRUE(record.totals().empty());
  }
  { const OperationScope after("after", 1); }
  const OperationRecord next;
  EXPECT_TRUE(next.totals().empty());
}

TEST(OperationRecord, TwoOnOneThreadAreAnError) {
  const OperationRecord record;
  EXPECT_THROW(OperationRecord{}, Error);
  { const OperationScope scope("product", 1); }
  EXPECT_EQ(record.totals().at("product").calls, 1) << "the first record goes on";
}

}  // namespace
}  // namespace mosaic::kernels
