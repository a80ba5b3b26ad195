#pragma once

#include <span>

#include "grid/lat_lon_grid.hpp"
#include "model/device/device_network.hpp"
#include "model/time_features.hpp"

namespace mosaic {

/// Mean and standard deviation of the channels as the device reads them, [C] each.
struct DeviceNormalisation {
  std::vector<float> mean, deviation;
};

/// Whether a step is recorded once and launched as a whole, or queued kernel by kernel.
enum class Graphs { on, off };

/// One complete step of the members of a chunk on a device, in physical units: normalise, predict,
/// de-normalise, shift the histories, which stay there from step to step.
class DeviceStep {
 public:
  DeviceStep(const NetworkConfig& config, const HostNetwork& host, const DeviceNormalisation& normalisation,
             const LatLonGrid& grid, const DeviceOptions& options, Graphs graphs);

  /// Copies histories [B, T, C, lat, lon] (physical units, oldest first) to the device.
  void load(std::span<const float> histories);

  /// Queues a step; noise [B, noise width] or empty; `phases` of the newest input state; `members` are the
  /// same only where their histories are.
  void advance(std::span<const float> noise, const TimePhases& phases, Members members,
               const DeviceObserver* observer = nullptr);

  /// Waits, and copies the newest states to `targets`, one of [C, lat, lon] for each member.
  void newest(std::span<const std::span<float>> targets);

  const DeviceNetwork& network() const { return network_; }
  const kernels::Stream& stream() const { return stream_; }
  std::size_t state_size() const { return state_; }

 private:
  void queue(Members members, const DeviceObserver* observer);

  kernels::Stream stream_;
  DeviceNetwork network_;
  Graphs graphs_;
  std::size_t state_;  ///< numbers of a state
  std::int64_t latitudes_, longitudes_;
  kernels::DeviceMemory states_, y_, time_, mean_, deviation_;
  kernels::PinnedMemory input_;   ///< noise and time features of a step
  kernels::PinnedMemory output_;  ///< newest states
  kernels::Graph graph_same_, graph_different_;
};

}  // namespace mosaic
