// Every system call that writes, names, closes or removes a file of the results folder is made to fail: the
// run ends soon with 73 or 74 and says which file and why, or does not mind; nobody who reads meanwhile sees
// a file that is not whole; the same command then gives the bits of an undisturbed run.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "faults/fault_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::IoFault;
using test::Job;

const std::string arguments = "--initial-times 3 --leads 2 --members 2 --forecasts";

/// The calls of one kind on one class of files that a run makes.
struct Site {
  std::string kind;
  std::string file_class;
  long calls = 0;
};

struct Tally {
  int injected = 0, ended = 0, unharmed = 0;
  double longest = 0;  ///< [s]
};

class IoFaults : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    folder() = test::scratch_dir("io_faults");
    const Job whole = test::shell(counted(folder() / "whole") + command("whole"));
    ASSERT_EQ(whole.code, 0) << whole.output;
    sites().clear();
    std::ifstream report(folder() / "report");
    std::string word;
    for (Site site; report >> word >> site.kind >> site.file_class >> site.calls;) {
      sites().push_back(site);
    }
    ASSERT_GT(sites().size(), 20U) << "the shim saw nothing";
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static std::vector<Site>& sites() {
    static std::vector<Site> all;
    return all;
  }
  static std::string counted(const fs::path& out) {
    return test::with_io_fault({}, out, folder() / "report");
  }
  static std::string command(const std::string& out, const std::string& more = "") {
    return test::fake_hindcast(folder() / out, arguments + " " + more);
  }

  /// Injects, checks the end of the run and that the same command completes it.
  void inject(const std::string& launch, const IoFault& fault) {
    SCOPED_TRACE(fault.kind + " " + fault.file_class + ", call " + std::to_string(fault.number) + ", " +
                 (fault.error == 0 ? "short" : std::strerror(fault.error)));
    const fs::path out = folder() / "out";
    fs::remove_all(out);
    fs::remove(folder() / "fault");
    test::WatchingReader reader(out);
    const Job job =
        test::shell(launch + test::with_io_fault(fault, out, folder() / "fault") + command("out"));
    ++tally_.injected;
    tally_.longest = std::max(tally_.longest, job.seconds);
    EXPECT_LT(job.seconds, test::soon);
    std::ostringstream report;
    report << std::ifstream(folder() / "fault").rdbuf();
    EXPECT_NE(report.str().find("fault "), std::string::npos) << "the call did not come about";
    if (job.code == 0) {
      ++tally_.unharmed;
      EXPECT_FALSE(must_end(fault)) << job.output;
    } else {
      ++tally_.ended;
      expect_message(fault, job);
    }
    const Job again = test::shell(launch + command("out"));
    ASSERT_EQ(again.code, 0) << again.output << "\nafter\n" << job.output;
    const auto unreadable = reader.finish();
    EXPECT_TRUE(unreadable.empty()) << unreadable.front();
    test::expect_same_results(folder() / "whole", out);
    for (const auto& entry : fs::recursive_directory_iterator(out)) {
      EXPECT_EQ(entry.path().filename().string().find(".tmp"), std::string::npos) << entry.path();
    }
  }

  /// A log is not worth a job; nor is what is only read when it is closed, or removed and not found again;
  /// nor a lock that cannot be given back.
  static bool must_end(const IoFault& fault) {
    const bool is_log = fault.file_class.starts_with("log/");
    const bool is_lock = fault.kind == "open_read" && fault.file_class.starts_with("locks");
    return fault.error != 0 && !is_log && !is_lock && fault.kind != "close" && fault.kind != "unlink";
  }
  static void expect_message(const IoFault& fault, const Job& job) {
    EXPECT_TRUE(job.code == 73 || job.code == 74) << job.code << "\n" << job.output;
    std::vector<std::string> words = {"[rank " + std::to_string(fault.rank.value_or(0)) + "/",
                                      (folder() / "out").string(), std::strerror(fault.error)};
    const bool of_initial_time =
        fault.file_class.starts_with("sums/") || fault.file_class.starts_with("forecasts/");
    if (of_initial_time && fault.kind != "open_read") {
      words.emplace_back("initial time 2020-01-0");
    }
    for (const std::string& word : words) {
      EXPECT_NE(job.output.find(word), std::string::npos) << word << " is not in\n" << job.output;
    }
  }
  void print_tally(const std::string& what) const {
    std::printf("%-9s %d faults: %d runs ended by them, %d unharmed; longest %.1f s\n", what.c_str(),
                tally_.injected, tally_.ended, tally_.unharmed, tally_.longest);
  }

  Tally tally_;
};

