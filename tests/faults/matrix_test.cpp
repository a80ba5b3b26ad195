// The matrix of faults: what fails x on which rank (or for input: at which time) x launcher x ranks x
// on_error. The job ends soon with the right code and says where and why, or goes on without the initial
// times that failed; then the same command gives the bits of an undisturbed run. A pairwise subset, all of it
// with MOSAIC_FULL. The rows with srun need a Slurm around this program (tests/slurm/with_slurm.sh).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "base/time.hpp"
#include "faults/fault_runs.hpp"
#include "faults/pairwise.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::IoFault;
using test::Job;

enum class Source { model, input, disk };

struct FaultKind {
  const char* name;
  Source source;
  std::vector<int> codes;          ///< with on_error: stop
  std::vector<const char*> words;  ///< of the message; none where only the launcher speaks
  bool one_initial_time = false;   ///< on_error: continue can leave it out
  IoFault io = {};
};

const std::vector<FaultKind>& fault_kinds() {
  const std::string sums = "sums/T.nc.tmp";
  static const std::vector<FaultKind> kinds = {
      {"exception", Source::model, {70}, {"unexpected exception: the null model was told to fail"}},
      {"segv", Source::model, {139}, {}},
      {"sigkill", Source::model, {137}, {}},
      {"oom", Source::model, {70}, {"out of memory"}},
      {"non-finite", Source::model, {70}, {"mean_sea_level_pressure = nan", "after step 2"}, true},
      {"damaged", Source::input, {65}, {"damaged chunk", "fetch the store again", "temperature/"}, true},
      {"absent", Source::input, {65}, {"temperature", "NaN"}, true},
      {"vanishing", Source::input, {66}, {"temperature/", "absent"}, true},
      {"full-disk", Source::disk, {74}, {"No space left"}, false, {"write", "", 200, ENOSPC, {}, true}},
      {"read-only", Source::disk, {73}, {"Read-only file system"}, false, {"open", sums, 2, EROFS, {}, true}},
      {"eio-write", Source::disk, {74}, {"Input/output error"}, false, {"write", sums, 2, EIO, {}, false}},
      {"eio-fsync", Source::disk, {74}, {"Input/output error"}, false, {"fsync", sums, 2, EIO, {}, false}},
      {"eio-rename",
       Source::disk,
       {74},
       {"Input/output error"},
       false,
       {"rename", "sums/T.nc", 2, EIO, {}, false}},
      {"eio-close", Source::disk, {74}, {"Input/output error"}, false, {"close", sums, 3, EIO, {}, false}},
  };
  return kinds;
}

constexpr std::array<const char*, 3> positions = {"first", "middle", "last"};
constexpr std::array<const char*, 2> launcher_names = {"mpirun", "srun"};
constexpr std::array<int, 3> rank_counts = {1, 2, 4};

/// The shim, a limit of memory and a handler of SIGSEGV are what a sanitizer has for itself.
bool can_be_injected(const FaultKind& kind) {
#ifdef __SANITIZE_ADDRESS__
  return kind.source != Source::disk && kind.name != std::string("oom") && kind.name != std::string("segv");
#else
  return !kind.codes.empty();
#endif
}

/// fault, position, launcher, ranks, 1 for on_error: continue.
using Row = std::array<int, 5>;

std::vector<Row> all_rows() {
  std::vector<Row> rows;
  for (int fault = 0; fault < static_cast<int>(fault_kinds().size()); ++fault) {
    const FaultKind& kind = fault_kinds()[static_cast<std::size_t>(fault)];
    const bool both_modes = kind.one_initial_time;
    if (!can_be_injected(kind)) {
      continue;
    }
    for (int position = 0; position < 3; ++position) {
      for (int launcher = 0; launcher < 2; ++launcher) {
        for (int ranks = 0; ranks < 3; ++ranks) {
          for (int mode = 0; mode < (both_modes ? 2 : 1); ++mode) {
            rows.push_back({fault, position, launcher, ranks, mode});
          }
        }
      }
    }
  }
  return rows;
}

std::vector<Row> chosen_rows() { return test::full_run() ? all_rows() : test::pairwise<5>(all_rows()); }

std::string row_name(const Row& row) {
  std::string name = fault_kinds()[static_cast<std::size_t>(row[0])].name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + "_" + positions[static_cast<std::size_t>(row[1])] + "_" +
         launcher_names[static_cast<std::size_t>(row[2])] +
         std::to_string(rank_counts[static_cast<std::size_t>(row[3])]) + (row[4] == 1 ? "_continue" : "");
}

