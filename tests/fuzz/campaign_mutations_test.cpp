#include <gtest/gtest.h>

#include <new>
#include <thread>

#include "base/error.hpp"
#include "fuzz/campaign.hpp"

namespace mosaic::test {
namespace {

const Contents good{"structure", "values"};

/// The complaint about a reader that does `read` where `allowed` is what may come of it.
std::string complaint_about(const std::function<Contents(const std::string&)>& read, Allowed allowed) {
  HostileFormat format{.name = "fake", .opened = "file", .sample = {}, .read = read, .mutate = {}};
  format.memory = 1 << 20;
  format.seconds = 0.05;
  Tally tally;
  return complaint(format, {{}, allowed, ""}, good, "folder/file", tally);
}

TEST(HostileCampaign, AcceptsWhatIsAllowed) {
  EXPECT_EQ(complaint_about([](auto&) { return good; }, Allowed::same_everything), "");
  EXPECT_EQ(complaint_about([](auto&) { return Contents{"structure", "x"}; }, Allowed::same_structure), "");
  EXPECT_EQ(complaint_about([](auto&) { return Contents{"x", "x"}; }, Allowed::reading), "");
  for (const ExitCode code :
       {ExitCode::corrupt_input, ExitCode::missing_input, ExitCode::bad_configuration}) {
    EXPECT_EQ(complaint_about(
                  [&](auto& path) -> Contents { fail(code, "{}: entry a: the shape is damaged", path); },
                  Allowed::nothing),
              "");
  }
}

/// The twin: every kind of wrong reader is caught.
TEST(HostileCampaign, CatchesWrongReaders) {
  const auto caught = [](const std::function<Contents(const std::string&)>& read, Allowed allowed,
                         const std::string& word) {
    const std::string text = complaint_about(read, allowed);
    EXPECT_NE(text.find(word), std::string::npos) << "'" << text << "' lacks " << word;
  };
  caught([](auto&) { return good; }, Allowed::nothing, "although it is damaged");
  caught([](auto&) { return Contents{"x", "values"}; }, Allowed::same_structure, "another structure");
  caught([](auto&) { return Contents{"structure", "x"}; }, Allowed::same_everything, "other values");
  caught([](auto&) -> Contents { throw std::bad_alloc(); }, Allowed::reading, "no Error");
  caught([](auto&) -> Contents { fail(ExitCode::corrupt_input, "damaged, but which file?"); },
         Allowed::reading, "without its name");
  caught([](auto& path) -> Contents { fail(ExitCode::corrupt_input, "{}", path); }, Allowed::reading,
         "without a reason");
  caught([](auto& path) -> Contents { fail(ExitCode::internal, "{}: a broken invariant", path); },
         Allowed::reading, "code 70");
  caught(
      [](auto&) {
        const std::string waste(2 << 20, 'x');
        return waste.empty() ? Contents{} : good;
      },
      Allowed::reading, "bytes of memory");
  caught(
      [](auto&) {
        std::this_thread::sleep_for(std::chrono::milliseconds(60));
        return good;
      },
      Allowed::reading, "took 0.1 s");
}

TEST(Mutator, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const std::string bytes(100, 'a');
  EXPECT_EQ(Mutator(3).changed(bytes), Mutator(3).changed(bytes));
  EXPECT_NE(Mutator(3).changed(bytes), Mutator(4).changed(bytes));
  const std::string json = R"({"a":[1,2],"b":{"c":"text"}})";
  EXPECT_EQ(Mutator(3).json_edited(json), Mutator(3).json_edited(json));
  EXPECT_EQ(with_json(json, "/b/c", "7"), R"({"a":[1,2],"b":{"c":7}})");
  EXPECT_EQ(with_json(json, "/a/0", "(remove)"), R"({"a":[2],"b":{"c":"text"}})");
}

}  // namespace
}  // namespace mosaic::test
