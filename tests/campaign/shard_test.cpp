#include "campaign/shard.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "support/errors.hpp"

namespace mosaic {
namespace {

using test::code_of;

/// The variables of a Slurm job array for as long as it exists.
class JobArray {
 public:
  explicit JobArray(const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) {
      const std::string variable = "SLURM_ARRAY_TASK_" + name;
      setenv(variable.c_str(), value.c_str(), 1);
      names_.insert(variable);
    }
  }
  ~JobArray() {
    for (const std::string& name : names_) {
      unsetenv(name.c_str());
    }
  }
  JobArray(const JobArray&) = delete;
  JobArray& operator=(const JobArray&) = delete;

 private:
  std::set<std::string> names_;
};

TEST(Shard, EveryTimeIsInExactlyOne) {
  std::vector<Time> all;
  for (int i = 0; i < 11; ++i) {
    all.push_back(Time{i * 43200});
  }
  std::set<Time> seen;
  for (int i = 0; i < 4; ++i) {
    for (const Time time : times_of_shard(all, parse_shard(std::to_string(i) + "/4"))) {
      EXPECT_TRUE(seen.insert(time).second);
    }
  }
  EXPECT_EQ(seen.size(), all.size());
  EXPECT_EQ(times_of_shard(all, {}), all);
}

TEST(Shard, BadTextsAreErrorsOfUsage) {
  for (const char* text : {"4/4", "-1/4", "1", "1/", "/4", "a/b", "1/4x", "0/0"}) {
    EXPECT_EQ(code_of([&] { parse_shard(text); }), ExitCode::usage) << text;
  }
}

TEST(Shard, ComesFromTheJobArray) {
  EXPECT_EQ(parse_shard("").count, 1);
  const JobArray array({{"ID", "7"}, {"COUNT", "4"}, {"MIN", "1"}, {"MAX", "10"}, {"STEP", "3"}});
  EXPECT_EQ(parse_shard("").index, 2);
  EXPECT_EQ(parse_shard("").count, 4);
  EXPECT_EQ(parse_shard("1/2").count, 2) << "what is said counts more";
}

TEST(Shard, UnevenJobArrayNeedsToBeTold) {
  const JobArray array({{"ID", "7"}, {"COUNT", "3"}, {"MIN", "1"}, {"MAX", "8"}, {"STEP", "1"}});
  EXPECT_EQ(code_of([] { parse_shard(""); }), ExitCode::usage);
}

}  // namespace
}  // namespace mosaic
