// The golden cases with heads of 64 on a device.

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "device/device_arrays.hpp"
#include "model/device/device_network.hpp"
#include "model/network/host_network.hpp"
#include "model/sampled_case.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

using kernels::ElementType;

/// float16 through the whole network, stream included: a few times the 1e-3 that rounding the stream between
/// all blocks costs (measured in float64 emulation; bfloat16: 8e-3).
constexpr double float16_limit = 5e-3;
/// As the network on the processor: the rms of its error against the golden output.
constexpr double float32_limit = 1e-5;

/// Features as the device reads them: padded rows of the operand type.
kernels::DeviceArray upload_features(const at::Tensor& features, const NetworkConfig& config,
                                     ElementType type) {
  const auto columns = static_cast<std::size_t>(feature_columns(config));
  const auto rows = static_cast<std::size_t>(features.size(0)),
             used = static_cast<std::size_t>(features.size(1));
  const std::vector<float> values = values_of(features.contiguous());
  std::vector<float> padded(rows * columns, 0.0F);
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(&values[row * used], used, &padded[row * columns]);
  }
  return kernels::upload(padded, type);
}

/// Error of a member's output in that precision.
double device_error(const SampledCase& golden, int member, Precision precision) {
  const c10::InferenceMode inference;
  const NetworkConfig& config = golden.network().config();
  const auto points = static_cast<std::size_t>(golden.features().size(0));
  const kernels::Stream stream;
  DeviceNetwork network(config,
                        host_network(golden.network().tables(),
                                     [&](const std::string& name) {
                                       return values_of(golden.network().parameters().at(name));
                                     }),
                        {element_type(precision), 1}, points, stream);
  const auto features = upload_features(golden.features(), config, element_type(precision));
  const std::vector<float> noise = values_of(golden.noise(member).contiguous());
  kernels::copy_on_device(network.features().data(), features.data(), features.memory.bytes(), stream);
  kernels::copy_to_device(network.noise().data(), noise.data(), noise.size() * sizeof(float), stream);
  const auto columns = static_cast<std::size_t>(output_columns(config));
  const auto y = kernels::poisoned(points * columns);
  network.forward(y.as<float>(), Members::different, stream);
  stream.wait();
  std::vector<float> out = kernels::download(y);
  const at::Tensor all =
      at::from_blob(out.data(), {static_cast<std::int64_t>(points), output_columns(config)});
  return golden.output_error(all.narrow(1, 0, config.channels), member);
}

void expect_golden(const SampledCase& golden, int member) {
  const double half = device_error(golden, member, Precision::float16),
               single = device_error(golden, member, Precision::float32);
  fmt::print("member {}: relative error of the output {:.2e} in float16, {:.2e} in float32\n", member, half,
             single);
  EXPECT_LE(half, float16_limit);
  EXPECT_GT(half, 1e-5);  // float32 in disguise
  EXPECT_LE(single, float32_limit);
}

using DeviceGolden = kernels::DeviceTest;

TEST_F(DeviceGolden, Mid) {
#ifdef MOSAIC_EMULATED_DEVICE
  if (std::getenv("MOSAIC_FULL") == nullptr) {
    GTEST_SKIP() << "many minutes on the emulated device: with MOSAIC_FULL=1";
  }
#endif
  GOLDEN_OR_SKIP(folder, "model/mid");
  expect_golden(SampledCase(folder / "config.json", folder / "mid.safetensors", nullptr), 0);
}

#ifndef MOSAIC_EMULATED_DEVICE
TEST_F(DeviceGolden, Full) {
  GOLDEN_OR_SKIP(samples, "model/full/full.safetensors");
  GOLDEN_OR_SKIP(config, "model/full/config.json");
  const std::string k = std::to_string(read_case(config).network.neighbours);
  GOLDEN_OR_SKIP(tables, "model/full/neighbours_k" + k + ".npz");
  const auto neighbours = open_tensor_file(tables.string());
  expect_golden(SampledCase(config, samples, neighbours.get()), 0);
}
#endif

}  // namespace
}  // namespace mosaic::test
