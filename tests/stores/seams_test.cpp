#include "stores/seams.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/files.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

std::vector<Time> seams_in(const std::string& attributes) {
  const auto folder = test::scratch_dir("seams");
  write_text_atomically((folder / ".zattrs").string(), attributes);
  return seams_of(folder.string());
}

TEST(Seams, AreReadFromTheAttribute) {
  const std::vector<Time> two = {parse_time("2000-02-03T12"), parse_time("2000-03-08")};
  EXPECT_EQ(seams_in(R"({"seams": "2000-03-08T00 2000-02-03T12", "title": "x"})"), two);
  EXPECT_TRUE(seams_in(R"({"seams": "none"})").empty());
  EXPECT_TRUE(seams_in(R"({"title": "x"})").empty());
  EXPECT_TRUE(seams_in("not JSON").empty()) << "for the readers of the store to complain of";
  EXPECT_TRUE(seams_of("/nowhere/at/all.zarr").empty());
}

TEST(Seams, NonsenseIsNamed) {
  for (const char* attributes : {R"({"seams": "2000-03-08 soon"})", R"({"seams": 3})"}) {
    try {
      seams_in(attributes);
      ADD_FAILURE() << attributes << " was believed";
    } catch (const Error& problem) {
      EXPECT_EQ(problem.code(), ExitCode::corrupt_input);
      EXPECT_NE(std::string(problem.what()).find("seams"), std::string::npos) << problem.what();
    }
  }
}

TEST(Seams, AreCrossedFromBeforeToTheSeamItself) {
  const Time seam = parse_time("2000-02-03T12");
  const Duration hour = Duration::hours(1);
  EXPECT_TRUE(crosses_seam({seam}, seam - hour, seam));
  EXPECT_TRUE(crosses_seam({seam}, seam - hour, seam + hour));
  EXPECT_FALSE(crosses_seam({seam}, seam, seam + hour));
  EXPECT_FALSE(crosses_seam({seam}, seam - 2 * hour, seam - hour));
  EXPECT_FALSE(crosses_seam({}, seam - hour, seam));
}

}  // namespace
}  // namespace mosaic
