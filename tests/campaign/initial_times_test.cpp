#include "campaign/initial_times.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/files.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

using test::code_of;

TEST(InitialTimes, NamedSetsHaveTheirCounts) {
  InitialTimeSelection selection;
  selection.set = "wb2-2020";
  EXPECT_EQ(initial_times(selection).size(), 732U);
  selection.set = "first-720";
  const auto times = initial_times(selection);
  ASSERT_EQ(times.size(), 720U);
  EXPECT_EQ(to_string(times.back()), "2020-12-25T12");
}

TEST(InitialTimes, ListIsSortedAndMayHaveComments) {
  const std::string path = test::scratch_dir("list") / "times";
  write_text(path, "# two\n2020-01-02T00  # the later one\n\n2020-01-01T12\n");
  InitialTimeSelection selection;
  selection.list = path;
  const auto times = initial_times(selection);
  ASSERT_EQ(times.size(), 2U);
  EXPECT_EQ(to_string(times[0]), "2020-01-01T12");
  write_text(path, "2020-01-01\n2020-01-01T00\n");
  EXPECT_EQ(code_of([&] { initial_times(selection); }), ExitCode::bad_configuration) << "twice the same";
  write_text(path, "2020-01-01\nyesterday\n");
  std::string message;
  EXPECT_EQ(code_of([&] { initial_times(selection); }, &message), ExitCode::bad_configuration);
  EXPECT_NE(message.find(path + ":2: "), std::string::npos) << message;
}

TEST(InitialTimes, StepWithTheWrongUnitIsRefused) {
  InitialTimeSelection selection;
  selection.start = parse_time("2020-01-01");
  selection.end = parse_time("2020-12-31");
  selection.step = parse_duration("12s");
  std::string message;
  EXPECT_EQ(code_of([&] { initial_times(selection); }, &message), ExitCode::bad_configuration);
  EXPECT_NE(message.find("every 12s are 2628001 initial times"), std::string::npos) << message;
}

}  // namespace
}  // namespace mosaic
