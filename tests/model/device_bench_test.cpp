// The bench of the step on a GPU runs and says what it measured.

#include "model/device_bench.hpp"

#include <nlohmann/json.hpp>

#include "device/device_arrays.hpp"

namespace mosaic {
namespace {

using DeviceBench = kernels::DeviceTest;

TEST_F(DeviceBench, TablesHoldEveryMeasurement) {
  DeviceBenchOptions options;
  options.network.stages = {{16, 256, 4, 256, 128, 2, 1, 0}};
  options.network.bottleneck = {8, 256, 4, 128, 128, 2, 1, 0};
  options.network.channels = 3;
  options.network.neighbours = 3;
  options.network.mlp_ratio = 1;
  options.grid = LatLonGrid::with_poles(24, 13);
  options.chunks = {1};
  options.steps = 1;
  options.attention_tokens = {512, 1024};
  const DeviceBenchReport report = run_device_bench(options);
  ASSERT_EQ(report.steps.size(), 1U);
  EXPECT_GT(report.steps[0].graph, 0);
  for (const char* name : {"attention", "selection", "W13 and SwiGLU", "W2", "norms", "interpolation"}) {
    EXPECT_GT(report.steps[0].classes.at(name).calls, 0) << name;
  }
  ASSERT_EQ(report.attention.size(), 2U);
  EXPECT_EQ(report.attention[1].operations, 4.0 * 1024 * 256 * (256 + 2 * 128));
  const auto json = nlohmann::json::parse(device_bench_json(report));
  EXPECT_EQ(json.at("attention").size(), 2U);
  EXPECT_NE(device_bench_text(report).find("| 1024 |"), std::string::npos);
}

}  // namespace
}  // namespace mosaic
