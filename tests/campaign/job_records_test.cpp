#include "campaign/job_records.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/files.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

class JobRecords : public testing::Test {
 protected:
  nlohmann::json merged() const { return nlohmann::json::parse(read_text(results_.file("run.json"))); }

  fs::path folder_ = test::scratch_dir("records");
  ResultsFolder results_{folder_.string()};
};

TEST_F(JobRecords, RunsOfOneJobFollowEachOther) {
  write_job_record(results_, "", {{"committed", 3}}, {{"exit_code", 75}});
  write_job_record(results_, "", {{"committed", 8}}, {{"exit_code", 0}});
  EXPECT_EQ(merged()["committed"], 8);
  ASSERT_EQ(merged()["jobs"].size(), 2U);
  EXPECT_EQ(merged()["jobs"][0]["exit_code"], 75);
}

TEST_F(JobRecords, ThoseOfSeveralJobsAreJoinedInTheirOrder) {
  for (const char* name : {"1of2", "0of2"}) {
    write_job_record(results_, name, {{"last", name}}, {{"shard", name}});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_FALSE(fs::exists(folder_ / "run.json"));
  merge_job_records(results_);
  EXPECT_EQ(merged()["last"], "0of2");
  ASSERT_EQ(merged()["jobs"].size(), 2U);
  EXPECT_EQ(merged()["jobs"][0]["shard"], "1of2");
  EXPECT_FALSE(fs::exists(folder_ / "run-0of2.json"));
  // A job that ends after the merge.
  write_job_record(results_, "late", {{"last", "late"}}, {{"shard", "late"}});
  merge_job_records(results_);
  EXPECT_EQ(merged()["jobs"].size(), 3U);
}

TEST_F(JobRecords, DamagedRecordIsReplaced) {
  write_text_atomically(results_.file("run.json"), "{\"jobs\": [");
  EXPECT_EQ(test::code_of([&] { read_run_record(results_.file("run.json")); }), ExitCode::corrupt_input);
  write_job_record(results_, "", {{"configuration", "a: 1\n"}, {"identity", {{"program", "x"}}}}, {{"n", 1}});
  EXPECT_EQ(merged()["jobs"].size(), 1U);
  EXPECT_EQ(read_run_record(results_.file("run.json")).identity.at("program"), "x");
}

}  // namespace
}  // namespace mosaic
