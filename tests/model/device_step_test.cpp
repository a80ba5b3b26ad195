// The network's step on a device against the network in float64: whole, and the promise that a member's bits
// depend on nothing but itself.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "device/device_arrays.hpp"
#include "model/device/device_members.hpp"
#include "model/formula_numbers.hpp"
#include "model/network/host_network.hpp"
#include "model/network/layout.hpp"
#include "model/network/loading.hpp"
#include "model/network/precision_errors.hpp"

namespace mosaic {
namespace {

using at::Tensor;
using kernels::ElementType;

/// The smallest network that has everything: two levels of 24 and 6 sparse blocks, all branches, noise.
NetworkConfig small_network() {
  NetworkConfig config;
  config.stages = {{16, 256, 4, 256, 128, 2, 1, 0}};
  config.bottleneck = {8, 512, 8, 128, 128, 2, 1, 0};
  config.channels = 6;
  config.history = 2;
  config.neighbours = 5;
  config.mlp_ratio = 1;
  return config;
}

/// A network of pseudo-random weights with the inputs of three members.
struct Case {
  explicit Case(const NetworkConfig& config)
      : network(config, formula_parameters(config, "device"),
                make_tables(config, grid,
                            static_columns(formula_values("device/static", 3 * grid.points()), grid), nullptr,
                            nullptr, 1)) {
    const auto channels = static_cast<std::size_t>(config.channels);
    state = channels * grid.points();
    window = state * static_cast<std::size_t>(config.history);
    normalisation.mean = formula_values("device/mean", channels);
    normalisation.deviation.assign(channels, 2.0F);
    host = host_network(network.tables(),
                        [this](const std::string& name) { return values_of(network.parameters().at(name)); });
  }

  std::vector<float> history(int member) const {
    return formula_values(fmt::format("device/history {}", member), window);
  }
  std::vector<float> noise(int member) const {
    return formula_values(fmt::format("device/noise {}", member), 32);
  }

  Tensor features(const std::vector<float>& history) const {
    const NetworkConfig& config = network.config();
    const auto latitudes = static_cast<std::int64_t>(grid.latitude.size()),
               longitudes = static_cast<std::int64_t>(grid.longitude.size());
    const Tensor states = tensor_from(history, {config.history, config.channels, latitudes, longitudes});
    const Tensor mean = tensor_from(normalisation.mean, {config.channels, 1, 1}),
                 deviation = tensor_from(normalisation.deviation, {config.channels, 1, 1});
    const auto time = time_features(phases);
    const Tensor points = points_from_states((states - mean) / deviation);
    return at::cat({points.reshape({points.size(0), -1}), network.tables().static_columns,
                    tensor_from(time, {1, 4}).expand({points.size(0), 4})},
                   1);
  }

  /// y [P, C] normalised of the newest state.
  Tensor output(std::span<const float> newest) const {
    const NetworkConfig& config = network.config();
    const Tensor all = tensor_from(newest, {config.channels, static_cast<std::int64_t>(grid.latitude.size()),
                                            static_cast<std::int64_t>(grid.longitude.size())});
    const Tensor mean = tensor_from(normalisation.mean, {config.channels, 1, 1}),
                 deviation = tensor_from(normalisation.deviation, {config.channels, 1, 1});
    const Tensor next = (all - mean) / deviation;
    return next.permute({2, 1, 0}).reshape({-1, config.channels});
  }

