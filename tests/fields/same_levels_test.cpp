#include "fields/same_levels.hpp"

#include <gtest/gtest.h>

#include "support/errors.hpp"

namespace mosaic {
namespace {

TEST(SameLevels, AreRequiredOfVariablesThatHaveLevels) {
  const Channel surface{"2m_temperature", std::nullopt}, z500{"geopotential", 500}, z850{"geopotential", 850},
      t500{"temperature", 500}, t850{"temperature", 850};
  const auto code = [](const ChannelSet& channels, std::string* message = nullptr) {
    return test::code_of(
        [&] { require_same_levels(channels, ExitCode::corrupt_input, "a.zarr", "make two"); }, message);
  };
  EXPECT_EQ(code({}), ExitCode::complete);
  EXPECT_EQ(code({surface, z850, t500, z500, t850}), ExitCode::complete);
  std::string message;
  EXPECT_EQ(code({surface, z500, z850, t500}, &message), ExitCode::corrupt_input);
  EXPECT_EQ(message, "a.zarr: geopotential has the levels 500 850, temperature has 500; make two");
}

}  // namespace
}  // namespace mosaic
