// Whole jobs as a user starts them: exit codes, messages, signals.
#include "support/job.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace mosaic {
namespace {

using test::count_of;
using test::Job;
using test::run_job;
using test::soon;

/// The command for `ranks` ranks of a test program; one rank runs without a launcher.
std::vector<std::string> command_for(int ranks, const std::string& program,
                                     const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& launcher_options = {}) {
  const char* folder = std::getenv("MOSAIC_BIN");
  std::vector<std::string> command;
  if (ranks > 1 || !launcher_options.empty()) {
    command = {MOSAIC_MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", std::to_string(ranks)};
    command.insert(command.end(), launcher_options.begin(), launcher_options.end());
  }
  command.push_back(std::string(folder != nullptr ? folder : "build/bin") + "/" + program);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

class JobOfRanks : public testing::TestWithParam<int> {
 protected:
  Job probe(const std::string& mode) const {
    return run_job(command_for(GetParam(), "run_app_probe", {mode}));
  }
  std::string culprit() const {
    return GetParam() == 1 ? "[rank 0/1] " : "[rank 1/" + std::to_string(GetParam()) + "] ";
  }
};

INSTANTIATE_TEST_SUITE_P(Ranks, JobOfRanks, testing::Values(1, 2, 4));

TEST_P(JobOfRanks, NormalEndIsZeroAndSilent) {
  for (const char* mode : {"", "--help"}) {
    const Job job = probe(mode);
    EXPECT_EQ(job.code, 0);
    EXPECT_EQ(job.output, "");
  }
}

TEST_P(JobOfRanks, ErrorEndsTheJobWithItsCodeAndMessage) {
  const Job job = probe("error");
  EXPECT_EQ(job.code, 66);
  EXPECT_EQ(count_of(job.output, culprit() + "input.zarr: variable t2m is absent (run_app_probe.cpp:"), 1U)
      << job.output;
  EXPECT_LT(job.seconds, soon);
}

TEST_P(JobOfRanks, OtherExceptionsAreInternalErrors) {
  const Job job = probe("exception");
  EXPECT_EQ(job.code, 70);
  EXPECT_EQ(count_of(job.output, culprit() + "unexpected exception: surprise\n"), 1U) << job.output;
  EXPECT_EQ(probe("unknown").code, 70);
}

TEST_P(JobOfRanks, AgreedErrorIsPrintedOnce) {
  const Job job = probe("agree");
  EXPECT_EQ(job.code, 78);
  EXPECT_EQ(count_of(job.output, culprit() + "a.yaml: is wrong"), 1U) << job.output;
  EXPECT_LT(job.seconds, soon);
}

TEST_P(JobOfRanks, LargestCodeOfAllRanksIsReturned) { EXPECT_EQ(probe("code").code, 76); }

TEST(Job, ErrorWhileACounterIsAliveEndsTheJob) {
  const Job job = run_job(command_for(4, "run_app_probe", {"counter"}));
  EXPECT_EQ(job.code, 65);
  EXPECT_EQ(count_of(job.output, "unit 2 is corrupt"), 1U) << job.output;
  EXPECT_LT(job.seconds, soon);
}

TEST(Job, StopSignalsReachALoneProgram) {
  for (const int stop : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) {
    const Job job =
        run_job(command_for(1, "run_app_probe", {"wait"}), [&](pid_t job_id, const std::string& output) {
          if (output == "waiting\n") {
            kill(job_id, SIGCONT);
            kill(job_id, SIGPIPE);
            kill(job_id, stop);
          }
        });
    EXPECT_EQ(job.code, 75) << "signal " << stop;
  }
}

TEST(Job, LauncherPassesUserSignalToEveryRank) {
  const Job job =
      run_job(command_for(2, "run_app_probe", {"wait"}), [&](pid_t job_id, const std::string& output) {
        if (output == "waiting\n") {
          kill(job_id, SIGUSR1);
        }
      });
  EXPECT_EQ(job.code, 75) << job.output;
}

TEST(Job, CounterAnswersOverTcpWithoutSharedMemory) {
  const Job job =
      run_job(command_for(2, "parallel_test", {"--gtest_color=no", "--gtest_filter=WorkCounter.*"},
                          {"--mca", "btl", "tcp,self", "--mca", "pml", "ob1", "--mca", "osc", "^sm"}));
  EXPECT_EQ(job.code, 0) << job.output;
  EXPECT_EQ(count_of(job.output, "[  PASSED  ] 4 tests"), 1U) << job.output;
}

TEST(MpiMain, FailureOnOneRankFailsTheTestOnAll) {
  const Job passing =
      run_job(command_for(2, "mpi_main_probe", {"--gtest_color=no", "--gtest_filter=Probe.Passes"}));
  EXPECT_EQ(passing.code, 0) << passing.output;
  const Job failing = run_job(
      command_for(2, "mpi_main_probe", {"--gtest_color=no", "--gtest_filter=Probe.FailsOnTheLastRank"}));
  EXPECT_EQ(failing.code, 1);
  EXPECT_EQ(count_of(failing.output, "[  FAILED  ] Probe.FailsOnTheLastRank"), 2U) << failing.output;
  EXPECT_EQ(count_of(failing.output, "failed on rank 1"), 1U) << failing.output;
  EXPECT_GE(count_of(failing.output, "[rank 1/2] "), 1U) << failing.output;
}

TEST(MpiMain, DeadlockEndsWithTheNameOfTheTest) {
  setenv("MOSAIC_TEST_LIMIT", "2", 1);
  const Job job = run_job(
      command_for(2, "mpi_main_probe", {"--gtest_color=no", "--gtest_filter=Probe.LastRankStaysAway"}));
  unsetenv("MOSAIC_TEST_LIMIT");
  EXPECT_EQ(job.code, 70);
  EXPECT_GE(count_of(job.output, "Probe.LastRankStaysAway: the ranks did not meet within 2 s"), 1U)
      << job.output;
  EXPECT_LT(job.seconds, soon);
}

}  // namespace
}  // namespace mosaic
