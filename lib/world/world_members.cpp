#include "world/world_members.hpp"

#include "base/error.hpp"

namespace mosaic::world {
namespace {

/// Numbers of each member.
std::size_t numbers_of(const WorldState& state) {
  require(state.members() > 0 && state.q.size() % state.members() == 0,
          "a state of {} numbers cannot have {} members", state.q.size(), state.members());
  return state.q.size() / state.members();
}

}  // namespace

WorldState members_of(const WorldState& state, std::span<const std::size_t> members) {
  WorldState part;
  if (members.empty()) {
    return part;
  }
  const std::size_t numbers = numbers_of(state);
  for (const std::size_t m : members) {
    require(m < state.members(), "there is no member {} among {}", m, state.members());
    part.times.push_back(state.times[m]);
  }
  part.q.reserve(numbers * members.size());
  for (std::size_t k = 0; k < numbers; ++k) {
    for (const std::size_t m : members) {
      part.q.push_back(state.q[k * state.members() + m]);
    }
  }
  return part;
}

WorldState joined(std::span<const WorldState> states) {
  WorldState all;
  for (const WorldState& state : states) {
    require(numbers_of(state) == numbers_of(states.front()),
            "states of {} and {} numbers a member have different truncations", numbers_of(states.front()),
            numbers_of(state));
    all.times.insert(all.times.end(), state.times.begin(), state.times.end());
  }
  for (std::size_t k = 0; !states.empty() && k < numbers_of(states.front()); ++k) {
    for (const WorldState& state : states) {
      const auto first = state.q.begin() + static_cast<std::ptrdiff_t>(k * state.members());
      all.q.insert(all.q.end(), first, first + static_cast<std::ptrdiff_t>(state.members()));
    }
  }
  return all;
}

}  // namespace mosaic::world
