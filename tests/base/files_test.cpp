#include "base/files.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "base/error.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

class Files : public testing::Test {
 protected:
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  const fs::path folder_ = test::scratch_dir("files");
};

TEST_F(Files, TextRoundTripsAndReplaces) {
  const std::string text("a\0b\r\n\xff", 6);
  write_text_atomically(path("f"), "old");
  write_text_atomically(path("f"), text);
  EXPECT_EQ(read_text(path("f")), text);
  write_text_atomically(path("empty"), "");
  EXPECT_EQ(read_text(path("empty")), "");
  EXPECT_EQ(files_in(folder_), 2U);
}

TEST_F(Files, WriterSeesATemporaryInTheSameFolder) {
  write_text_atomically(path("f"), "old");
  write_file_atomically(path("f"), [&](const std::string& temporary) {
    EXPECT_EQ(fs::path(temporary).parent_path(), folder_);
    EXPECT_NE(temporary, path("f"));
    EXPECT_NE(temporary.find(".tmp"), std::string::npos);
    std::ofstream(temporary) << "new";
    EXPECT_EQ(read_text(path("f")), "old");
  });
  EXPECT_EQ(read_text(path("f")), "new");
}

TEST_F(Files, ThrowingWriterLeavesTheOldFileAndNoTemporary) {
  write_text_atomically(path("f"), "old");
  const auto half_then_throw = [](const std::string& temporary) {
    std::ofstream(temporary) << "half";
    throw std::runtime_error("disk on fire");
  };
  EXPECT_THROW(write_file_atomically(path("f"), half_then_throw), std::runtime_error);
  EXPECT_EQ(read_text(path("f")), "old");
  EXPECT_EQ(files_in(folder_), 1U);
}

TEST_F(Files, ErrorsNameTheFile) {
  const auto expect_error = [](ExitCode code, const std::string& name, const auto& action) {
    try {
      action(name);
      ADD_FAILURE() << "no error for " << name;
    } catch (const Error& problem) {
      EXPECT_EQ(problem.code(), code) << problem.what();
      EXPECT_NE(std::string(problem.what()).find(name), std::string::npos) << problem.what();
    }
  };
  expect_error(ExitCode::missing_input, path("absent"), [](const auto& name) { read_text(name); });
  expect_error(ExitCode::missing_input, path("absent"), [](const auto& name) { sha256_of_file(name); });
  expect_error(ExitCode::cannot_create, path("no/folder/f"),
               [](const auto& name) { write_text_atomically(name, "x"); });
}

TEST_F(Files, WithoutFsyncAsWholeAsWith) {
  write_text_unsynced(path("f"), "one");
  write_text_unsynced(path("f"), "two");
  sync_file_system(std::filesystem::path(path("f")).parent_path());
  EXPECT_EQ(read_text(path("f")), "two");
  EXPECT_THROW(write_text_unsynced(path("no/folder/f"), "x"), Error);
  EXPECT_THROW(sync_file_system(path("absent")), Error);
}

/// FIPS 180-4 examples: the empty text, "abc", a million letters a.
TEST_F(Files, Sha256OfPublishedExamples) {
  EXPECT_EQ(sha256_of_text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of_text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string million(1000000, 'a');
  EXPECT_EQ(sha256_of_text(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string longer_than_a_piece = million + million;
  write_text_atomically(path("f"), longer_than_a_piece);
  EXPECT_EQ(sha256_of_file(path("f")), sha256_of_text(longer_than_a_piece));
}

}  // namespace
}  // namespace mosaic
