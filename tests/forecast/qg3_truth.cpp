#include "forecast/qg3_truth.hpp"

#include "stores/zarr_writer.hpp"
#include "world/world_fields.hpp"

namespace mosaic::test {

std::shared_ptr<const LatLonGrid> qg3_grid() {
  static const auto grid = std::make_shared<const LatLonGrid>(LatLonGrid::without_poles(64, 32));
  return grid;
}

std::vector<std::vector<State>> simulate_windows(const std::vector<Time>& starts,
                                                 const std::vector<Duration>& offsets, Duration spin_up,
                                                 int threads) {
  const world::World world(world::parameters_of(21));
  const world::WorldFields fields(world.parameters(), qg3_grid());
  std::vector<Time> times;
  std::vector<std::uint64_t> seeds;
  for (const Time start : starts) {
    times.push_back(start - spin_up);
    seeds.push_back(seeds.size() + 1);
  }
  world::WorldState state = world.start(times, seeds);
  Duration reached = Duration{} - spin_up;
  std::vector<std::vector<State>> windows(starts.size());
  for (const Duration offset : offsets) {
    world.advance(state, (offset - reached).seconds / world.parameters().time_step.seconds, threads);
    reached = offset;
    const std::vector<State> states = fields.states(world, state, threads);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      windows[i].push_back(states[i]);
    }
  }
  return windows;
}

void write_windows(const std::string& path, const std::vector<std::vector<State>>& windows) {
  std::vector<Time> times;
  for (const auto& window : windows) {
    for (const State& state : window) {
      times.push_back(state.time);
    }
  }
  const State& any = windows.front().front();
  ZarrWriter writer(path, any.grid, any.channels, times);
  for (const auto& window : windows) {
    for (const State& state : window) {
      writer.write(state);
    }
  }
  writer.close();
}

}  // namespace mosaic::test
