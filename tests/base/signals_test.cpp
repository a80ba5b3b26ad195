#include "base/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace mosaic {
namespace {

/// In a process of its own: exit code 10 if stop_requested() is as expected after the signals, else 11.
template <class... Signals>
[[noreturn]] void raise_and_exit(bool expected_stop, Signals... signals) {
  install_stop_handlers();
  const bool stop_before = stop_requested();
  (raise(signals), ...);
  std::_Exit(!stop_before && stop_requested() == expected_stop ? 10 : 11);
}

TEST(SignalsDeathTest, StopSignalsSetTheFlag) {
  for (const int stop : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) {
    EXPECT_EXIT(raise_and_exit(true, stop), testing::ExitedWithCode(10), "") << "signal " << stop;
  }
}

TEST(SignalsDeathTest, PipeContinueAndFileSizeAreIgnored) {
  EXPECT_EXIT(raise_and_exit(false, SIGPIPE, SIGCONT, SIGXFSZ), testing::ExitedWithCode(10), "");
}

TEST(SignalsDeathTest, SecondStopSignalEndsAtOnce) {
  EXPECT_EXIT(raise_and_exit(true, SIGUSR1, SIGTERM), testing::ExitedWithCode(75), "");
}

TEST(SignalsDeathTest, SigtermEndsAProcessThatFailed) {
  const auto fail_and_end = [] {
    install_stop_handlers();
    let_sigterm_end_the_process();
    raise(SIGTERM);
  };
  EXPECT_EXIT(fail_and_end(), testing::KilledBySignal(SIGTERM), "");
}

/// The test's process stands for mpirun.
TEST(SignalsDeathTest, SigtermFromMpirunLeavesHalfASecond) {
  const auto keep_running = [] {
    setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
    const pid_t rank = fork();
    if (rank == 0) {
      install_stop_handlers();
      for (int i = 0; i < 3000; ++i) {
        usleep(10'000);
      }
      std::_Exit(stop_requested() ? 10 : 11);
    }
    usleep(300'000);
    kill(rank, SIGTERM);
    int status = 0;
    waitpid(rank, &status, 0);
    std::_Exit(WIFEXITED(status) ? WEXITSTATUS(status) : 12);
  };
  EXPECT_EXIT(keep_running(), testing::ExitedWithCode(75), "");
}

TEST(SignalsDeathTest, OtherSignalsKeepTheirMeaning) {
  EXPECT_EXIT(raise_and_exit(false, SIGUSR2), testing::KilledBySignal(SIGUSR2), "");
}

}  // namespace
}  // namespace mosaic
