#include "campaign/job_locks.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "base/files.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

/// A job on a host whose processes cannot be seen from here.
JobOwner remote_job(const std::string& id) {
  JobOwner owner = this_job();
  owner.id = id;
  owner.host = "host of " + id;
  owner.processes = "another boot";
  return owner;
}

class JobLocksTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  std::size_t files(const std::string& extension) const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      count += entry.path().extension() == extension ? 1 : 0;
    }
    return count;
  }
  /// What a job that shows no further sign of life leaves: its file and a lock on "time".
  void leave_lock_of(const JobOwner& job) const {
    create_text_exclusively(folder_ / (job.id + ".job"), to_json_text(job));
    JobLocks(folder_, job).try_lock("time");
  }
  /// Sets the last sign of life of a job.
  void make_older(const std::string& id, int seconds) const {
    const fs::path file = folder_ / (id + ".job");
    fs::last_write_time(file, fs::last_write_time(file) - std::chrono::seconds(seconds));
  }

  fs::path folder_ = test::scratch_dir("locks");
};

TEST_F(JobLocksTest, OneOfTwoLivingJobsGetsALock) {
  const JobOwner a = remote_job("a");
  const JobOwner b = remote_job("b");
  const JobAnnouncement a_lives(folder_, a);
  const JobAnnouncement b_lives(folder_, b);
  JobLocks of_a(folder_, a);
  JobLocks of_b(folder_, b);
  EXPECT_EQ(of_a.try_lock("2020-01-01T00"), LockOutcome::locked);
  EXPECT_EQ(of_b.try_lock("2020-01-01T00"), LockOutcome::held);
  ASSERT_TRUE(of_b.holder("2020-01-01T00"));
  EXPECT_EQ(of_b.holder("2020-01-01T00")->id, "a");
  EXPECT_EQ(of_b.try_lock("2020-01-01T0030"), LockOutcome::locked) << "another name";
  of_a.unlock("2020-01-01T00");
  EXPECT_EQ(of_b.try_lock("2020-01-01T00"), LockOutcome::locked);
  ASSERT_EQ(of_a.others_alive().size(), 1U);
  EXPECT_EQ(of_a.others_alive()[0].id, "b");
}

TEST_F(JobLocksTest, LockOfAnEndedJobIsTakenOver) {
  const JobOwner b = remote_job("b");
  const JobAnnouncement b_lives(folder_, b);
  {
    const JobAnnouncement a_lives(folder_, remote_job("a"));
    JobLocks(folder_, remote_job("a")).try_lock("time");
  }
  JobLocks of_b(folder_, b);
  EXPECT_EQ(of_b.try_lock("time"), LockOutcome::taken_over);
  EXPECT_EQ(files(".lock"), 1U);
  of_b.unlock("time");
  EXPECT_EQ(files(".lock"), 0U);
}

TEST_F(JobLocksTest, SilentJobIsDeadAfterTwoMinutes) {
  const JobOwner b = remote_job("b");
  const JobAnnouncement b_lives(folder_, b);
  JobLocks of_b(folder_, b);
  leave_lock_of(remote_job("a"));
  make_older("a", 100);
  EXPECT_EQ(of_b.try_lock("time"), LockOutcome::held);
  make_older("a", 100);
  EXPECT_EQ(of_b.try_lock("time"), LockOutcome::taken_over);
}

TEST_F(JobLocksTest, WaitsForASignOfLifeOfAnOverdueJob) {
  const JobOwner b = remote_job("b");
  const JobAnnouncement b_lives(folder_, b);
  JobLocks of_b(folder_, b);
  leave_lock_of(remote_job("a"));
  make_older("a", 119);
  EXPECT_EQ(of_b.try_lock_after_sign_of_life("time", [] { return false; }), LockOutcome::taken_over);
}

TEST_F(JobLocksTest, ProcessOfThisHostThatIsGoneIsDead) {
  const JobOwner b = this_job();
  const JobAnnouncement b_lives(folder_, b);
  JobLocks of_b(folder_, b);
  JobOwner a = this_job();
  a.id = "a";
  leave_lock_of(a);
  EXPECT_EQ(of_b.try_lock("time"), LockOutcome::held) << "the process that the file names is this one";
  a.process_start = "1";  // as if the pid were another's now
  fs::remove(folder_ / "a.job");
  create_text_exclusively(folder_ / "a.job", to_json_text(a));
  fs::remove(folder_ / "time.1.lock");
  JobLocks(folder_, a).try_lock("time");
  EXPECT_EQ(of_b.try_lock("time"), LockOutcome::taken_over);
}

