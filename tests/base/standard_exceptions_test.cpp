#include "base/standard_exceptions.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>

namespace mosaic {
namespace {

TEST(StandardExceptions, SayWhatTheyMean) {
  const Error memory = as_error(std::bad_alloc());
  EXPECT_EQ(memory.code(), ExitCode::internal);
  EXPECT_EQ(std::string(memory.what()).find("out of memory: "), 0U);

  const Error disk = as_error(
      std::filesystem::filesystem_error("looking", "some/folder", std::make_error_code(std::errc::io_error)));
  EXPECT_EQ(disk.code(), ExitCode::io_error);
  EXPECT_NE(std::string(disk.what()).find("some/folder"), std::string::npos);

  const Error other = as_error(std::logic_error("this"));
  EXPECT_EQ(other.code(), ExitCode::internal);
  EXPECT_STREQ(other.what(), "unexpected exception: this");
}

}  // namespace
}  // namespace mosaic
