#include "model/step_operations.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace mosaic {
namespace {

constexpr std::int64_t points = 240 * 121;

double total(const std::map<std::string, double>& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0.0,
                         [](double sum, const auto& entry) { return sum + entry.second; });
}

/// The budget of the full-size step, [TFLOP] rounded as there: block products 7.60, other products 0.49,
/// local attention 1.27, selected attention 3.26, scores and compressed branch 0.003.
TEST(StepOperations, PublishedStep) {
  const auto counts = step_operations(published_network("era5"), points);
  const auto tera = [&](const char* name) { return counts.at(name) / 1e12; };
  EXPECT_NEAR(tera("linear, attention") + tera("linear, feed-forward"), 7.60, 0.005);
  EXPECT_NEAR(tera("linear, other"), 0.49, 0.005);
  EXPECT_NEAR(tera("attention, local"), 1.27, 0.005);
  EXPECT_NEAR(tera("attention, selected"), 3.26, 0.005);
  EXPECT_NEAR(tera("attention, compressed and scores"), 0.003, 0.0005);
  // 12.7 once the keys of both interpolations are added, which the 3-vector identity spares.
  EXPECT_EQ(total(counts), 12630459497472.0);
  EXPECT_NEAR(total(counts) / 1e12 + 2.0 * (points + 49152) * 768 * 768 / 1e12, 12.7, 0.05);
}

/// By hand, a network of one block of each kind: the bottleneck alone has blocks.
TEST(StepOperations, OneBlockByHand) {
  NetworkConfig config;
  config.head_width = 4;
  config.group = 2;
  config.mlp_ratio = 3;
  config.channels = 5;
  config.history = 1;
  config.neighbours = 2;
  config.noise_width = 6;
  config.stages = {{2, 8, 2, 16, 8, 1, 0, 0}};    // 48 tokens
  config.bottleneck = {1, 16, 4, 6, 3, 2, 1, 0};  // 12 tokens, 4 blocks
  const auto counts = step_operations(config, 10);
  EXPECT_EQ(counts.at("linear, attention"), 2.0 * 12 * 16 * (16 + 8 + 8 + 12 + 16));
  EXPECT_EQ(counts.at("linear, feed-forward"), 2.0 * 12 * 16 * 96 + 2.0 * 12 * 48 * 16);
  EXPECT_EQ(counts.at("attention, local"), 4.0 * 12 * 16 * 6);
  EXPECT_EQ(counts.at("attention, selected"), 4.0 * 12 * 16 * 6);
  EXPECT_EQ(counts.at("attention, compressed and scores"), 4.0 * 4 * 16 * 4);
  EXPECT_EQ(counts.at("interpolation"), 2.0 * (48 + 10) * 2 * (8 + 6));
  EXPECT_EQ(counts.at("noise projections"), 2.0 * (6 * 6 + 6 * 48));
  const double ends = 2.0 * 10 * (15 * 8 + 8 * 8 + 8 * 8 + 8 * 5);
  const double between_grids = 2 * 2.0 * 3 * 8 * 8 + 2.0 * (10 + 48) * 8 * (8 + 6) + 2.0 * (48 + 10) * 8 * 8;
  const double between_levels = 2.0 * 12 * (32 + 12) * 16 + 2.0 * 12 * (16 + 12) * 32;
  EXPECT_EQ(counts.at("linear, other"), ends + between_grids + between_levels);
}

TEST(StepOperations, Ablations) {
  NetworkConfig config = published_network("era5");
  const auto full = step_operations(config, points);
  config.attention = AttentionKind::local_only;
  const auto local = step_operations(config, points);
  EXPECT_FALSE(local.contains("attention, selected"));
  EXPECT_EQ(local.at("attention, local"), full.at("attention, local"));
  EXPECT_LT(local.at("linear, attention"), full.at("linear, attention")) << "no gates";
  config.attention = AttentionKind::dense;
  EXPECT_GT(step_operations(config, points).at("attention, local"), 10 * full.at("attention, local"));
  config.noise = NoiseKind::none;
  EXPECT_FALSE(step_operations(config, points).contains("noise projections"));
}

}  // namespace
}  // namespace mosaic
