#pragma once

#include <cstddef>
#include <span>

#include "world/world_state.hpp"

namespace mosaic::world {

/// Some members of a state, by index and in that order. Errors: internal for a member that is not there.
WorldState members_of(const WorldState& state, std::span<const std::size_t> members);

/// All members of several states of one truncation, one after the other. Errors: internal if they differ in
/// size.
WorldState joined(std::span<const WorldState> states);

}  // namespace mosaic::world
