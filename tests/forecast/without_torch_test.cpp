// What a build without libtorch says about the network.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/golden.hpp"
#include "support/programs.hpp"

namespace mosaic {
namespace {

TEST(WithoutTorch, TheNetworkIsRefusedWithAReason) {
#ifdef MOSAIC_HAVE_TORCH
  GTEST_SKIP() << "this build has libtorch";
#else
  const auto folder = test::scratch_dir("without_torch");
  const test::Outcome run = test::shell(test::program("mosaic_hindcast") +
                                        " config/demo/hindcast_demo.yaml --out " + (folder / "out").string());
  EXPECT_EQ(run.code, 78) << run.text;
  EXPECT_NE(run.text.find("not in this build"), std::string::npos) << run.text;
  EXPECT_NE(run.text.find("model.name=persistence"), std::string::npos) << run.text;
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
  std::filesystem::remove_all(folder);
#endif
}

}  // namespace
}  // namespace mosaic
