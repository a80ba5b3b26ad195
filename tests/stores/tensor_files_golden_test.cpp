#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "stores/tensor_file.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

/// True if type, shape and every byte agree.
bool same_tensor(const TensorView& a, const TensorView& b) {
  return a.type == b.type && a.shape == b.shape && std::ranges::equal(a.bytes, b.bytes);
}

TEST(TensorFilesGolden, NormalisationStatistics) {
  GOLDEN_OR_SKIP(path, "model/norm_stats_tiny.npz");
  const auto file = open_tensor_file(path.string());
  for (const char* name : {"state_mean", "state_std"}) {
    const auto& view = file->at(name);
    EXPECT_EQ(view.type, TensorType::float64);
    EXPECT_EQ(view.shape.size(), 1U);
    EXPECT_EQ(view.shape, file->at("state_mean").shape);
    EXPECT_GT(view.elements(), 0U);
    EXPECT_TRUE(std::ranges::all_of(view.to_double(), [](double value) { return std::isfinite(value); }));
  }
  EXPECT_TRUE(std::ranges::all_of(file->at("state_std").to_double(), [](double value) { return value > 0; }));
}

TEST(TensorFilesGolden, StaticFields) {
  GOLDEN_OR_SKIP(path, "model/static_vars_tiny.npz");
  const auto file = open_tensor_file(path.string());
  const auto latitude = file->at("latitude").to_double();
  const auto longitude = file->at("longitude").to_double();
  EXPECT_EQ(file->at("data").type, TensorType::float32);
  EXPECT_EQ(file->at("data").shape,
            (std::vector<std::int64_t>{static_cast<std::int64_t>(longitude.size()),
                                       static_cast<std::int64_t>(latitude.size()), 3}));
  EXPECT_TRUE(std::ranges::is_sorted(longitude));
  EXPECT_FALSE(std::ranges::equal(latitude, longitude));
}

TEST(TensorFilesGolden, CheckpointEqualsWeightsAndBuffers) {
  GOLDEN_OR_SKIP(path, "model/tiny_checkpoint.pt");
  GOLDEN_OR_SKIP(weights_file, "model/tiny/weights.safetensors");
  GOLDEN_OR_SKIP(buffers_file, "model/tiny/buffers.safetensors");
  const auto checkpoint = open_tensor_file(path.string());
  const auto weights = open_tensor_file(weights_file.string());
  ASSERT_FALSE(weights->tensors().empty());
  for (const auto& [name, view] : weights->tensors()) {
    EXPECT_TRUE(same_tensor(checkpoint->at(name), view)) << name;
  }
  const auto buffers = open_tensor_file(buffers_file.string());
  for (const auto& [name, view] : buffers->tensors()) {
    EXPECT_TRUE(same_tensor(checkpoint->at(name), view)) << name;
  }
  // The comparison must see one changed bit.
  const auto& [name, view] = *weights->tensors().begin();
  std::vector<std::byte> changed(view.bytes.begin(), view.bytes.end());
  changed.back() ^= std::byte{1};
  EXPECT_FALSE(same_tensor(checkpoint->at(name), {view.type, view.shape, changed}));
}

}  // namespace
}  // namespace mosaic::test