/// Initial times of a run: three for each rank.
int units_of(int ranks) { return 3 * ranks; }

Time initial_time(int unit) { return parse_time("2020-01-01T00") + unit * Duration::hours(12); }

class Matrix : public testing::TestWithParam<Row> {
 protected:
  static void SetUpTestSuite() {
    folder() = test::scratch_dir("matrix");
    const Job made = test::shell(test::program("fake_hindcast") + " --initial-times " +
                                 std::to_string(units_of(rank_counts.back())) + " --leads 1 --write-store " +
                                 (folder() / "store.zarr").string());
    ASSERT_EQ(made.code, 0) << made.output;
    for (const int ranks : rank_counts) {
      const Job whole = test::shell(command("whole" + std::to_string(ranks), ranks));
      ASSERT_EQ(whole.code, 0) << whole.output;
    }
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  void SetUp() override {
    if (launcher() == "srun" && std::getenv("SLURM_CONF") == nullptr) {
      GTEST_SKIP() << "srun needs tests/slurm/with_slurm.sh around this program";
    }
    fs::remove_all(out());
    fs::remove_all(store());
    if (kind().source == Source::input) {
      fs::copy(folder() / "store.zarr", store(), fs::copy_options::recursive);
    }
  }

  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static std::string command(const std::string& name, int ranks) {
    return test::fake_hindcast(folder() / name,
                               "--leads 4 --members 3 --batch 2 --forecasts --initial-times " +
                                   std::to_string(units_of(ranks)) + " ");
  }

  const FaultKind& kind() const { return fault_kinds()[static_cast<std::size_t>(GetParam()[0])]; }
  std::string position() const { return positions[static_cast<std::size_t>(GetParam()[1])]; }
  std::string launcher() const { return launcher_names[static_cast<std::size_t>(GetParam()[2])]; }
  int ranks() const { return rank_counts[static_cast<std::size_t>(GetParam()[3])]; }
  bool goes_on() const { return GetParam()[4] == 1; }
  static fs::path out() { return folder() / "out"; }
  static fs::path store() { return folder() / "copy.zarr"; }

  /// Of the first, middle or last of n.
  int place(int n) const { return position() == "first" ? 0 : position() == "middle" ? n / 2 : n - 1; }
  int rank() const { return place(ranks()); }
  /// What vanishes in mid-run must be of the last third, which nobody reads before the first commit.
  int first_faulty_unit() const {
    return kind().name == std::string("vanishing") ? 2 * ranks() + place(ranks()) : place(units_of(ranks()));
  }
  /// In the store, whose first time is one step before the first initial time.
  fs::path faulty_chunk() const {
    return store() / "temperature" / (std::to_string(first_faulty_unit() + 1) + ".0.0.0");
  }
  std::string launch() const {
    const std::string n = std::to_string(ranks());
    return launcher() == "srun" ? "srun -n " + n + " --overcommit " : test::launcher(ranks());
  }
  /// Truth stays without files: what is damaged is input only.
  std::string mended_command() const {
    const bool from_files = kind().source == Source::input;
    return command("out", ranks()) +
           (from_files ? "--set truth.path=hash --input " + store().string() + " " : "");
  }
  std::string faulty_command() const {
    const std::string on_error = goes_on() ? "--on-error continue " : "";
    switch (kind().source) {
      case Source::model:
        return launch() + mended_command() + on_error + "--sleep 0.25 --fault-at 1 --fault-rank " +
               position() + " --fault " + kind().name;
      case Source::input:
        return launch() + mended_command() + on_error + "--sleep 0.6";
      case Source::disk:
        break;
    }
    IoFault fault = kind().io;
    fault.rank = rank();
    return launch() + test::with_io_fault(fault, out(), folder() / "report") + mended_command() +
           "--sleep 0.25";
  }

  Job run_with_fault() const {
    const std::string name = kind().name;
    const fs::path chunk = faulty_chunk();
    if (name == "vanishing") {
      for (const fs::path& file : {store() / "temperature/.zarray", store() / ".zmetadata"}) {
        fill_with_zero(file);
      }
      return test::shell(faulty_command(), [&](pid_t) {
        test::wait_for_commits(out(), 1);
        fs::rename(chunk, folder() / "away");
      });
    }
    if (name == "damaged") {
      fs::copy_file(chunk, folder() / "away");
      fs::resize_file(chunk, fs::file_size(chunk) / 2);
    } else if (name == "absent") {
      fs::rename(chunk, folder() / "away");
    }
    return test::shell(faulty_command());
  }
  /// Absent chunks are missing data where the fill value is NaN, and missing files otherwise.
  static void fill_with_zero(const fs::path& metadata) {
    std::string text = read_text(metadata.string());
    const std::string nan = "\"fill_value\": \"NaN\"";
    for (std::size_t at = text.find(nan); at != std::string::npos; at = text.find(nan, at)) {
      text.replace(at, nan.size(), "\"fill_value\": 0.0");
    }
    write_text(metadata.string(), text);
  }
  void mend() const {
    if (kind().source == Source::input) {
      fs::rename(folder() / "away", faulty_chunk());
    }
  }

  void expect_end(const Job& job) const {
    EXPECT_NE(std::find(kind().codes.begin(), kind().codes.end(), job.code), kind().codes.end())
        << job.code << "\n"
        << job.output;
    if (kind().words.empty()) {
      return;  // the process could say nothing
    }
    std::vector<std::string> words(kind().words.begin(), kind().words.end());
    words.emplace_back("initial time 2020-01-0");
    const std::string of = "/" + std::to_string(ranks()) + "] initial time ";
    words.push_back(kind().source == Source::input ? of : "[rank " + std::to_string(rank()) + of);
    if (kind().source != Source::model) {
      words.push_back(kind().source == Source::input ? store().string() : out().string());
    }
    for (const std::string& word : words) {
      EXPECT_NE(job.output.find(word), std::string::npos) << word << " is not in\n" << job.output;
    }
  }
  /// The time of the fault is the newest of one history and the older one of the next.
  void expect_list_of_failed(const Job& job) const {
    EXPECT_EQ(job.code, 76) << job.output;
    const std::string record = read_text((out() / "run.json").string());
    if (kind().source == Source::model) {
      EXPECT_EQ(test::count_of(record, "\"failed: "), 1U) << record;
      EXPECT_NE(record.find(kind().words.front()), std::string::npos) << record;
      return;
    }
    const int last = std::min(first_faulty_unit() + 1, units_of(ranks()) - 1);
    for (int unit = 0; unit < units_of(ranks()); ++unit) {
      const bool failed = unit == first_faulty_unit() || unit == last;
      const std::string status =
          "\"" + to_string(initial_time(unit)) + "\": \"" + (failed ? "failed: " : "committed\"");
      EXPECT_NE(record.find(status), std::string::npos) << status << " is not in\n" << record;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Rows, Matrix, testing::ValuesIn(chosen_rows()),
                         [](const auto& info) { return row_name(info.param); });

TEST_P(Matrix, EndsSoonAndResumes) {
  fs::remove(folder() / "away");
  const Job job = run_with_fault();
  EXPECT_LT(job.seconds, test::soon);
  if (goes_on()) {
    expect_list_of_failed(job);
  } else {
    expect_end(job);
  }
  mend();
  const Job again = test::shell(mended_command());
  ASSERT_EQ(again.code, 0) << again.output << "\nafter\n" << job.output;
  const int resumed = test::resumed_count(again.output);
  if (kind().source != Source::input) {  // which may fail at the first initial time
    EXPECT_GT(resumed, 0) << job.output;
  }
  EXPECT_LT(resumed, units_of(ranks()));
  test::expect_same_results(folder() / ("whole" + std::to_string(ranks())), out());
  std::printf("%.1f s, code %d, %d of %d resumed\n", job.seconds, job.code, resumed, units_of(ranks()));
}

TEST(Pairwise, EveryPairOnceAndFew) {
  const std::vector<Row> rows = all_rows();
  const std::vector<Row> chosen = test::pairwise<5>(rows);
  EXPECT_LT(chosen.size(), rows.size() / 4);
  for (const Row& row : rows) {
    for (std::size_t a = 0; a < row.size(); ++a) {
      for (std::size_t b = a + 1; b < row.size(); ++b) {
        const auto has_pair = [&](const Row& one) { return one[a] == row[a] && one[b] == row[b]; };
        ASSERT_TRUE(std::any_of(chosen.begin(), chosen.end(), has_pair)) << row_name(row);
      }
    }
  }
}

}  // namespace
}  // namespace mosaic
