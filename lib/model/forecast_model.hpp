#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

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
                                 ///< afterwards the newest state is the forecast; after step 0 it must be
                                 ///< what the call before left there
  std::span<const float> noise;  ///< [B, noise_width] standard normal draws of this step
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
};

/// Forecast = newest initial state, for any channels and grid.
std::unique_ptr<ForecastModel> make_persistence(const ModelInfo& like);

}  // namespace mosaic