/// A rank on another host than its own job's rank 0 must not look for the other job's process here.
TEST_F(JobLocksTest, ProcessesOfAnotherHostAreNotLookedForHere) {
  JobOwner other = remote_job("other");
  other.process_start = "1";  // no such process here
  JobOwner ours = other;      // rank 0 is on that host, too; this rank is not
  ours.id = "ours";
  const JobAnnouncement other_lives(folder_, other);
  const JobAnnouncement ours_lives(folder_, ours);
  JobLocks(folder_, other).try_lock("time");
  EXPECT_EQ(JobLocks(folder_, ours).try_lock("time"), LockOutcome::held);
}

TEST_F(JobLocksTest, EarlierStartOfTheSameSlurmJobIsDead) {
  JobOwner before = remote_job("before");
  before.slurm_job = "17";
  JobOwner now = remote_job("now");
  now.slurm_job = "17";
  const JobAnnouncement now_lives(folder_, now);
  leave_lock_of(before);
  EXPECT_EQ(JobLocks(folder_, now).try_lock("time"), LockOutcome::held) << "two steps of one job";
  now.slurm_restarts = 1;
  EXPECT_EQ(JobLocks(folder_, now).try_lock("time"), LockOutcome::taken_over);
}

TEST_F(JobLocksTest, LockCutShortIsHeldUntilItIsOld) {
  const JobOwner b = remote_job("b");
  const JobAnnouncement b_lives(folder_, b);
  JobLocks of_b(folder_, b);
  create_text_exclusively(folder_ / "time.3.lock", "{\"id\": \"a");
  EXPECT_EQ(of_b.try_lock("time"), LockOutcome::held);
  const fs::path lock = folder_ / "time.3.lock";
  fs::last_write_time(lock, fs::last_write_time(lock) - std::chrono::minutes(3));
  EXPECT_EQ(of_b.try_lock("time"), LockOutcome::taken_over);
  EXPECT_TRUE(fs::exists(folder_ / "time.4.lock"));
}

TEST_F(JobLocksTest, RemovesTheDeadOnly) {
  const JobOwner a = remote_job("a");
  const JobOwner b = remote_job("b");
  const JobAnnouncement a_lives(folder_, a);
  const JobAnnouncement b_lives(folder_, b);
  create_text_exclusively(folder_ / "dead.job", to_json_text(remote_job("dead")));
  JobLocks(folder_, remote_job("dead")).try_lock("first");
  JobLocks(folder_, b).try_lock("second");
  make_older("dead", 200);
  JobLocks(folder_, a).remove_dead();
  EXPECT_EQ(files(".job"), 2U);
  EXPECT_EQ(files(".lock"), 1U);
  EXPECT_TRUE(fs::exists(folder_ / "second.1.lock"));
}

/// Eight jobs want the same hundred locks, half of which a dead job left: each goes to one of them.
TEST_F(JobLocksTest, ManyAtOnce) {
  constexpr int jobs = 8;
  constexpr int names = 100;
  for (int n = 0; n < names; n += 2) {
    JobLocks(folder_, remote_job("dead")).try_lock(std::to_string(n));
  }
  std::vector<std::unique_ptr<JobAnnouncement>> alive;
  std::vector<std::atomic<int>> winners(names);
  std::vector<std::jthread> threads;
  for (int j = 0; j < jobs; ++j) {
    const JobOwner owner = remote_job("job" + std::to_string(j));
    alive.push_back(std::make_unique<JobAnnouncement>(folder_, owner));
    threads.emplace_back([&, owner] {
      JobLocks locks(folder_, owner);
      for (int n = 0; n < names; ++n) {
        winners[n] += locks.try_lock(std::to_string(n)) == LockOutcome::held ? 0 : 1;
      }
    });
  }
  threads.clear();
  for (int n = 0; n < names; ++n) {
    EXPECT_EQ(winners[n], 1) << n;
  }
}

/// Whoever releases a lock makes room for one other, not for two that look at that moment.
TEST_F(JobLocksTest, OneAtATimeWhereAllReleaseAndTakeIt) {
  constexpr int jobs = 6;
  constexpr int turns = 150;
  std::vector<std::unique_ptr<JobAnnouncement>> alive;
  std::atomic<int> inside = 0;
  std::atomic<int> crowds = 0;
  std::atomic<int> entered = 0;
  std::vector<std::jthread> threads;
  for (int j = 0; j < jobs; ++j) {
    const JobOwner owner = remote_job("job" + std::to_string(j));
    alive.push_back(std::make_unique<JobAnnouncement>(folder_, owner));
    threads.emplace_back([&, owner] {
      JobLocks locks(folder_, owner);
      for (int turn = 0; turn < turns;) {
        if (locks.try_lock("finish") == LockOutcome::held) {
          continue;
        }
        crowds += inside++ == 0 ? 0 : 1;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
        --inside;
        locks.unlock("finish");
        ++turn;
        ++entered;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(crowds, 0);
  EXPECT_EQ(entered, jobs * turns);
}

}  // namespace
}  // namespace mosaic
