// mosaic_hindcast under srun and sbatch of a private Slurm (with_slurm.sh): bits, codes, stops.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "slurm/batch_jobs.hpp"
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

/// Four tasks of an array fill one folder, each with its share; nothing is forecast twice or forgotten.
TEST_F(Slurm, JobArrayFillsOneFolder) {
  ASSERT_EQ(shell(long_run(folder_ / "whole")).code, 0);
  const std::string arguments = long_run(folder_ / "array");
  const Job array = shell("sbatch --wait --array=3-6 --time=5 --output=" + (folder_ / "log-%a").string() +
                          " jobs/hindcast.sbatch " + arguments.substr(arguments.find(' ')));
  std::string logs;
  for (const char* task : {"3", "4", "5", "6"}) {
    logs += shell("cat " + (folder_ / "log-").string() + task).output;
  }
  ASSERT_EQ(array.code, 0) << array.output << logs;
  expect_same_results(folder_ / "whole", folder_ / "array");
  for (const char* part : {"3 of 3 initial times of shard 0/4", "3 of 3 initial times of shard 1/4",
                           "2 of 2 initial times of shard 2/4", "2 of 2 initial times of shard 3/4"}) {
    EXPECT_EQ(count_of(logs, part), 1U) << part << "\n" << logs;
  }
  const std::string record = read_text((folder_ / "array/run.json").string());
  EXPECT_EQ(count_of(record, "\"shard\""), 4U) << record;
  EXPECT_EQ(count_of(read_text((folder_ / "array/log/run.log").string()), ": committed"), 10U);
}

/// The batch script queues itself again after 75.
TEST_F(Slurm, RequeuedBatchJobContinues) {
  ASSERT_EQ(shell(long_run(folder_ / "whole")).code, 0);
  const fs::path out = folder_ / "requeued";
  const std::string log_file = (folder_ / "log").string();
  const std::string arguments = long_run(out);
  const Job submitted = shell("sbatch --parsable --time=5 --output=" + log_file + " jobs/hindcast.sbatch " +
                              arguments.substr(arguments.find(' ')));
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  const std::string job = test::job_number(submitted.output);
  test::wait_for_commits(out, 2);
  test::stop_and_start_again(job);
  const std::string log = read_text(log_file);
  EXPECT_EQ(count_of(log, "is queued again and will continue"), 1U) << log;
  EXPECT_EQ(count_of(log, "stopped early: "), 1U) << log;
  EXPECT_EQ(count_of(log, "10 of 10 initial times ("), 1U) << log;
  EXPECT_EQ(count_of(log, "(0 resumed)"), 0U) << log;
  ASSERT_TRUE(fs::exists(out / "metrics.nc")) << log;
  expect_same_results(folder_ / "whole", out);
  EXPECT_EQ(count_of(read_text((out / "log/run.log").string()), ": committed"), 10U);
}

/// Slurm looks at time limits twice a minute only and may send the signal a minute early: 30 to 120 s after
/// the start of the job.
TEST_F(Slurm, TimeLimitStopsInTime) {
  if (std::getenv("MOSAIC_FULL") == nullptr) {
    GTEST_SKIP() << "takes minutes: tests/run.sh --full";
  }
  const fs::path out = folder_ / "limited";
  const std::string arguments = test::hindcast(
      0, out, test::persistence_for("10d") + "--set output.channels=2m_temperature", "2014-03-01T12");
  const Job batch =
      shell("sbatch --wait --no-requeue --time=3 --signal=USR1@90 --output=" + (folder_ / "log").string() +
            " jobs/hindcast.sbatch " + arguments.substr(arguments.find(' ')));
  const std::string log = read_text((folder_ / "log").string());
  EXPECT_EQ(batch.code, 75) << batch.output << log;
  EXPECT_EQ(count_of(log, "stopped early: "), 1U) << log;
  EXPECT_GT(count_committed(out), 0U);
}

}  // namespace
}  // namespace mosaic
