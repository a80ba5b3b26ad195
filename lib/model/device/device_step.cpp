#include "model/device/device_step.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "kernels/state_packing/state_packing_device.hpp"

namespace mosaic {

using kernels::DeviceMemory;
using kernels::Graph;

DeviceStep::DeviceStep(const NetworkConfig& config, const HostNetwork& host,
                       const DeviceNormalisation& normalisation, const LatLonGrid& grid,
                       const DeviceOptions& options, Graphs graphs)
    : network_(config, host, options, grid.points(), stream_),
      graphs_(graphs),
      state_(static_cast<std::size_t>(config.channels) * grid.points()),
      latitudes_(static_cast<std::int64_t>(grid.latitude.size())),
      longitudes_(static_cast<std::int64_t>(grid.longitude.size())) {
  const auto members = static_cast<std::size_t>(options.chunk),
             channels = static_cast<std::size_t>(config.channels);
  states_ = DeviceMemory(members * static_cast<std::size_t>(config.history) * state_ * sizeof(float));
  y_ = DeviceMemory(members * grid.points() * static_cast<std::size_t>(output_columns(config)) *
                    sizeof(float));
  const auto upload = [&](std::span<const float> values) {
    require(values.size() == channels, "device step: {} statistics for {} channels", values.size(), channels);
    DeviceMemory memory(values.size_bytes());
    kernels::copy_to_device(memory.data(), values.data(), values.size_bytes(), stream_);
    return memory;
  };
  mean_ = upload(normalisation.mean);
  deviation_ = upload(normalisation.deviation);
  time_ = DeviceMemory(4 * sizeof(float));
  input_ =
      kernels::PinnedMemory((members * static_cast<std::size_t>(config.noise_width) + 4) * sizeof(float));
  output_ = kernels::PinnedMemory(members * state_ * sizeof(float));
  stream_.wait();
}

void DeviceStep::load(std::span<const float> histories) {
  require(histories.size_bytes() == states_.bytes(), "device step: histories of {} values, expected {}",
          histories.size(), states_.bytes() / sizeof(float));
  kernels::copy_to_device(states_.data(), histories.data(), states_.bytes(), stream_);
  stream_.wait();
}

void DeviceStep::advance(std::span<const float> noise, const TimePhases& phases, Members members,
                         const DeviceObserver* observer) {
  const NetworkConfig& config = network_.config();
  const std::size_t draws = config.noise == NoiseKind::none
                                ? 0
                                : static_cast<std::size_t>(network_.options().chunk * config.noise_width);
  require(noise.size() == draws, "device step: {} noise draws, expected {}", noise.size(), draws);
  stream_.wait();  // the step before has read its input
  const auto time = time_features(phases);
  const std::span<float> input = input_.as<float>();
  std::copy(time.begin(), time.end(), input.begin());
  std::copy(noise.begin(), noise.end(), input.begin() + 4);
  kernels::copy_to_device(time_.data(), input.data(), 4 * sizeof(float), stream_);
  if (draws > 0) {
    kernels::copy_to_device(network_.noise().data(), input.data() + 4, noise.size_bytes(), stream_);
  }
  if (graphs_ == Graphs::off || observer != nullptr) {
    queue(members, observer);
    return;
  }
  Graph& graph = members == Members::same ? graph_same_ : graph_different_;
  if (!graph) {
    graph = Graph(stream_, [&] { queue(members, nullptr); });
  }
  graph.launch(stream_);
}

void DeviceStep::queue(Members members, const DeviceObserver* observer) {
  const NetworkConfig& config = network_.config();
  const std::int64_t chunk = network_.options().chunk;
  kernels::PackFeaturesArgs pack;
  pack.members = members == Members::same ? 1 : chunk;
  pack.history = config.history;
  pack.channels = config.channels;
  pack.latitudes = latitudes_;
  pack.longitudes = longitudes_;
  pack.stride = feature_columns(config);
  pack.states = states_.as<float>();
  pack.mean = mean_.as<float>();
  pack.deviation = deviation_.as<float>();
  pack.static_columns = network_.weights().static_columns.as<float>();
  pack.time = time_.as<float>();
  pack.type = network_.options().precision;
  pack.features = network_.features().data();
  kernels::pack_features(pack, stream_);
  network_.forward(y_.as<float>(), members, stream_, observer);
  kernels::AppendStateArgs append;
  append.members = chunk;
  append.history = config.history;
  append.channels = config.channels;
  append.latitudes = latitudes_;
  append.longitudes = longitudes_;
  append.y_stride = output_columns(config);
  append.y = y_.as<float>();
  append.mean = mean_.as<float>();
  append.deviation = deviation_.as<float>();
  append.states = states_.as<float>();
  kernels::append_state(append, stream_);
}

void DeviceStep::newest(std::span<const std::span<float>> targets) {
  const auto history = static_cast<std::size_t>(network_.config().history);
  for (std::size_t member = 0; member < targets.size(); ++member) {
    kernels::copy_to_host(output_.as<float>().data() + member * state_,
                          states_.as<float>() + (member * history + history - 1) * state_,
                          state_ * sizeof(float), stream_);
  }
  stream_.wait();
  for (std::size_t member = 0; member < targets.size(); ++member) {
    std::copy_n(output_.as<float>().begin() + static_cast<std::ptrdiff_t>(member * state_), state_,
                targets[member].begin());
  }
}

}  // namespace mosaic
