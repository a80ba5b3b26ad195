#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "world/parameters.hpp"
#include "world/world_state.hpp"

namespace mosaic::world {

class Dynamics;

/// The three-level quasi-geostrophic atmosphere. Immutable once made; may be used by several threads. A
/// member has the same bits whatever its neighbours, their number and the threads.
/// Source: Marshall & Molteni (1993, J. Atmos. Sci. 50, 1792-1818), with an analytic forcing.
class World {
 public:
  explicit World(const Parameters& parameters);
  ~World();
  World(World&&) noexcept;

  const Parameters& parameters() const;

  /// 0.6 of the equilibrium of that time above a resting lowest level, with noise of degrees 3 ... 12 from
  /// the member's seed (rms streamfunction 2e6 m2 s-1). The first 150 days are spin-up. Errors: internal if
  /// there are not as many times as seeds.
  WorldState start(std::span<const Time> times, std::span<const std::uint64_t> seeds) const;

  /// `steps` Runge-Kutta steps of every member.
  void advance(WorldState& state, std::int64_t steps, int threads) const;

  /// The streamfunction of a potential vorticity [m2 s-1], and back. Any number of members.
  Spectra streamfunction(const Spectra& q) const;
  Spectra potential_vorticity(const Spectra& psi) const;

  /// The equations behind it, for diagnostics and tests.
  const Dynamics& dynamics() const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace mosaic::world
