// Statistics in processes with 1, 2 and 3 Kokkos threads.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "kernels/ensemble_case.hpp"
#include "kernels/threshold_case.hpp"

namespace mosaic::kernels {
namespace {

/// What `compute` returns in a process of its own; empty if it fails.
std::string in_a_process(const std::function<std::string()>& compute) {
  int ends[2];
  if (pipe(ends) != 0) {
    return "";
  }
  const pid_t child = fork();
  if (child == 0) {
    const std::string bytes = compute();
    const auto size = static_cast<ssize_t>(bytes.size());
    _exit(write(ends[1], bytes.data(), bytes.size()) == size ? 0 : 1);
  }
  close(ends[1]);
  std::string bytes(1 << 12, '\0');
  std::size_t filled = 0;
  for (ssize_t got; (got = read(ends[0], bytes.data() + filled, bytes.size() - filled)) > 0;) {
    filled += static_cast<std::size_t>(got);
  }
  close(ends[0]);
  int status = 1;
  waitpid(child, &status, 0);
  bytes.resize(status == 0 ? filled : 0);
  return bytes;
}

template <class Value>
std::string bytes_of(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

/// The bytes of the statistics as a process with that many threads computes them.
std::string statistics_with(int threads) {
  return in_a_process([threads] {
    std::vector<double> ranks;
    const auto means = EnsembleCase(9, 121, 240, 1).run(EnsembleStatisticsBackend::kokkos, threads, &ranks);
    return bytes_of(means) + bytes_of(ranks);
  });
}

std::string threshold_statistics_with(int threads) {
  return in_a_process([threads] {
    std::vector<double> counts;
    const auto means =
        ThresholdCase(9, 121, 240, 2, 1).run(ThresholdStatisticsBackend::kokkos, threads, &counts);
    return bytes_of(means) + bytes_of(counts);
  });
}

TEST(ThreadCounts, StatisticsHaveTheSameBits) {
  for (const auto& with : {statistics_with, threshold_statistics_with}) {
    const std::string one = with(1);
    ASSERT_FALSE(one.empty());
    for (const int threads : {2, 3}) {
      EXPECT_TRUE(with(threads) == one) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace mosaic::kernels
