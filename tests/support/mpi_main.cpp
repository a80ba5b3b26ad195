#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "parallel/comm.hpp"

// The main of tests that use a Comm. The ranks meet after every test: a failure on one rank fails the test on
// all, and a test that keeps some rank longer than MOSAIC_TEST_LIMIT seconds (default 60) ends the job with
// its name. Rank 0 reports; of the others only failures are seen, with their rank.

namespace {

using mosaic::Comm;

/// Ends the process with the test's name when a test takes too long on this rank.
class Watchdog {
 public:
  explicit Watchdog(std::string rank_label) : rank_label_(std::move(rank_label)) {
    if (const char* limit = std::getenv("MOSAIC_TEST_LIMIT")) {
      limit_ = std::chrono::seconds(std::atoi(limit));
    }
  }

  void start(const std::string& test) {
    thread_ = std::jthread([this, test](const std::stop_token& stop) { watch(stop, test); });
  }

  void stop() { thread_ = {}; }

 private:
  void watch(const std::stop_token& stop, const std::string& test) {
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any wake;
    if (!wake.wait_for(lock, stop, limit_, [&] { return stop.stop_requested(); }) && !stop.stop_requested()) {
      std::fprintf(stderr, "[%s] %s: the ranks did not meet within %d s\n", rank_label_.c_str(), test.c_str(),
                   static_cast<int>(limit_.count()));
      std::fflush(nullptr);
      _exit(static_cast<int>(mosaic::ExitCode::internal));
    }
  }

  std::string rank_label_;
  std::chrono::seconds limit_{60};
  std::jthread thread_;
};

class MeetingOfRanks : public testing::EmptyTestEventListener {
 public:
  MeetingOfRanks()
      : comm_(Comm::world().duplicate()),
        label_(fmt::format("rank {}/{}", comm_.rank(), comm_.size())),
        watchdog_(label_) {}

  void OnTestStart(const testing::TestInfo& info) override {
    watchdog_.start(std::string(info.test_suite_name()) + "." + info.name());
  }

  void OnTestPartResult(const testing::TestPartResult& part) override {
    if (part.failed() && comm_.rank() != 0) {
      const char* file = part.file_name() != nullptr ? part.file_name() : "?";
      std::fprintf(stderr, "[%s] %s:%d: %s\n", label_.c_str(), file, part.line_number(), part.message());
    }
  }

  void OnTestEnd(const testing::TestInfo& info) override {
    const auto verdicts = comm_.all_gather(info.result()->Failed() ? "failed" : "");
    watchdog_.stop();
    for (int r = 0; r < comm_.size(); ++r) {
      if (r != comm_.rank() && !verdicts[r].empty()) {
        ADD_FAILURE() << verdicts[r] << " on rank " << r;
      }
    }
  }

 private:
  Comm comm_;
  std::string label_;
  Watchdog watchdog_;
};

int run_tests(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  auto& listeners = testing::UnitTest::GetInstance()->listeners();
  if (Comm::world().rank() != 0) {
    delete listeners.Release(listeners.default_result_printer());
  }
  auto* meeting = new MeetingOfRanks;
  listeners.Append(meeting);
  const int result = RUN_ALL_TESTS();
  delete listeners.Release(meeting);  // while MPI is still there
  const auto* unit = testing::UnitTest::GetInstance();
  const bool all_skipped =
      unit->skipped_test_count() > 0 && unit->skipped_test_count() == unit->test_to_run_count();
  if (result == 0 && all_skipped && Comm::world().rank() == 0) {
    std::puts("ALL TESTS SKIPPED");
  }
  return result;
}

}  // namespace

int main(int argc, char** argv) { return mosaic::run_app(argc, argv, run_tests); }
