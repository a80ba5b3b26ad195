// The forecast model on a device against the one on the processor: histories, chunks, noise, calendar.

#include <fmt/format.h>

#include <cstring>

#include "device/device_arrays.hpp"
#include "model/formula_numbers.hpp"
#include "model/mosaic_model.hpp"
#include "stores/tensor_file.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

constexpr int channels = 5, members = 2;

NetworkDescription small_description() {
  NetworkDescription description;
  description.network.stages = {{16, 256, 4, 256, 128, 2, 1, 0}};
  description.network.bottleneck = {8, 256, 4, 128, 128, 2, 1, 0};
  description.network.channels = channels;
  description.network.neighbours = 4;
  description.network.mlp_ratio = 1;
  description.channels.clear();
  for (int c = 0; c < channels; ++c) {
    description.channels.push_back({fmt::format("channel{}", c), std::nullopt});
  }
  return description;
}

template <class T>
TensorSource source_of(const std::vector<T>& values, std::vector<std::int64_t> shape) {
  return {std::is_same_v<T, float> ? TensorType::float32 : TensorType::float64, std::move(shape),
          std::as_bytes(std::span(values))};
}

MosaicModelOptions small_model(const std::filesystem::path& folder) {
  const LatLonGrid grid = LatLonGrid::with_poles(24, 13);
  const auto mean = formula_values("model/mean", channels);
  const std::vector<float> deviation(channels, 3.0F),
      fields = formula_values("model/static", 3 * grid.points());
  write_safetensors(
      (folder / "norm.safetensors").string(),
      {{"state_mean", source_of(mean, {channels})}, {"state_std", source_of(deviation, {channels})}}, {});
  write_safetensors((folder / "static.safetensors").string(),
                    {{"data", source_of(fields, {24, 13, 3})},
                     {"latitude", source_of(grid.latitude, {13})},
                     {"longitude", source_of(grid.longitude, {24})}},
                    {});
  MosaicModelOptions options;
  options.description = small_description();
  options.weights = "formula:device model";
  options.norm_stats = (folder / "norm.safetensors").string();
  options.static_vars = (folder / "static.safetensors").string();
  options.batch = members;
  options.grid = grid;
  return options;
}

/// Histories of all members after two steps from one initial state.
std::vector<float> two_steps(ForecastModel& model) {
  const ModelInfo& info = model.info();
  const std::size_t window = static_cast<std::size_t>(info.history * channels) * info.grid->points();
  const std::vector<float> initial = formula_values("model/history", window);
  std::vector<float> histories;
  for (int member = 0; member < members; ++member) {
    histories.insert(histories.end(), initial.begin(), initial.end());
  }
  for (int step = 0; step < 2; ++step) {
    const auto noise = formula_values(fmt::format("model/noise {}", step),
                                      static_cast<std::size_t>(members * info.noise_width));
    model.advance({parse_time("2020-02-28T12"), step, histories, noise});
  }
  return histories;
}

using DeviceModelTest = kernels::DeviceTest;

TEST_F(DeviceModelTest, TwoStepsAreThoseOfTheProcessorInEveryChunk) {
  MosaicModelOptions options = small_model(test::scratch_dir("device_model"));
  const auto expected = two_steps(*make_mosaic_model(options));
  options.device.kind = DeviceKind::cuda;
  options.precision = Precision::float16;
  const auto model = make_mosaic_model(options);
  ASSERT_TRUE(model->info().device.has_value());
  const auto ours = two_steps(*model);
  // float16 of the network's output, in units of its standard deviation; the step before is in both.
  EXPECT_LE(kernels::distance(ours, expected), 1e-2 * kernels::norm(expected));
  EXPECT_GT(kernels::distance(ours, expected), 1e-6 * kernels::norm(expected));
  EXPECT_NE(std::memcmp(ours.data(), &ours[ours.size() / 2], ours.size() / 2 * sizeof(float)),
            0);              // two draws
  options.device.chunk = 1;  // histories go to the device and back at every step
  EXPECT_EQ(two_steps(*make_mosaic_model(options)), ours);
}

TEST_F(DeviceModelTest, RefusesWhatItCannotDo) {
  MosaicModelOptions options = small_model(test::scratch_dir("device_model_refused"));
  options.device.kind = DeviceKind::cuda;
  options.precision = Precision::float16;
  const auto refusal = [](const MosaicModelOptions& asked) {
    std::string message;
    EXPECT_EQ(test::code_of([&] { make_mosaic_model(asked); }, &message), ExitCode::bad_configuration);
    return message;
  };
  MosaicModelOptions other = options;
  other.device.chunk = 3;
  EXPECT_NE(refusal(other).find("3 does not divide the batch of 2"), std::string::npos);
  other = options;
  other.description.network.head_width = 32;
  other.description.network.stages[0].heads = other.description.network.bottleneck.heads = 8;
  EXPECT_NE(refusal(other).find("head_width 32"), std::string::npos);
  other = options;
  other.device.kind = DeviceKind::cpu;
  EXPECT_NE(refusal(other).find("float16 is for GPUs"), std::string::npos);
}

}  // namespace
}  // namespace mosaic