INSTANTIATE_TEST_SUITE_P(Calls, IoFaults,
                         testing::Values("open", "open_read", "write", "fsync", "rename", "close", "truncate",
                                         "unlink", "mkdir"),
                         [](const auto& info) { return std::string(info.param); });

/// Of a site: every call in a full run, else the first or the last one by turns (of what only reads, at
/// every other site).
std::vector<long> chosen_calls(const Site& site, std::size_t turn) {
  if (!test::full_run()) {
    if ((site.kind == "open_read" || site.kind == "close") && turn % 4 > 1) {
      return {};
    }
    return {turn % 2 == 0 ? 1 : site.calls};
  }
  std::vector<long> all;
  for (long number = 1; number <= site.calls; ++number) {
    all.push_back(number);
  }
  return all;
}

/// All that a call can meet in a full run, else one by turns; writes are many and take turns always.
std::vector<int> errors_of(const std::string& kind, std::size_t turn) {
  const std::map<std::string, std::vector<int>> several = {{"write", {EIO, ENOSPC, EDQUOT, 0}},
                                                           {"open", {EIO, EROFS, ENOSPC}},
                                                           {"mkdir", {EROFS, ENOSPC}},
                                                           {"rename", {EIO, EROFS}}};
  const auto found = several.find(kind);
  const std::vector<int> all = found == several.end() ? std::vector{EIO} : found->second;
  return test::full_run() && kind != "write" ? all : std::vector{all[turn % all.size()]};
}

TEST_P(IoFaults, EveryCall) {
  std::size_t turn = 0;
  for (const Site& site : sites()) {
    if (site.kind != GetParam()) {
      continue;
    }
    for (const long number : chosen_calls(site, turn)) {
      for (const int error : errors_of(site.kind, turn + static_cast<std::size_t>(number))) {
        inject("", {site.kind, site.file_class, number, error, {}, false});
        if (HasFailure()) {
          return;
        }
      }
    }
    ++turn;
  }
  print_tally(GetParam());
}

TEST_F(IoFaults, DiskThatStaysFull) {
  for (const long number : test::full_run() ? std::vector{1L, 2L, 5L, 10L, 20L, 40L} : std::vector{4L}) {
    inject("", {"write", "", number, ENOSPC, {}, true});
  }
  print_tally("full disk");
}

TEST_F(IoFaults, FolderThatBecomesReadOnly) {
  for (const long number : test::full_run() ? std::vector{1L, 2L, 3L, 5L, 8L} : std::vector{3L}) {
    inject("", {"open", "", number, EROFS, {}, true});
  }
  print_tally("read-only");
}

/// Must fail: a changed bit is seen, and so is a reader's problem.
TEST_F(IoFaults, TheChecksSeeWhatIsWrong) {
  const fs::path copy = folder() / "copy";
  fs::remove_all(copy);
  fs::copy(folder() / "whole", copy, fs::copy_options::recursive);
  EXPECT_EQ(test::first_difference(folder() / "whole/sums.nc", copy / "sums.nc"), "");
  NetcdfDocument sums = read_netcdf((copy / "sums.nc").string());
  bool flipped = false;
  for (NetcdfVariable& variable : sums.variables) {
    if (auto* values = std::get_if<std::vector<double>>(&variable.values); values && !flipped) {
      auto* bytes = reinterpret_cast<unsigned char*>(&values->back());
      bytes[0] ^= 1U;
      flipped = true;
    }
  }
  ASSERT_TRUE(flipped);
  write_netcdf((copy / "sums.nc").string(), sums);
  EXPECT_NE(test::first_difference(folder() / "whole/sums.nc", copy / "sums.nc"), "");

  const fs::path file = copy / "metrics.nc";
  fs::resize_file(file, fs::file_size(file) / 2);
  test::WatchingReader reader(copy);
  while (reader.files_read() < 5) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto problems = reader.finish();
  ASSERT_FALSE(problems.empty());
  EXPECT_NE(problems.front().find(file.string()), std::string::npos) << problems.front();
}

}  // namespace
}  // namespace mosaic
