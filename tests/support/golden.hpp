#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace mosaic::test {

/// Folder of golden data: MOSAIC_GOLDEN_DIR (relative to the repository root) or tests/golden.
std::filesystem::path golden_dir();

/// The file or folder inside golden_dir(), or nothing if it is absent.
std::optional<std::filesystem::path> find_golden(const std::string& relative);

/// A fresh empty folder for this test (and rank), removed when the program ends.
std::filesystem::path scratch_dir(const std::string& name);

}  // namespace mosaic::test

/// Sets `variable` to a golden file or folder, or skips the test visibly.
#define GOLDEN_OR_SKIP(variable, relative)                                                          \
  const auto variable##_found = ::mosaic::test::find_golden(relative);                              \
  if (!variable##_found) {                                                                          \
    GTEST_SKIP() << "golden data absent: " << (::mosaic::test::golden_dir() / (relative)).string(); \
  }                                                                                                 \
  const std::filesystem::path variable = *variable##_found
