// jobs/evaluate.sbatch under a private Slurm (with_slurm.sh): bits, codes, stops, arrays.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/files.hpp"
#include "slurm/batch_jobs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::count_of;
using test::Job;
using test::shell;

/// Ten initial times of persistence; still under way a second after two of them are done.
std::string arguments(const fs::path& out) {
  std::string leads = "6h";
  for (int hours = 12; hours <= 20 * 24; hours += 6) {
    leads += "," + std::to_string(hours) + "h";
  }
  return " --set forecast.kind=persistence --truth config/demo/gfs_20111011.zarr --set "
         "truth.frozen_state=true"
         " --start 2011-10-11 --end 2011-10-20 --set times.step=1d --set forecast.lead_times=" +
         leads +
         " --set score.channels=2m_temperature,geopotential_500,u_component_of_wind_850,wind_speed_850"
         " --set score.spectra=2m_temperature,geopotential_500 --out " +
         out.string() + " ";
}

class SlurmEvaluate : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::scratch_dir(testing::UnitTest::GetInstance()->current_test_info()->name());
    const Job alone = shell(test::program("mosaic_evaluate") + arguments(folder_ / "alone"));
    ASSERT_EQ(alone.code, 0) << alone.output;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string sbatch(const std::string& options, const std::string& log) const {
    return "sbatch --time=5 --output=" + (folder_ / log).string() + " " + options + " jobs/evaluate.sbatch ";
  }
  void expect_the_bits_of_a_lone_program(const std::string& out) const {
    for (const char* name : {"sums.nc", "metrics.nc", "spectra.nc", "ranks.nc"}) {
      EXPECT_EQ(test::first_difference(folder_ / "alone" / name, folder_ / out / name), "") << name;
    }
  }

  fs::path folder_;
};

TEST_F(SlurmEvaluate, BatchJobRunsToItsEndOrSaysWhatIsWrong) {
  const Job batch = shell(sbatch("--wait", "log") + arguments(folder_ / "batch"));
  const std::string log = read_text((folder_ / "log").string());
  ASSERT_EQ(batch.code, 0) << batch.output << log;
  EXPECT_EQ(count_of(log, " lead times of config/demo/gfs_20111011.zarr on 2 ranks"), 1U) << log;
  expect_the_bits_of_a_lone_program("batch");

  EXPECT_EQ(shell(sbatch("--wait", "nothing")).code, 64);
  EXPECT_EQ(count_of(read_text((folder_ / "nothing").string()), "name forecasts and truth"), 1U);
  EXPECT_EQ(
      shell(sbatch("--wait", "missing") + arguments(folder_ / "missing_out") + "--climatology no/such.zarr")
          .code,
      66);
}

TEST_F(SlurmEvaluate, JobArrayFillsOneFolder) {
  const Job array = shell(sbatch("--wait --array=0-2", "log-%a") + arguments(folder_ / "array"));
  std::string logs;
  for (const char* task : {"0", "1", "2"}) {
    logs += read_text((folder_ / "log-").string() + task);
  }
  ASSERT_EQ(array.code, 0) << array.output << logs;
  expect_the_bits_of_a_lone_program("array");
  EXPECT_EQ(count_of(read_text((folder_ / "array/run.json").string()), "\"shard\""), 3U);
}

TEST_F(SlurmEvaluate, RequeuedBatchJobContinues) {
  const fs::path out = folder_ / "requeued";
  const Job submitted = shell(sbatch("--parsable", "log") + arguments(out));
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  test::wait_for_commits(out, 2);
  test::stop_and_start_again(test::job_number(submitted.output));
  const std::string log = read_text((folder_ / "log").string());
  EXPECT_EQ(count_of(log, "is queued again and will continue"), 1U) << log;
  EXPECT_EQ(count_of(log, "stopped early: "), 1U) << log;
  EXPECT_EQ(count_of(log, "10 of 10 initial times ("), 1U) << log;
  EXPECT_EQ(count_of(log, "(0 resumed)"), 0U) << log;
  ASSERT_TRUE(fs::exists(out / "metrics.nc")) << log;
  expect_the_bits_of_a_lone_program("requeued");
}

}  // namespace
}  // namespace mosaic