  LatLonGrid grid = LatLonGrid::with_poles(24, 13);
  TimePhases phases{0.25F, 0.3F};
  Network network;
  DeviceNormalisation normalisation;
  HostNetwork host;
  std::size_t state = 0, window = 0;
};

using DeviceStepTest = kernels::DeviceTest;

std::vector<std::vector<float>> run(const Case& which, const DeviceOptions& options, Graphs graphs,
                                    Members members, const std::vector<int>& who, int steps = 1,
                                    const DeviceObserver* observer = nullptr) {
  DeviceStep step(which.network.config(), which.host, which.normalisation, which.grid, options, graphs);
  std::vector<float> histories, noise;
  for (const int member : who) {
    const auto history = which.history(members == Members::same ? 0 : member), draws = which.noise(member);
    histories.insert(histories.end(), history.begin(), history.end());
    noise.insert(noise.end(), draws.begin(), draws.end());
  }
  DeviceMembers chunk(step, static_cast<int>(who.size()));
  chunk.load(histories);
  for (int i = 0; i < steps; ++i) {
    chunk.advance(noise, which.phases, i == 0 ? members : Members::different, observer);
  }
  const DeviceStates states = chunk.newest();
  std::vector<std::vector<float>> newest(who.size(), std::vector<float>(which.state));
  for (std::size_t i = 0; i < newest.size(); ++i) {
    kernels::copy_to_host(newest[i].data(),
                          states.first + static_cast<std::int64_t>(i) * states.member_stride,
                          which.state * sizeof(float), *states.stream);
  }
  states.stream->wait();
  return newest;
}

double norm(const Tensor& x) { return std::sqrt(x.square().sum().item().toDouble()); }

/// Error of one step in that precision, and that of a naive version, relative to float64; the same selected
/// blocks for all.
std::pair<double, double> errors(const Case& which, ElementType precision) {
  const c10::InferenceMode inference;
  const PrecisionYardsticks yardsticks(which.network, precision == ElementType::float16    ? at::kHalf
                                                      : precision == ElementType::bfloat16 ? at::kBFloat16
                                                                                           : at::kFloat);
  const Tensor features = which.features(which.history(0)), noise = tensor_from(which.noise(0), {32});
  std::map<std::string, Tensor> selected;
  std::map<std::string, kernels::DeviceMemory> lists;
  NetworkObserver recording;
  recording.attention = [&](const std::string& block, const auto&, const auto&, const auto&,
                            const kernels::AttentionInternals& internals, const auto&, const auto&) {
    selected[block] = internals.index.contiguous();
    const auto* first = selected[block].const_data_ptr<std::int64_t>();
    lists[block] = kernels::upload_integers({first, first + internals.index.numel()});
  };
  const Tensor truth = yardsticks.exact.forward(features.to(at::kDouble), noise.to(at::kDouble), &recording);
  NetworkObserver following;
  following.selection = [&](const std::string& block) { return selected.at(block); };
  const Tensor naive = yardsticks.naive.forward(features, noise, &following).to(at::kDouble);
  DeviceObserver device_following;
  device_following.selection = [&](const std::string& block) { return lists.at(block).as<std::int32_t>(); };
  const auto ours = run(which, {precision, 1}, Graphs::off, Members::different, {0}, 1, &device_following);
  return {norm(which.output(ours[0]).to(at::kDouble) - truth) / norm(truth),
          norm(naive - truth) / norm(truth)};
}

TEST_F(DeviceStepTest, Float16IsWithinTwiceTheNaiveError) {
  const auto [ours, naive] = errors(Case(small_network()), ElementType::float16);
  RecordProperty("ours", fmt::format("{:.2e}", ours));
  RecordProperty("naive", fmt::format("{:.2e}", naive));
  EXPECT_LE(ours, 2 * naive);
  EXPECT_GT(ours, 1e-5);  // a float32 result in disguise
}

TEST_F(DeviceStepTest, Bfloat16IsWithinTwiceTheNaiveError) {
  const auto [ours, naive] = errors(Case(small_network()), ElementType::bfloat16);
  EXPECT_LE(ours, 2 * naive);
  EXPECT_GT(ours, 1e-5);
}

TEST_F(DeviceStepTest, Float32AgreesWithFloat64) {
  const auto [ours, naive] = errors(Case(small_network()), ElementType::float32);
  EXPECT_LE(ours, 2 * naive + 1e-6);  // the state passes through physical units
}

TEST_F(DeviceStepTest, AMemberHasItsBitsAloneAndAmongOthers) {
  const Case which(small_network());
  const DeviceOptions alone{ElementType::float16, 1}, together{ElementType::float16, 2};
  const auto expected = run(which, alone, Graphs::off, Members::different, {0});
  EXPECT_EQ(run(which, together, Graphs::off, Members::different, {1, 0})[1], expected[0]);
  // The begin that members share changes nothing.
  const auto shared = run(which, together, Graphs::off, Members::same, {0, 1});
  EXPECT_EQ(shared[0], expected[0]);
  EXPECT_NE(shared[1], expected[0]);  // another draw
}

/// Two members' steps, the same and then different, from one history after the other.
class TwoMembers {
 public:
  TwoMembers(const Case& which, Graphs graphs)
      : which_(which),
        step_(which.network.config(), which.host, which.normalisation, which.grid, {ElementType::float16, 2},
              graphs),
        states_(kernels::poisoned(2 * which.window)),
        noise_(kernels::poisoned(2 * which.noise(0).size())) {
    const auto time = time_features(which.phases);
    time_ = kernels::upload({time.begin(), time.end()});
    chunk.states = states_.as<float>();
    chunk.time = time_.as<float>();
    chunk.noise = noise_.as<float>();
  }

  std::vector<float> after_two_steps(int member) {
    const auto history = which_.history(member), first = which_.noise(member), second = which_.noise(9);
    for (const std::size_t i : {0, 1}) {
      kernels::copy_to_device(states_.as<float>() + i * history.size(), history.data(),
                              history.size() * sizeof(float), step_.stream());
      const auto& draws = i == 0 ? first : second;
      kernels::copy_to_device(noise_.as<float>() + i * draws.size(), draws.data(),
                              draws.size() * sizeof(float), step_.stream());
    }
    step_.stream().wait();
    step_.advance(chunk, Members::same);
    step_.advance(chunk, Members::different);
    step_.stream().wait();
    return kernels::download(states_);
  }

  DeviceChunk chunk;

 private:
  const Case& which_;
  DeviceStep step_;
  kernels::DeviceArray states_, noise_, time_;
};

TEST_F(DeviceStepTest, RecordedStepsHaveTheBitsOfQueuedOnes) {
  NetworkConfig config = small_network();
  config.stages[0].encoder_depth = 0;  // the bottleneck's block has all kernels; members part there
  const Case which(config);
  TwoMembers queued(which, Graphs::off), recorded(which, Graphs::on);
  const auto expected = queued.after_two_steps(0), other = queued.after_two_steps(1);
  EXPECT_TRUE(std::ranges::all_of(expected, [](float x) { return std::isfinite(x); }));
  EXPECT_NE(expected, other);
  EXPECT_EQ(recorded.after_two_steps(0), expected);
  EXPECT_FALSE(recorded.chunk.same || recorded.chunk.different);  // the first of a kind is queued
  EXPECT_EQ(recorded.after_two_steps(1), other);
  EXPECT_TRUE(recorded.chunk.same && recorded.chunk.different);
  EXPECT_EQ(recorded.after_two_steps(0), expected);  // nothing of the recording's numbers stays
  EXPECT_FALSE(queued.chunk.same || queued.chunk.different);
}

}  // namespace
}  // namespace mosaic
