// A hindcast is killed (SIGKILL, one rank or all) at random moments and resumed on another number of ranks
// until it is whole: its results have the bits of a run that nobody disturbed, and nothing half-written is
// left.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "end_to_end/hindcast_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::count_committed;
using test::Job;

constexpr int units = 16;
constexpr const char* last_time = "2011-10-18T12";
constexpr int kills_per_seed = 2;

/// MOSAIC_KILL_SEEDS, default 20.
int number_of_seeds() {
  const char* chosen = std::getenv("MOSAIC_KILL_SEEDS");
  return chosen != nullptr ? std::atoi(chosen) : 20;
}

std::string command(int ranks, const fs::path& out) {
  return test::hindcast(ranks, out, test::persistence_for("6d") + "--set output.channels=2m_temperature",
                        last_time);
}

/// The processes that `parent` started: mpirun's ranks.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code unimportant;
  for (const auto& entry : fs::directory_iterator("/proc", unimportant)) {
    std::ifstream status(entry.path() / "status");
    for (std::string word; status >> word;) {
      pid_t value = 0;
      if (word == "PPid:" && status >> value && value == parent) {
        children.push_back(std::atoi(entry.path().filename().c_str()));
      }
    }
  }
  return children;
}

/// Waits for a random number of commits and a moment more, then kills a random rank or the whole job. An
/// earlier kill may have met the run after its last commit.
void kill_at_random(pid_t job, const fs::path& out, int commits_before, std::mt19937& random) {
  const int more = static_cast<int>(random() % static_cast<unsigned>(std::max(1, units - commits_before)));
  const std::chrono::microseconds moment(random() % 50'000);
  const bool one_rank = random() % 2 == 0;
  const auto choice = random();
  test::wait_for_commits(out, static_cast<std::size_t>(commits_before + more));
  std::this_thread::sleep_for(moment);
  const std::vector<pid_t> ranks = children_of(job);
  if (one_rank && !ranks.empty()) {
    kill(ranks[choice % ranks.size()], SIGKILL);
  } else {
    kill(-job, SIGKILL);
  }
}

struct Tally {
  int killed = 0;   ///< runs that ended by a kill
  int resumed = 0;  ///< last runs of a seed that found some initial times done, not all
};

int resumed_count(const std::string& output) {
  const std::size_t end = output.find(" resumed)");
  const std::size_t begin = output.rfind('(', end);
  return end == std::string::npos ? -1 : std::atoi(output.c_str() + begin + 1);
}

void expect_no_leftovers(const fs::path& out) {
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    const std::string name = entry.path().filename();
    EXPECT_EQ(name.find(".tmp"), std::string::npos) << entry.path();
    EXPECT_EQ(name.find(".part"), std::string::npos) << entry.path();
  }
}

void kill_and_resume(int seed, const fs::path& folder, Tally& tally) {
  std::mt19937 random(static_cast<unsigned>(seed));
  const fs::path out = folder / ("seed" + std::to_string(seed));
  for (int i = 0; i < kills_per_seed; ++i) {
    const int ranks = static_cast<int>(random() % 4);  // 0: without a launcher
    const int before = static_cast<int>(count_committed(out));
    const Job job = test::shell(command(ranks, out),
                                [&](pid_t started) { kill_at_random(started, out, before, random); });
    ASSERT_LT(job.seconds, 3 * test::soon) << job.output;
    if (job.code == 0) {
      break;  // it was done before the kill
    }
    ++tally.killed;
  }
  const int ranks = static_cast<int>(random() % 4);
  const Job last = test::shell(command(ranks, out));
  ASSERT_EQ(last.code, 0) << "seed " << seed << ", " << ranks << " ranks\n" << last.output;
  const int found_done = resumed_count(last.output);
  tally.resumed += 0 < found_done && found_done < units ? 1 : 0;
  test::expect_same_results(folder / "whole", out);
  expect_no_leftovers(out);
  fs::remove_all(out);
}

TEST(Kills, ResumedRunsHaveTheBitsOfAnUndisturbedOne) {
  const fs::path folder = test::scratch_dir("kills");
  const Job whole = test::shell(command(0, folder / "whole"));
  ASSERT_EQ(whole.code, 0) << whole.output;
  Tally tally;
  for (int seed = 0; seed < number_of_seeds() && !HasFailure(); ++seed) {
    kill_and_resume(seed, folder, tally);
  }
  std::printf("%d runs killed, %d of %d seeds resumed in between\n", tally.killed, tally.resumed,
              number_of_seeds());
  EXPECT_GE(tally.killed, number_of_seeds());
  EXPECT_GT(tally.resumed, 0);
}

}  // namespace
}  // namespace mosaic
