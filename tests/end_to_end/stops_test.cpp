// A run that is stopped by a signal ends soon with its code, and the same command gives the bits of a whole
// run.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "end_to_end/hindcast_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::count_committed;
using test::expect_same_results;
using test::Job;
using test::shell;
using test::wait_for_commits;

// Long enough to be still under way a second after two of them are done.
constexpr std::size_t units = 10;
constexpr const char* last_time = "2011-10-15T12";

std::string command(int ranks, const fs::path& out) {
  return test::hindcast(ranks, out, test::persistence_for("10d") + "--set output.channels=2m_temperature",
                        last_time);
}

/// Sends `stop` to the process (group) of a job once it is under way.
void stop_when_under_way(pid_t target, int stop, const fs::path& out) {
  wait_for_commits(out, 2);
  kill(target, stop);
}

class Stop : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder() = test::scratch_dir("stops");
    const Job run = shell(command(0, folder() / "whole"));
    ASSERT_EQ(run.code, 0) << run.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path& folder() {
    static fs::path path;
    return path;
  }

  /// Stops a run of `ranks` ranks (0: no launcher), checks the code and resumes on `ranks_after` ranks.
  void stop_and_resume(int ranks, int stop, int ranks_after, const std::vector<int>& codes) const {
    const fs::path out = folder() / (std::to_string(ranks) + "_" + std::to_string(stop));
    const Job stopped = shell(command(ranks, out), [&](pid_t job) { stop_when_under_way(job, stop, out); });
    EXPECT_NE(std::find(codes.begin(), codes.end(), stopped.code), codes.end()) << stopped.code << "\n"
                                                                                << stopped.output;
    EXPECT_LT(stopped.seconds, 2 * test::soon);
    const std::size_t committed = count_committed(out);
    ASSERT_GE(committed, 2U) << stopped.output;
    ASSERT_LT(committed, units) << "stopped too late to show anything";
    if (codes == std::vector{75}) {
      EXPECT_NE(stopped.output.find("of " + std::to_string(units) + " initial times are safe in " +
                                    out.string() + "; run the same command again to go on"),
                std::string::npos)
          << stopped.output;
    }
    const Job again = shell(command(ranks_after, out));
    ASSERT_EQ(again.code, 0) << again.output;
    EXPECT_NE(again.output.find("(" + std::to_string(committed) + " resumed)"), std::string::npos)
        << again.output;
    expect_same_results(folder() / "whole", out);
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
      EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
    }
    fs::remove_all(out);
  }
};

TEST_F(Stop, TimeLimit) {
  const fs::path out = folder() / "time_limit";
  const Job cut = shell(command(2, out) + " --max-walltime 1s");
  EXPECT_EQ(cut.code, 75) << cut.output;
  const Job whole = shell(command(2, out) + " --max-walltime 10h");
  EXPECT_EQ(whole.code, 0) << whole.output;
  expect_same_results(folder() / "whole", out);
  for (const char* wrong : {"soon", "0s", "-5min"}) {
    EXPECT_EQ(shell(command(0, out) + " --max-walltime=" + wrong).code, 64) << wrong;
  }
}

TEST_F(Stop, CtrlCOnALoneProgram) { stop_and_resume(0, SIGINT, 2, {75}); }

TEST_F(Stop, TerminationOfALoneProgram) { stop_and_resume(0, SIGTERM, 0, {75}); }

TEST_F(Stop, UserSignalToALoneProgram) { stop_and_resume(0, SIGUSR1, 3, {75}); }

TEST_F(Stop, UserSignalToMpirun) { stop_and_resume(2, SIGUSR1, 0, {75}); }

// mpirun has its own code for these and kills what still runs: only the promise to resume holds.

TEST_F(Stop, CtrlCOnMpirun) { stop_and_resume(2, SIGINT, 2, {1, 75, 128 + SIGINT}); }

TEST_F(Stop, TerminationOfMpirun) { stop_and_resume(2, SIGTERM, 3, {1, 75, 128 + SIGTERM}); }

TEST_F(Stop, KillOfALoneProgram) { stop_and_resume(0, SIGKILL, 2, {-1}); }

}  // namespace
}  // namespace mosaic
