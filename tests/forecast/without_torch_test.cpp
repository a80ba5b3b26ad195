// What a build without libtorch says about the network; part of such builds only.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/golden.hpp"
#include "support/programs.hpp"

namespace mosaic {
namespace {

TEST(WithoutTorch, TheNetworkIsRefusedWithAReason) {
  const auto folder = test::scratch_dir("without_torch");
  const test::Outcome run = test::shell(test::program("mosaic_hindcast") +
                                        " config/demo/hindcast_demo.yaml --out " + (folder / "out").string());
  EXPECT_EQ(run.code, 78) << run.text;
  EXPECT_NE(run.text.find("not in this build"), std::string::npos) << run.text;
  EXPECT_NE(run.text.find("model.name=persistence"), std::string::npos) << run.text;
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mosaic
