// Statistics in processes with 1, 2 and 3 Kokkos threads.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "kernels/ensemble_case.hpp"

namespace mosaic::kernels {
namespace {

/// The bytes of the statistics as a process with that many threads computes them; empty if it fails.
std::string statistics_with(int threads) {
  int ends[2];
  if (pipe(ends) != 0) {
    return "";
  }
  const pid_t child = fork();
  if (child == 0) {
    const auto means = EnsembleCase(9, 121, 240, 1).run(EnsembleStatisticsBackend::kokkos, threads);
    const auto size = static_cast<ssize_t>(means.size() * sizeof(Statistics));
    _exit(write(ends[1], means.data(), static_cast<std::size_t>(size)) == size ? 0 : 1);
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

TEST(ThreadCounts, StatisticsHaveTheSameBits) {
  const std::string one = statistics_with(1);
  ASSERT_EQ(one.size(), EnsembleCase(1, 1, 1, 1).areas.size() * sizeof(Statistics));
  for (const int threads : {2, 3}) {
    EXPECT_TRUE(statistics_with(threads) == one) << threads << " threads";
  }
}

}  // namespace
}  // namespace mosaic::kernels
