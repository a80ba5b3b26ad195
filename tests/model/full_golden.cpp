#include <gtest/gtest.h>

#include "model/sampled_case.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

TEST(FullGolden, StagesSelectionAndOutput) {
  GOLDEN_OR_SKIP(samples, "model/full/full.safetensors");
  GOLDEN_OR_SKIP(config, "model/full/config.json");
  const std::string k = std::to_string(read_case(config).network.neighbours);
  GOLDEN_OR_SKIP(tables, "model/full/neighbours_k" + k + ".npz");
  const auto neighbours = open_tensor_file(tables.string());
  const SampledCase full(config, samples, neighbours.get());
  full.check_inputs();
  full.check_member(0);
}

}  // namespace
}  // namespace mosaic::test
