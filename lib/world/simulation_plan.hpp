#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "grid/lat_lon_grid.hpp"
#include "world/parameters.hpp"

namespace mosaic::world {

/// What is to be simulated and written where. Ranks and threads change nothing in the store.
struct SimulationRequest {
  std::string output;  ///< folder of the Zarr store
  Time first;          ///< first time of the store
  Time last;           ///< its last time, or one at most a step later
  Duration step = Duration::hours(12);
  LatLonGrid grid;
  Parameters parameters;
  std::uint64_t seed = 1;
  std::size_t realizations = 1;
  Duration spin_up = Duration::days(150);
  int threads = 1;  ///< of each rank
};

/// A contiguous part of the time axis, filled by one realization.
struct Stretch {
  std::size_t first_time = 0;  ///< index of its first time
  std::size_t count = 0;       ///< how many times it has
  std::uint64_t seed = 0;
};

/// The time axis, its stretches, and what the store says of itself. Model steps count from the beginning of
/// the spin-up of a stretch.
struct SimulationPlan {
  std::vector<Time> times;
  std::vector<Stretch> stretches;
  Duration time_step;               ///< of the model
  std::int64_t spin_up_steps = 0;   ///< before the first time of a stretch
  std::int64_t steps_per_time = 0;  ///< from one time to the next
  std::map<std::string, std::string> attributes;

  Time start_of(const Stretch& stretch) const {
    return times[stretch.first_time] - spin_up_steps * time_step;
  }
  /// Steps until the output with this number, from 0, of a stretch.
  std::int64_t steps_to(std::size_t output) const {
    return spin_up_steps + static_cast<std::int64_t>(output) * steps_per_time;
  }
  std::int64_t steps_of(const Stretch& stretch) const { return steps_to(stretch.count - 1); }
  std::int64_t steps_of_all() const;
  /// At least one.
  std::int64_t steps_in(Duration duration) const {
    return std::max<std::int64_t>(1, duration.seconds / time_step.seconds);
  }
};

/// Cuts the time axis into stretches whose lengths differ by one time at most; realization i has the seed
/// `seed + i`. Errors: usage, listing all problems with flag, value and remedy.
SimulationPlan plan_simulation(const SimulationRequest& request);

}  // namespace mosaic::world
