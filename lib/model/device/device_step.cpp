#include "model/device/device_step.hpp"

#include <utility>

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
      points_(grid.points()),
      latitudes_(static_cast<std::int64_t>(grid.latitude.size())),
      longitudes_(static_cast<std::int64_t>(grid.longitude.size())) {
  const auto channels = static_cast<std::size_t>(config.channels);
  y_ = DeviceMemory(static_cast<std::size_t>(options.chunk) * points_ *
                    static_cast<std::size_t>(output_columns(config)) * sizeof(float));
  const auto upload = [&](std::span<const float> values) {
    require(values.size() == channels, "device step: {} statistics for {} channels", values.size(), channels);
    DeviceMemory memory(values.size_bytes());
    kernels::copy_to_device(memory.data(), values.data(), values.size_bytes(), stream_);
    return memory;
  };
  mean_ = upload(normalisation.mean);
  deviation_ = upload(normalisation.deviation);
  stream_.wait();
}

void DeviceStep::advance(DeviceChunk& chunk, Members members, const DeviceObserver* observer) {
  // The first step of a kind loads kernels and chooses algorithms, neither of which belongs into a recording.
  const bool seen = std::exchange(members == Members::same ? seen_same_ : seen_different_, true);
  if (graphs_ == Graphs::off || observer != nullptr || !seen) {
    queue(chunk, members, observer);
    return;
  }
  Graph& graph = members == Members::same ? chunk.same : chunk.different;
  if (!graph) {
    graph = Graph(stream_, [&] { queue(chunk, members, nullptr); });
  }
  graph.launch(stream_);
}

void DeviceStep::queue(const DeviceChunk& chunk, Members members, const DeviceObserver* observer) {
  const NetworkConfig& config = network_.config();
  const std::int64_t count = network_.options().chunk;
  if (config.noise == NoiseKind::per_step) {
    kernels::copy_on_device(network_.noise().data(), chunk.noise,
                            static_cast<std::size_t>(count * config.noise_width) * sizeof(float), stream_);
  }
  kernels::PackFeaturesArgs pack;
  pack.members = members == Members::same ? 1 : count;
  pack.history = config.history;
  pack.channels = config.channels;
  pack.latitudes = latitudes_;
  pack.longitudes = longitudes_;
  pack.stride = feature_columns(config);
  pack.states = chunk.states;
  pack.mean = mean();
  pack.deviation = deviation();
  pack.static_columns = network_.weights().static_columns.as<float>();
  pack.time = chunk.time;
  pack.type = network_.options().precision;
  pack.features = network_.features().data();
  kernels::pack_features(pack, stream_);
  network_.forward(y_.as<float>(), members, stream_, observer);
  kernels::AppendStateArgs append;
  append.members = count;
  append.history = config.history;
  append.channels = config.channels;
  append.latitudes = latitudes_;
  append.longitudes = longitudes_;
  append.y_stride = output_columns(config);
  append.y = y_.as<float>();
  append.mean = mean();
  append.deviation = deviation();
  append.states = chunk.states;
  kernels::append_state(append, stream_);
}

}  // namespace mosaic
