// One rank meets a fault: its message names rank, initial time, file, reason and remedy, its code ends the
// whole job, nobody hangs, and once the fault is mended the same command gives the bits of an undisturbed
// run.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "fields/channel.hpp"
#include "stores/field_store.hpp"
#include "stores/zarr_writer.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::count_of;
using test::expect_same_results;
using test::Job;
using test::persistence;
using test::shell;

constexpr const char* demo_store = "config/demo/gfs_20111011.zarr";
const std::vector<std::string> initial_times = {"2011-10-11T00", "2011-10-11T12", "2011-10-12T00",
                                                "2011-10-12T12"};

/// A store with the demonstration's state at four times.
void write_series(const fs::path& path) {
  const auto demo = open_field_store(demo_store, {});
  const auto channels = std::make_shared<const ChannelSet>(mosaic_channels());
  State state = demo->read(demo->times().front(), channels);
  std::vector<Time> times;
  for (const std::string& text : initial_times) {
    times.push_back(parse_time(text));
  }
  ZarrWriter writer(path.string(), state.grid, channels, times);
  for (const Time time : times) {
    state.time = time;
    writer.write(state);
  }
  writer.close();
}

class Fault : public testing::TestWithParam<int> {
 protected:
  static void SetUpTestSuite() {
    folder() = test::scratch_dir("faults");
    write_series(folder() / "series.zarr");
    const Job run = shell(command(0, "whole"));
    ASSERT_EQ(run.code, 0) << run.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }

  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static fs::path store() { return folder() / "series.zarr"; }
  static fs::path chunk(const std::string& variable, std::size_t time) {
    const std::string tail = variable == "2m_temperature" ? ".0.0" : ".0.0.0";
    return store() / variable / (std::to_string(time) + tail);
  }

  static std::string command(int ranks, const std::string& out,
                             const std::string& more = "--set output.channels=2m_temperature") {
    return test::hindcast(ranks == 1 ? 0 : ranks, folder() / out,
                          persistence +
                              "--set input.frozen_state=false --set truth.frozen_state=true "
                              "--set truth.path=" +
                              demo_store + " --input " + store().string() + " " + more,
                          initial_times.back());
  }
  Job run(const std::string& out, const std::string& more = "") const {
    return shell(command(GetParam(), out, "--set output.channels=2m_temperature " + more));
  }

  /// The job ended with `code`, soon, and one rank said all of `words` (in one message).
  void expect_failure(const Job& job, int code, const std::vector<std::string>& words) const {
    EXPECT_EQ(job.code, code) << job.output;
    EXPECT_LT(job.seconds, test::soon);
    EXPECT_EQ(count_of(job.output, "[rank "), 1U + count_of(job.output, "warning [rank ")) << job.output;
    for (const std::string& word : words) {
      EXPECT_NE(job.output.find(word), std::string::npos) << word << " is not in\n" << job.output;
    }
  }
  void expect_resume_gives_the_same_bits(const std::string& out) const {
    const Job again = run(out);
    ASSERT_EQ(again.code, 0) << again.output;
    expect_same_results(folder() / "whole", folder() / out);
  }
  std::string out_name() const {
    return std::string(testing::UnitTest::GetInstance()->current_test_info()->name()).substr(0, 4) +
           std::to_string(GetParam());
  }
};

INSTANTIATE_TEST_SUITE_P(Ranks, Fault, testing::Values(1, 2, 4));

/// Puts a file back when the test is over.
class Kept {
 public:
  explicit Kept(fs::path path) : path_(std::move(path)), copy_(path_.string() + ".kept") {
    fs::copy_file(path_, copy_);
  }
  ~Kept() { restore(); }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  void restore() const {
    if (fs::exists(copy_)) {
      fs::rename(copy_, path_);
    }
  }

 private:
  fs::path path_;
  fs::path copy_;
};

/// What an interrupted copy leaves. (A store without checksums cannot show that a byte inside a chunk has
/// changed.)
void damage(const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }

/// With on_error: continue the damaged times are left out and listed; mended, the same command does them.
TEST_P(Fault, ContinuesPastInitialTimesThatCannotBeRead) {
  const std::string out = out_name();
  const Kept first(chunk("temperature", 0));
  const Kept third(chunk("geopotential", 2));
  damage(chunk("temperature", 0));
  fs::remove(chunk("geopotential", 2));
  const Job job = run(out, "--set on_error=continue");
  EXPECT_EQ(job.code, 76) << job.output;
  EXPECT_EQ(count_of(job.output, "reading failed and is tried again"), 4U) << job.output;
  const std::string record = read_text((folder() / out / "run.json").string());
  for (const std::string& text : {initial_times[0], initial_times[2]}) {
    EXPECT_NE(job.output.find("initial time " + text + " failed; the same command tries it again"),
              std::string::npos)
        << job.output;
    EXPECT_NE(record.find("\"" + text + "\": \"failed: "), std::string::npos) << record;
  }
  EXPECT_NE(record.find("\"" + initial_times[1] + "\": \"committed\""), std::string::npos) << record;
  EXPECT_TRUE(fs::exists(folder() / out / "metrics.nc"));
  EXPECT_FALSE(fs::exists(folder() / out / "sums.nc"));
  for (const auto& entry : fs::directory_iterator(folder() / out / "forecasts")) {
    EXPECT_EQ(entry.path().extension(), ".nc") << entry.path();
  }
  first.restore();
  third.restore();
  const Job again = run(out);
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("4 of 4 initial times (2 resumed)"), std::string::npos) << again.output;
  expect_same_results(folder() / "whole", folder() / out);
}

