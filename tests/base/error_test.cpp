#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace mosaic {
namespace {

TEST(Error, CarriesCodeMessageAndPlace) {
  const auto line = __LINE__ + 2;
  try {
    fail(ExitCode::missing_input, "{}: level {} is absent", "store", 500);
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_EQ(problem.code(), ExitCode::missing_input);
    EXPECT_STREQ(problem.what(), "store: level 500 is absent");
    EXPECT_EQ(problem.where().line(), static_cast<unsigned>(line));
    EXPECT_NE(std::string(problem.where().file_name()).find("error_test.cpp"), std::string::npos);
  }
}

TEST(Error, RequireChecksAndIsInternalByDefault) {
  EXPECT_NO_THROW(require(true, "fine"));
  EXPECT_NO_THROW(require(true, ExitCode::io_error, "fine"));
  try {
    require(false, "{} broke", 7);
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_EQ(problem.code(), ExitCode::internal);
    EXPECT_STREQ(problem.what(), "7 broke");
  }
}

TEST(Error, MessagesHoldNoControlCharacters) {
  const std::string name("evil\0\x1b[2J\x7f.nc", 13);
  EXPECT_STREQ(Error(ExitCode::corrupt_input, name + ": line\n\tä").what(),
               "evil\\x00\\x1b[2J\\x7f.nc: line\n\tä");
}

}  // namespace
}  // namespace mosaic
