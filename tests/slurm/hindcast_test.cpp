// mosaic_hindcast under srun and sbatch of a private Slurm (with_slurm.sh): bits, codes, stops.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "end_to_end/hindcast_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::count_committed;
using test::count_of;
using test::expect_same_results;
using test::Job;
using test::persistence;
using test::shell;

const std::string srun = "srun -n 2 --overcommit ";

class Slurm : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::scratch_dir(testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { fs::remove_all(folder_); }

  void expect_same_bits(const std::string& arguments) const {
    const Job alone = shell(test::hindcast(0, folder_ / "alone", arguments));
    ASSERT_EQ(alone.code, 0) << alone.output;
    const Job two = shell(srun + test::hindcast(0, folder_ / "two", arguments));
    ASSERT_EQ(two.code, 0) << two.output;
    EXPECT_NE(two.output.find(" on 2 ranks"), std::string::npos) << two.output;
    expect_same_results(folder_ / "alone", folder_ / "two");
  }

  /// Ten initial times; still under way a second after two of them are done.
  std::string long_run(const fs::path& out) const {
    return test::hindcast(0, out, test::persistence_for("10d") + "--set output.channels=2m_temperature",
                          "2011-10-15T12");
  }
  void stop_and_resume(const std::string& scancel) const {
    ASSERT_EQ(shell(long_run(folder_ / "whole")).code, 0);
    const fs::path out = folder_ / "stopped";
    const std::string name = folder_.filename().string();
    const Job stopped =
        shell("srun -n 2 --overcommit --job-name " + name + " " + long_run(out), [&](pid_t /*srun*/) {
          test::wait_for_commits(out, 2);
          shell(scancel + " --name=" + name);
        });
    EXPECT_EQ(stopped.code, 75) << stopped.output;
    EXPECT_LT(stopped.seconds, 2 * test::soon);
    const std::size_t committed = count_committed(out);
    ASSERT_LT(committed, 10U) << "stopped too late to show anything";
    EXPECT_NE(stopped.output.find(std::to_string(committed) + " of 10 initial times are safe"),
              std::string::npos)
        << stopped.output;
    const Job again = shell(srun + long_run(out));
    ASSERT_EQ(again.code, 0) << again.output;
    EXPECT_NE(again.output.find("(" + std::to_string(committed) + " resumed)"), std::string::npos)
        << again.output;
    expect_same_results(folder_ / "whole", out);
  }

  fs::path folder_;
};

TEST_F(Slurm, PersistenceHasTheBitsOfALoneProgram) { expect_same_bits(persistence); }

#ifdef MOSAIC_HAVE_TORCH
TEST_F(Slurm, NetworkHasTheBitsOfALoneProgram) {
  expect_same_bits("--lead-time 24h --set output.channels=2m_temperature,geopotential_500 ");
}
#endif

TEST_F(Slurm, ErrorsEndTheJobWithTheirCodes) {
  const Job missing =
      shell(srun + test::hindcast(0, folder_ / "out", persistence + "--input no/such/store.zarr"));
  EXPECT_EQ(missing.code, 66) << missing.output;
  EXPECT_EQ(count_of(missing.output, "[rank "), 1U) << missing.output;
  EXPECT_LT(missing.seconds, test::soon);

  const fs::path in_the_way = folder_ / "out/forecasts/forecast_2011-10-11T12.nc";
  fs::create_directories(in_the_way / "folder");
  const Job failed = shell(srun + test::hindcast(0, folder_ / "out", persistence));
  EXPECT_EQ(failed.code, 74) << failed.output;
  EXPECT_EQ(count_of(failed.output, "] initial time 2011-10-11T12: " + in_the_way.string()), 1U)
      << failed.output;
  EXPECT_LT(failed.seconds, test::soon);
}

TEST_F(Slurm, UserSignalStopsAndTheSameCommandContinues) { stop_and_resume("scancel --signal=USR1"); }

TEST_F(Slurm, CancelStopsAndTheSameCommandContinues) { stop_and_resume("scancel"); }

TEST_F(Slurm, BatchJobRunsToItsEnd) {
  ASSERT_EQ(shell(test::hindcast(0, folder_ / "alone", persistence)).code, 0);
  const std::string arguments = test::hindcast(0, folder_ / "batch", persistence);
  const Job batch = shell("sbatch --wait --time=5 --output=" + (folder_ / "log").string() +
                          " jobs/hindcast.sbatch " + arguments.substr(arguments.find(' ')));
  ASSERT_EQ(batch.code, 0) << batch.output << shell("cat " + (folder_ / "log").string()).output;
  expect_same_results(folder_ / "alone", folder_ / "batch");
}

}  // namespace
}  // namespace mosaic