TEST_P(Fault, NothingCouldBeForecast) {
  std::vector<std::unique_ptr<Kept>> kept;
  for (std::size_t time = 0; time < initial_times.size(); ++time) {
    kept.push_back(std::make_unique<Kept>(chunk("temperature", time)));
    damage(chunk("temperature", time));
  }
  const Job job = run(out_name(), "--set on_error=continue");
  EXPECT_EQ(job.code, 76) << job.output;
  EXPECT_NE(job.output.find("there are no scores"), std::string::npos) << job.output;
}

TEST_P(Fault, DamagedChunkOfTheFirstMiddleOrLastTime) {
  for (const std::size_t time : {0U, 2U, 3U}) {
    const std::string out = "damaged" + std::to_string(time) + out_name();
    const Kept kept(chunk("temperature", time));
    damage(chunk("temperature", time));
    expect_failure(
        run(out), 65,
        {"initial time " + initial_times[time] + ": ", store().string(),
         "temperature/" + std::to_string(time) + ".0.0.0", "damaged chunk", "fetch the store again"});
    kept.restore();
    if (time == 2) {
      expect_resume_gives_the_same_bits(out);
    }
  }
}

TEST_P(Fault, AbsentChunkIsMissingData) {
  const Kept kept(chunk("2m_temperature", 1));
  fs::remove(chunk("2m_temperature", 1));
  expect_failure(
      run(out_name()), 65,
      {"initial time 2011-10-11T12: ", store().string(), "2m_temperature", "NaN", "input.check: false"});
}

TEST_P(Fault, NonFiniteForecastNamesMemberVariablePlaceAndStep) {
  const Kept kept(chunk("2m_temperature", 3));
  fs::remove(chunk("2m_temperature", 3));
  expect_failure(run(out_name(), "--set input.check=false"), 70,
                 {"initial time 2011-10-12T12: ", "member 0", "2m_temperature = nan",
                  "after step 1 (lead time 24h); allowed is any finite value"});
}

TEST_P(Fault, MissingVariableIsOneMessage) {
  const fs::path away = folder() / "away";
  const fs::path metadata = store() / ".zmetadata";
  fs::rename(store() / "specific_humidity", away);
  const Kept kept(metadata);
  fs::remove(metadata);
  expect_failure(run(out_name()), 66, {"input.path", store().string(), "specific_humidity_700"});
  EXPECT_FALSE(fs::exists(folder() / out_name()));
  fs::rename(away, store() / "specific_humidity");
}

TEST_P(Fault, ForecastFileThatCannotGetItsName) {
  const fs::path name = folder() / out_name() / "forecasts/forecast_2011-10-12T00.nc";
  fs::create_directories(name / "in the way");
  for (const char* mode : {"stop", "continue"}) {  // no reason to leave an initial time out
    expect_failure(run(out_name(), std::string("--set on_error=") + mode), 74,
                   {"initial time 2011-10-12T00: ", name.string(), "Is a directory"});
  }
  fs::remove_all(name);
  expect_resume_gives_the_same_bits(out_name());
}

TEST_P(Fault, FilesThatStandWhereFoldersAreToBe) {
  for (const char* name : {"", "sums", "log", "forecasts"}) {
    const fs::path out = folder() / out_name();
    fs::remove_all(out);
    if (*name != '\0') {
      fs::create_directories(out);
    }
    std::ofstream(out / name) << "a file";
    if (*name == '\0') {
      std::ofstream(out) << "a file";
    }
    const int code = std::string(name) == "sums" ? 78 : 73;
    expect_failure(run(out_name()), code, {out.string()});
  }
}

TEST_P(Fault, FullDisk) {
  // A limit on the size of files, of which a forecast file needs more, is what a test can have in place of a
  // full disk. 16384 x 512 bytes leave room for what MPI shares between ranks.
  const std::string limited = "/bin/sh -c 'ulimit -f 16384; exec \"$@\"' sh ";
  const std::string large = "--set output.deflate=0 --set output.products=members,mean,spread";
  const Job job = shell(limited + command(GetParam(), out_name(), large));
  EXPECT_EQ(job.code, 74) << job.output;
  EXPECT_LT(job.seconds, test::soon);
  // Several ranks may meet it at the same time.
  EXPECT_GE(count_of(job.output, "] initial time 2011-10-1"), 1U) << job.output;
  EXPECT_GE(count_of(job.output, (folder() / out_name() / "forecasts/forecast_").string()), 1U) << job.output;
  EXPECT_GE(count_of(job.output, "cannot write variable"), 1U) << job.output;
  EXPECT_GE(count_of(job.output, ": File too large"), 1U) << job.output;
}

}  // namespace
}  // namespace mosaic
