// The forecast model on a device against the one on the processor: histories, chunks, noise, calendar.

#include <fmt/format.h>

#include <cstring>

#include "device/device_arrays.hpp"
#include "model/formula_numbers.hpp"
#include "model/small_model.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

constexpr int members = 2;

/// Histories of all members after two steps from one initial state.
std::vector<float> two_steps(ForecastModel& model) {
  const ModelInfo& info = model.info();
  const std::size_t window =
      static_cast<std::size_t>(info.history * small_model_channels) * info.grid->points();
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
  MosaicModelOptions options = small_model(test::scratch_dir("device_model"), members);
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
            0);  // two draws
  options.device.chunk = 1;
  EXPECT_EQ(two_steps(*make_mosaic_model(options)), ours);
}

TEST_F(DeviceModelTest, ChoosesAChunk) {
  MosaicModelOptions options = small_model(test::scratch_dir("device_model_chunk"), 12);
  options.device.kind = DeviceKind::cuda;
  options.precision = Precision::float16;
  const std::string plan = make_mosaic_model(options)->info().device->plan;
  EXPECT_NE(plan.find("6 members at once"), std::string::npos) << plan;  // a divisor of the batch, 8 at most
  // Of very many ranks none has memory enough.
  options.device.sharing = 1'000'000;
  std::string message;
  EXPECT_EQ(test::code_of([&] { make_mosaic_model(options); }, &message), ExitCode::bad_configuration);
  EXPECT_NE(message.find("one member at once needs"), std::string::npos) << message;
}

TEST_F(DeviceModelTest, RefusesWhatItCannotDo) {
  MosaicModelOptions options = small_model(test::scratch_dir("device_model_refused"), members);
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
