// Ranks in groups, several jobs in one folder, audits and repeats: whatever the way, the bits are those of
// one process that does everything. With the null model, which refuses a swapped channel, member, step or
// date.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/files.hpp"
#include "campaign/job_locks.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::expect_same_results;
using test::Job;
using test::shell;

class Groups : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::scratch_dir(testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string command(int ranks, const std::string& out, const std::string& more = "") const {
    return test::launcher(ranks) + test::program("fake_hindcast") +
           " --initial-times 6 --members 7 --batch 2 --leads 3 --forecasts --out " +
           (folder_ / out).string() + " " + more;
  }
  void run_whole(const std::string& more = "") const {
    const Job whole = shell(command(0, "whole", more));
    ASSERT_EQ(whole.code, 0) << whole.output;
  }
  void expect_complete(const Job& job, const std::string& out) const {
    ASSERT_EQ(job.code, 0) << job.output;
    expect_same_results(folder_ / "whole", folder_ / out);
    EXPECT_FALSE(fs::exists(folder_ / out / "locks"));
    EXPECT_FALSE(fs::exists(folder_ / out / "sums"));
  }
  nlohmann::json record(const std::string& out) const {
    return nlohmann::json::parse(read_text((folder_ / out / "run.json").string()));
  }

  fs::path folder_;
};

TEST_F(Groups, HaveTheBitsOfOneRank) {
  run_whole();
  for (const auto& [ranks, per_init] : std::vector<std::pair<int, std::string>>{
           {2, "2"}, {3, "2"}, {4, "2"}, {5, "3"}, {6, "6"}, {4, "auto"}}) {
    const std::string out = std::to_string(ranks) + "by" + per_init;
    const Job job = shell(command(ranks, out, "--set parallel.ranks_per_init=" + per_init));
    expect_complete(job, out);
    const auto last = record(out)["jobs"][0];
    EXPECT_EQ(last["ranks"], ranks);
    EXPECT_EQ(last["groups"], per_init == "auto" ? 2 : ranks / std::stoi(per_init)) << job.output;
  }
}

/// More ranks than batches of members (4) and than channels: some only score, some do nothing.
TEST_F(Groups, MayHaveMoreRanksThanWork) {
  run_whole("--set score.spectra= --set score.channels=2m_temperature,geopotential_500");
  expect_complete(shell(command(7, "seven",
                                "--set parallel.ranks_per_init=7 --set score.spectra= "
                                "--set score.channels=2m_temperature,geopotential_500")),
                  "seven");
}

TEST_F(Groups, ContinuePastAFailureOfOneRank) {
  run_whole();
  for (const char* fault : {"exception", "non-finite"}) {
    const std::string out = fault;
    const std::string grouped = "--set parallel.ranks_per_init=2 --on-error continue ";
    const Job job = shell(command(4, out, grouped + "--fault-rank 3 --fault " + fault));
    if (std::string(fault) == "exception" && job.code == 70) {
      continue;  // not an Error: it ends the job
    }
    ASSERT_EQ(job.code, 76) << job.output;
    expect_complete(shell(command(4, out, grouped)), out);
  }
}

TEST_F(Groups, StopAndResume) {
  run_whole();
  const Job stopped =
      shell(command(4, "stopped", "--set parallel.ranks_per_init=2 --sleep 3 --max-walltime 2s"));
  ASSERT_EQ(stopped.code, 75) << stopped.output;
  EXPECT_LT(stopped.seconds, test::soon);
  expect_complete(shell(command(3, "stopped", "--set parallel.ranks_per_init=3")), "stopped");
  EXPECT_EQ(record("stopped")["jobs"].size(), 2U);
}

TEST_F(Groups, EndSoonAfterAnErrorOfOneRank) {
  for (const char* fault : {"exception", "sigkill"}) {
    const Job job = shell(
        command(4, fault, std::string("--set parallel.ranks_per_init=4 --fault-rank 1 --fault ") + fault));
    EXPECT_EQ(job.code, std::string(fault) == "sigkill" ? 137 : 70) << job.output;
    EXPECT_LT(job.seconds, test::soon);
  }
}

