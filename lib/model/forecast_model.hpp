#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

namespace kernels {
class Stream;
}

/// What a forecast loop must know of a model.
struct ModelInfo {
  std::string name;          ///< mosaic, persistence, ...
  std::string description;   ///< one line for run.json and file attributes
  Duration step;             ///< model time step
  int history = 1;           ///< T: states that are read before the first step
  Duration history_spacing;  ///< between those states
  int noise_width = 0;       ///< normal draws per member and step; 0 = deterministic
  int batch = 1;             ///< members per call of advance(); the last batch is padded to it
  std::shared_ptr<const ChannelSet> channels;
  std::shared_ptr<const LatLonGrid> grid;
  std::vector<double> channel_mean,
      channel_std;  ///< [C] physical units, for the range check; empty = only finite is asked
  /// The GPU that computes; none: the CPU.
  struct Device {
    int number = 0;  ///< among the visible ones
    std::string name;
    std::string plan;  ///< members at once and memory, for people
  };
  std::optional<Device> device;
  std::string identity;  ///< sha256 over everything that determines the result (weights, statistics, tables)
};

/// One model step for a batch of members that share an initial time.
/// Letters: B members of the batch (always ModelInfo::batch), T history, C channels.
struct AdvanceArgs {
  Time initial_time;
  int step = 0;                  ///< 0 for the step that leaves the initial state
  std::span<float> history;      ///< [B, T, C, lat, lon] physical units, oldest first; shifted in place:
                                 ///< afterwards the newest state is the forecast
  std::span<const float> noise;  ///< [B, noise_width] standard normal draws of this step
};

/// Where the newest states of an ensemble lie in a device's memory: member m's [C, lat, lon] at
/// first + m * member_stride numbers; ready when `stream` is. Valid until the next step.
struct DeviceStates {
  const float* first = nullptr;
  std::int64_t member_stride = 0;
  const kernels::Stream* stream = nullptr;
};

/// Members of one initial time whose states stay in the memory of the device that computes them. Letters: M
/// members (whole batches), T history, C channels. Belongs to the model that made it, which must live longer.
/// The bits are those of ForecastModel::advance.
class ResidentEnsemble {
 public:
  virtual ~ResidentEnsemble() = default;
  /// Gives every member the same history [T, C, lat, lon], physical units, oldest first. Returns when it has
  /// been read.
  virtual void start(Time initial_time, std::span<const float> history) = 0;
  /// Queues the next step of all members and returns without waiting for it. noise: [M, noise_width].
  virtual void advance(std::span<const float> noise) = 0;
  /// Waits for the step. By member whether a value of its newest state is not finite, or further than `reach`
  /// standard deviations from its channel's mean (where the model knows them).
  virtual std::vector<bool> out_of_range(double reach) = 0;
  virtual DeviceStates newest() const = 0;
  /// Queues a copy of these members' and channels' newest fields to the host; later steps do not change it.
  /// One at a time: fetched() must be called before the next.
  virtual void fetch(int first_member, int members, std::span<const std::size_t> channels) = 0;
  /// Waits for that copy. [members, channels, lat, lon], valid until the next fetch().
  virtual std::span<const float> fetched() = 0;
};

/// Anything that can advance a history of states: the network, persistence, a physical model.
/// A member's result depends on its own history, noise and place only, never on the other members of the
/// batch.
class ForecastModel {
 public:
  virtual ~ForecastModel() = default;
  virtual const ModelInfo& info() const = 0;
  /// Errors: internal.
  virtual void advance(const AdvanceArgs& args) = 0;
  /// Room for `members` (whole batches) on the device; null where the model computes on the processor. At
  /// most one at a time. Errors: bad_configuration where memory does not suffice.
  virtual std::unique_ptr<ResidentEnsemble> make_resident(int /*members*/) { return nullptr; }
};

/// Forecast = newest initial state, for any channels and grid.
std::unique_ptr<ForecastModel> make_persistence(const ModelInfo& like);

}  // namespace mosaic
