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
  options.steps = 2;
  options.attention_tokens = {256, 512};
  const DeviceBenchReport report = run_device_bench(options);
  ASSERT_EQ(report.steps.size(), 1U);
  EXPECT_GT(report.steps[0].graph, 0);
  for (const char* name : {"attention", "selection", "W13 and SwiGLU", "W2", "norms", "interpolation"}) {
    EXPECT_GT(report.steps[0].classes.at(name).calls, 0) << name;
    EXPECT_GT(report.steps[0].classes.at(name).seconds, 0) << name;
  }
  EXPECT_EQ(report.steps[0].classes.at("attention").calls, 2);  // one block of each level
  const DeviceStepMemory& memory = report.steps[0].memory;
  EXPECT_GT(memory.weights, 0U);
  EXPECT_GT(memory.planned, memory.weights);
  EXPECT_GT(memory.taken, memory.weights);
#ifdef MOSAIC_EMULATED_DEVICE
  // The plan also holds the newest states on their way to the host, which a first step leaves out.
  EXPECT_NEAR(static_cast<double>(memory.taken), static_cast<double>(memory.planned),
              0.02 * static_cast<double>(memory.planned));
#endif
  ASSERT_EQ(report.attention.size(), 2U);
  EXPECT_EQ(report.attention[1].operations, 4.0 * 512 * 256 * (256 + 2 * 128));
  const auto json = nlohmann::json::parse(device_bench_json(report));
  EXPECT_EQ(json.at("attention").size(), 2U);
  EXPECT_EQ(json.at("steps").at(0).at("memory_taken_bytes"), memory.taken);
  const std::string text = device_bench_text(report);
  for (const char* part : {"| 512 |", "taken [GB]", "beside the weights", "| all classes |"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace mosaic