TEST_F(Groups, AuditOnAnotherRankFindsTheSameBits) {
  const Job job = shell(command(3, "audited", "--set parallel.ranks_per_init=1 --audit 0.5"));
  ASSERT_EQ(job.code, 0) << job.output;
  EXPECT_NE(job.output.find("audit: 3 initial times computed again, with the same bits"), std::string::npos)
      << job.output;
  EXPECT_EQ(record("audited")["jobs"][0]["audited_initial_times"].size(), 3U);
}

/// The twin that must fail: one bit of committed sums is another.
TEST_F(Groups, AuditNoticesASingleBit) {
  ASSERT_EQ(shell(command(2, "flipped", "--on-error continue --fault non-finite")).code, 76);
  const fs::path sums = *fs::directory_iterator(folder_ / "flipped/sums");
  NetcdfDocument document = read_netcdf(sums.string());
  for (NetcdfVariable& variable : document.variables) {
    auto* values = std::get_if<std::vector<double>>(&variable.values);
    if (values != nullptr && variable.dimensions.size() > 2) {
      values->back() = std::nextafter(values->back(), 1e300);
      break;
    }
  }
  write_netcdf(sums.string(), document);
  const Job job = shell(command(2, "flipped", "--on-error continue --audit 1"));
  EXPECT_EQ(job.code, 70) << job.output;
  EXPECT_NE(job.output.find("audit: initial time " + sums.stem().string()), std::string::npos) << job.output;
  EXPECT_NE(job.output.find("one of the two computes wrongly"), std::string::npos) << job.output;
}

TEST_F(Groups, OneMemberAndOneLeadAloneHaveTheirBits) {
  run_whole();
  const Job alone = shell(test::program("fake_hindcast") +
                          " --initial-times 1 --leads 2 --members 1 --batch 2 --forecasts --set "
                          "ensemble.first_member=5 --set output.layout=member --set "
                          "times.start=2020-01-02T00 --set times.end=2020-01-02T00 --out " +
                          (folder_ / "alone").string());
  ASSERT_EQ(alone.code, 0) << alone.output;
  const auto values = [&](const std::string& file) {
    const NetcdfDocument document = read_netcdf((folder_ / file).string());
    return std::get<std::vector<float>>(document.variable("t2m").values);
  };
  const std::vector<float> all = values("whole/forecasts/forecast_2020-01-02T00.nc");  // [lead, member, ...]
  const std::vector<float> one = values("alone/forecasts/forecast_2020-01-02T00_member005.nc");
  const std::size_t field = one.size() / 2;
  for (std::size_t lead = 0; lead < 2; ++lead) {
    EXPECT_TRUE(std::equal(one.begin() + static_cast<std::ptrdiff_t>(lead * field),
                           one.begin() + static_cast<std::ptrdiff_t>((lead + 1) * field),
                           all.begin() + static_cast<std::ptrdiff_t>((lead * 7 + 5) * field)))
        << "lead " << lead;
  }
}

/// Seconds since the begin of the month of every line of a log that ends with `event`.
std::vector<double> times_of(const std::string& log, const std::string& event) {
  std::vector<double> times;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    int day = 0;
    int hour = 0;
    int minute = 0;
    double second = 0;
    if (line.ends_with(event) &&
        std::sscanf(line.c_str(), "%*8s%dT%d:%d:%lf", &day, &hour, &minute, &second) == 4) {
      times.push_back(86400.0 * day + 3600.0 * hour + 60.0 * minute + second);
    }
  }
  return times;
}

