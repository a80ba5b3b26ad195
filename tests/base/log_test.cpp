#include "base/log.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

class Log : public testing::Test {
 protected:
  void TearDown() override {
    set_up_log({});
    std::filesystem::remove_all(folder_);
  }

  /// What stderr gets when one message of each level is logged.
  static std::string console_of(const LogOptions& options) {
    set_up_log(options);
    testing::internal::CaptureStderr();
    log_debug("d{}", 1);
    log_info("i{}", 2);
    log_warning("w{}", 3);
    log_error("e{}", 4);
    return testing::internal::GetCapturedStderr();
  }

  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  const std::filesystem::path folder_ = test::scratch_dir("log");
};

TEST_F(Log, LevelFilters) {
  const std::string info = console_of({.level = LogLevel::info, .file = {}});
  EXPECT_FALSE(has(info, "d1"));
  EXPECT_TRUE(has(info, "i2") && has(info, "w3") && has(info, "e4")) << info;
  const std::string error = console_of({.level = LogLevel::error, .file = {}});
  EXPECT_FALSE(has(error, "w3"));
  EXPECT_TRUE(has(error, "e4"));
}

TEST_F(Log, OtherRanksSpeakOnlyOfTroubleAndSayWhoTheyAre) {
  const std::string text = console_of({.level = LogLevel::debug, .rank = 1, .ranks = 2, .file = {}});
  EXPECT_FALSE(has(text, "d1") || has(text, "i2")) << text;
  EXPECT_TRUE(has(text, "[rank 1/2] w3") && has(text, "[rank 1/2] e4")) << text;
}

TEST_F(Log, OneRankHasNoLabel) { EXPECT_FALSE(has(console_of({.file = {}}), "[rank")); }

TEST_F(Log, FileGetsEverything) {
  const std::string file = (folder_ / "rank_1.log").string();
  console_of({.level = LogLevel::error, .rank = 1, .ranks = 2, .file = file});
  set_up_log({});
  const std::string text = read_text(file);
  for (const char* part : {"d1", "i2", "w3", "e4"}) {
    EXPECT_TRUE(has(text, part)) << text;
  }
}

TEST_F(Log, FileThatCannotBeMadeIsAnError) {
  std::filesystem::create_directory(folder_ / "taken");
  try {
    set_up_log({.file = (folder_ / "taken").string()});
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_EQ(problem.code(), ExitCode::cannot_create);
    EXPECT_TRUE(has(problem.what(), "taken")) << problem.what();
  }
}

}  // namespace
}  // namespace mosaic
