#pragma once

#include <span>
#include <string>
#include <vector>

#include "fields/state.hpp"

namespace mosaic {

/// Everything in a state that cannot be a real atmosphere, one message each, empty if all is well: values
/// that are not finite; values outside the bounds of the channel table (wrong units); geopotential whose
/// global mean does not grow from each pressure level to the next lower pressure (levels in a wrong order).
/// Messages name variable, level, time, first place and number of places, value and remedy. A channel of an
/// unknown variable is a message, too. Errors: internal if the values do not fit grid and channels.
std::vector<std::string> check_state(const State& state);

/// Finds a state whose latitudes run the wrong way: 2m_temperature minus its mean over each latitude circle
/// is compared with the same anomaly of the surface's height, and with its mirror image about the equator.
/// Mountains are cold, so the right orientation has the stronger negative correlation. Empty if all is well,
/// if the state has no 2m_temperature or if the grid is not symmetric about the equator (then nothing can be
/// said). `orography` is any multiple of the surface's height, e.g. geopotential_at_surface, [lat, lon] on
/// the state's grid. Errors: internal if the sizes differ.
std::vector<std::string> check_orientation(const State& state, std::span<const float> orography);

}  // namespace mosaic