/// Nothing is kept back for a rank that others would do before: at the end it has one initial time in hand.
TEST_F(Groups, SlowRankDelaysTheEndByOneOfItsInitialTimes) {
  constexpr double seconds = 0.4;  // of an initial time
  constexpr int slower = 5;
  constexpr int units = 30;
  constexpr int ranks = 4;
  const Job job =
      shell(test::launcher(ranks) + test::program("fake_hindcast") +
            " --members 2 --leads 2 --set parallel.ranks_per_init=1 --initial-times " +
            std::to_string(units) + " --sleep " + std::to_string(seconds) + " --slow-rank 1 --slow-factor " +
            std::to_string(slower) + " --out " + (folder_ / "slow").string());
  ASSERT_EQ(job.code, 0) << job.output;
  const std::string log = read_text((folder_ / "slow/log/run.log").string());
  const std::vector<double> starts = times_of(log, ": start");
  const std::vector<double> commits = times_of(log, ": committed");
  ASSERT_EQ(commits.size(), static_cast<std::size_t>(units)) << log;
  EXPECT_GT(
      *std::max_element(commits.begin(), commits.end()) - *std::min_element(starts.begin(), starts.end()),
      units * seconds / (ranks - 1 + 1.0 / slower) - 0.01)
      << "nobody slept";
  // Whenever a rank has nothing left to do, every initial time has been begun: however busy the machine is.
  double first_idle = INFINITY;
  for (std::size_t begin = log.find("# rank"); begin != std::string::npos;) {
    const std::size_t end = log.find("# rank", begin + 1);
    const std::vector<double> own = times_of(log.substr(begin, end - begin), ": committed");
    ASSERT_FALSE(own.empty()) << log;
    first_idle = std::min(first_idle, *std::max_element(own.begin(), own.end()));
    begin = end;
  }
  EXPECT_LT(*std::max_element(starts.begin(), starts.end()), first_idle + seconds) << log;
}

TEST_F(Groups, ShardsFillOneFolder) {
  run_whole();
  std::vector<std::jthread> jobs;
  std::vector<Job> ends(3);
  for (int i = 0; i < 3; ++i) {
    jobs.emplace_back(
        [&, i] { ends[i] = shell(command(i, "shards", "--sleep 0.3 --shard " + std::to_string(i) + "/3")); });
  }
  jobs.clear();
  for (const Job& job : ends) {
    EXPECT_EQ(job.code, 0) << job.output;
    EXPECT_NE(job.output.find("2 of 2 initial times (0 resumed)"), std::string::npos) << job.output;
  }
  expect_complete(ends[0], "shards");
  const auto jobs_done = record("shards")["jobs"];
  ASSERT_EQ(jobs_done.size(), 3U);
  for (const auto& entry : fs::directory_iterator(folder_ / "shards")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("run-")) << entry.path();
  }
}

TEST_F(Groups, TwoJobsAtOnceShareTheWork) {
  run_whole();
  std::vector<Job> ends(2);
  std::vector<std::jthread> jobs;
  for (Job& end : ends) {
    jobs.emplace_back([&] { end = shell(command(0, "both", "--sleep 0.4")); });
  }
  jobs.clear();
  int complete = 0;
  for (const Job& job : ends) {
    EXPECT_TRUE(job.code == 0 || job.code == 75) << job.output;
    complete += job.code == 0 ? 1 : 0;
  }
  EXPECT_GE(complete, 1);
  expect_complete(ends[ends[0].code == 0 ? 0 : 1], "both");
  std::string log;
  for (const auto& entry : fs::directory_iterator(folder_ / "both/log")) {
    log += read_text(entry.path().string());
  }
  EXPECT_EQ(test::count_of(log, ": committed"), 6U) << "an initial time was forecast twice\n" << log;
}

/// What another job holds is left to it and said; once that job is gone it is taken over.
TEST_F(Groups, LocksOfALivingJobAreRespected) {
  run_whole();
  const std::string locks = folder_ / "held/locks";
  JobOwner other = this_job();
  {
    const JobAnnouncement alive(locks, other);
    JobLocks(locks, other).try_lock("2020-01-02T00");
    const Job job = shell(command(2, "held"));
    EXPECT_EQ(job.code, 75) << job.output;
    EXPECT_NE(job.output.find("2020-01-02T00 is being forecast by process " + std::to_string(other.pid)),
              std::string::npos)
        << job.output;
    const Job overwrite = shell(command(2, "held", "--overwrite"));
    EXPECT_EQ(overwrite.code, 78) << overwrite.output;
    EXPECT_NE(overwrite.output.find("is in use by process"), std::string::npos) << overwrite.output;
  }
  const Job job = shell(command(2, "held"));
  EXPECT_NE(job.output.find("(5 resumed)"), std::string::npos) << job.output;
  expect_complete(job, "held");
}

}  // namespace
}  // namespace mosaic
