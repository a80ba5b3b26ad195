#pragma once

#include <span>

#include "grid/lat_lon_grid.hpp"
#include "model/device/device_network.hpp"

namespace mosaic {

/// Mean and standard deviation of the channels as the device reads them, [C] each.
struct DeviceNormalisation {
  std::vector<float> mean, deviation;
};

/// Whether a step is recorded once and launched as a whole, or queued kernel by kernel.
enum class Graphs { on, off };

/// What a step works on, all in the device's memory, for the B members of a chunk; and the steps that were
/// recorded for these places.
struct DeviceChunk {
  float* states = nullptr;       ///< [B, T, C, lat, lon] physical units, oldest first; shifted by the step
  const float* time = nullptr;   ///< [4] time_features() of the newest input state
  const float* noise = nullptr;  ///< [B, noise width]; not read by a network without noise
  kernels::Graph same, different;
};

/// One complete step of the members of a chunk on a device, in physical units: normalise, predict,
/// de-normalise, shift the histories.
class DeviceStep {
 public:
  DeviceStep(const NetworkConfig& config, const HostNetwork& host, const DeviceNormalisation& normalisation,
             const LatLonGrid& grid, const DeviceOptions& options, Graphs graphs);

  /// Queues a step; the chunk's histories are the same where `members` are.
  void advance(DeviceChunk& chunk, Members members, const DeviceObserver* observer = nullptr);

  const DeviceNetwork& network() const { return network_; }
  const kernels::Stream& stream() const { return stream_; }
  std::size_t points() const { return points_; }
  std::size_t state_size() const { return points_ * static_cast<std::size_t>(network_.config().channels); }
  const float* mean() const { return mean_.as<float>(); }            ///< [C], on the device
  const float* deviation() const { return deviation_.as<float>(); }  ///< [C], on the device

 private:
  void queue(const DeviceChunk& chunk, Members members, const DeviceObserver* observer);

  kernels::Stream stream_;
  DeviceNetwork network_;
  Graphs graphs_;
  bool seen_same_ = false, seen_different_ = false;  ///< steps of that kind were queued
  std::size_t points_;
  std::int64_t latitudes_, longitudes_;
  kernels::DeviceMemory y_, mean_, deviation_;
};

}  // namespace mosaic
