#include <gtest/gtest.h>

#include "model/sampled_case.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

TEST(MidGolden, StagesAttentionAndOutput) {
  GOLDEN_OR_SKIP(folder, "model/mid");
  const SampledCase mid(folder / "config.json", folder / "mid.safetensors", nullptr);
  mid.check_inputs();
  for (int member = 0; member < read_case(folder / "config.json").members; ++member) {
    mid.check_member(member);
  }
}

TEST(MidGolden, Gradients) {
  GOLDEN_OR_SKIP(folder, "model/mid");
  const SampledCase mid(folder / "config.json", folder / "mid.safetensors", nullptr);
  mid.check_gradients();
}

}  // namespace
}  // namespace mosaic::test
