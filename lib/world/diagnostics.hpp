#pragma once

#include <array>
#include <vector>

#include "world/world.hpp"

namespace mosaic::world {

/// The parts of dq/dt [s-2] of all members, [rows, 2, levels, members] each.
struct TendencyParts {
  Spectra advection, relaxation, drag, diffusion;
};
TendencyParts tendency_parts(const World& world, const WorldState& state);

/// Energies of a member per unit mass, summed over levels as the spec of the world does, and what changes
/// them.
struct Energetics {
  std::array<double, levels> kinetic;             ///< [m2 s-2]
  std::array<double, layers> available;           ///< potential [m2 s-2]
  std::array<double, levels> enstrophy;           ///< half the mean square of q + planetary vorticity [s-2]
  double advection, relaxation, drag, diffusion;  ///< rates of the total energy [W kg-1]

  double total() const;
};
std::vector<Energetics> energetics_of(const World& world, const WorldState& state);

/// The same world without forcing, drag and diffusion.
Parameters unforced(Parameters parameters);

}  // namespace mosaic::world
