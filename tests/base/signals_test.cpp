#include "base/signals.hpp"

#include <gtest/gtest.h>
#include <signal.h>

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

TEST(SignalsDeathTest, PipeAndContinueAreIgnored) {
  EXPECT_EXIT(raise_and_exit(false, SIGPIPE, SIGCONT), testing::ExitedWithCode(10), "");
}

TEST(SignalsDeathTest, SecondStopSignalEndsAtOnce) {
  EXPECT_EXIT(raise_and_exit(true, SIGUSR1, SIGTERM), testing::ExitedWithCode(75), "");
}

TEST(SignalsDeathTest, OtherSignalsKeepTheirMeaning) {
  EXPECT_EXIT(raise_and_exit(false, SIGUSR2), testing::KilledBySignal(SIGUSR2), "");
}

}  // namespace
}  // namespace mosaic
