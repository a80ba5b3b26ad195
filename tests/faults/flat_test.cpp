// 720 initial times of the null model: memory and open files of every rank stay where they are, and the
// results folder never has more files than interfaces.md section 4 allows.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "faults/fault_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

/// MOSAIC_FLAT_UNITS, default 720.
std::size_t units() {
  const char* chosen = std::getenv("MOSAIC_FLAT_UNITS");
  return chosen != nullptr ? static_cast<std::size_t>(std::atoi(chosen)) : 720;
}

// An initial time allocates and frees about 0.3 MB of states, sums and files, always in the same pattern:
// after 50 of them the heap has seen every size. One lost state (11 kB) or file of sums (14 kB) in each
// initial time would be 670 x 11 kB = 7 MiB more at the end.
constexpr double margin_mib = 4.0;
// A sample may meet a file that is being written and a folder that is being listed.
constexpr std::size_t margin_descriptors = 2;

struct Sample {
  double resident_mib = 0;
  std::size_t descriptors = 0;
};

/// The ranks that write to `out`, by process id.
std::map<int, Sample> sample_ranks(const fs::path& out) {
  std::map<int, Sample> samples;
  std::error_code unimportant;
  for (const auto& process : fs::directory_iterator("/proc", unimportant)) {
    std::ifstream file(process.path() / "cmdline");
    std::string program;
    std::string rest;
    std::getline(file, program, '\0');
    std::getline(file, rest);
    const bool is_rank = program.ends_with("/fake_hindcast") && rest.find(out.string()) != std::string::npos;
    if (!is_rank) {
      continue;
    }
    Sample sample;
    std::ifstream status(process.path() / "status");
    for (std::string word; status >> word;) {
      if (word == "VmRSS:") {
        status >> sample.resident_mib;
        sample.resident_mib /= 1024;
      }
    }
    const fs::directory_iterator descriptors(process.path() / "fd", unimportant);
    sample.descriptors = static_cast<std::size_t>(std::distance(descriptors, fs::directory_iterator()));
    samples[std::atoi(process.path().filename().c_str())] = sample;
  }
  return samples;
}

/// Files of the results, without logs.
std::size_t count_files(const fs::path& out) {
  std::size_t count = 0;
  for (const char* place : {"", "sums"}) {
    std::error_code unimportant;
    for (fs::directory_iterator entry(out / place, unimportant), end; entry != end;
         entry.increment(unimportant)) {
      count += entry->is_directory(unimportant) ? 0 : 1;
    }
  }
  return count;
}

struct Watched {
  std::map<int, Sample> early;  ///< after 50 initial times for each rank
  std::map<int, Sample> late;   ///< near the end
  std::size_t most_files = 0;   ///< while running
  std::size_t last_files = 0;   ///< after the merge
};

Watched watch(int ranks, std::size_t initial_times, const std::string& arguments = "") {
  const fs::path out = test::scratch_dir("flat") / "out";
  Watched seen;
  const auto look_until_the_end = [&](pid_t) {
    const auto all = static_cast<std::size_t>(ranks);
    test::wait_for_commits(out, 50 * all);
    seen.early = sample_ranks(out);
    std::size_t before = 0;
    // Until shortly before the end: then the folder of the single sums is removed.
    for (std::size_t done = 1; before <= done && done < initial_times - 3 * all;) {
      before = std::exchange(done, test::count_committed(out));
      seen.most_files = std::max(seen.most_files, count_files(out));
      const auto samples = sample_ranks(out);
      seen.late = samples.size() == all ? samples : seen.late;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  };
  const test::Job run = test::shell(
      test::launcher(ranks) + test::fake_hindcast(out, "--leads 2 --members 2 --initial-times " +
                                                           std::to_string(initial_times) + " " + arguments),
      look_until_the_end);
  EXPECT_EQ(run.code, 0) << run.output;
  seen.last_files = count_files(out);
  fs::remove_all(out.parent_path());
  return seen;
}

class Flat : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Ranks, Flat, testing::Values(1, 2));

TEST_P(Flat, MemoryDescriptorsAndFiles) {
  const auto ranks = static_cast<std::size_t>(GetParam());
  const Watched seen = watch(GetParam(), units());
  ASSERT_EQ(seen.early.size(), ranks);
  ASSERT_EQ(seen.late.size(), ranks);
  for (const auto& [process, before] : seen.early) {
    ASSERT_TRUE(seen.late.contains(process));
    const Sample& after = seen.late.at(process);
    std::printf(
        "%zu ranks: resident %.1f MiB after 50 initial times, %.1f MiB at the end; %zu, %zu "
        "descriptors\n",
        ranks, before.resident_mib, after.resident_mib, before.descriptors, after.descriptors);
    EXPECT_LT(after.resident_mib, before.resident_mib + margin_mib);
    EXPECT_LE(after.descriptors, before.descriptors + margin_descriptors);
  }
  std::printf("%zu ranks: at most %zu files while running, %zu after the merge\n", ranks, seen.most_files,
              seen.last_files);
  EXPECT_GT(seen.most_files, units() / 2);
  EXPECT_LE(seen.most_files, units() + ranks + 10);
  EXPECT_LE(seen.last_files, 10U);
}

TEST(FlatTwin, MustFailWhereEachInitialTimeKeepsSomething) {
  const Watched seen = watch(1, 130, "--leak 256");
  ASSERT_EQ(seen.late.size(), 1U);
  const Sample& before = seen.early.begin()->second;
  const Sample& after = seen.late.begin()->second;
  EXPECT_GT(after.resident_mib, before.resident_mib + margin_mib);
  EXPECT_GT(after.descriptors, before.descriptors + margin_descriptors);
}

}  // namespace
}  // namespace mosaic
