#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"
#include "world/world.hpp"

namespace mosaic::world {

/// From winds on a grid back to the potential vorticity: the streamfunction of triangular truncation whose
/// winds are nearest to the given ones, squared differences weighted by area. Exact for fields of the same
/// truncation.
class WorldAnalysis {
 public:
  /// `world` must outlive it. Errors: corrupt_input if the grid is too coarse for the truncation or its
  /// longitudes are not uniform; internal if `channels` lack a wind component at one of the three levels.
  WorldAnalysis(const World& world, std::shared_ptr<const LatLonGrid> grid, const ChannelSet& channels);
  ~WorldAnalysis();

  /// fields: [members] of [channels, lat, lon]; times: [members].
  WorldState analyse(std::span<const float* const> fields, std::span<const Time> times) const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

/// Adds random balanced perturbations: independent normal coefficients of the streamfunction for the degrees
/// 3 ... 12 of each level, of global rms `size` [m2 s-1] on average over draws (1e6 m2 s-1 are about 10 m of
/// geopotential height at 45 degrees). `normals`: [members, perturbation_draws].
inline constexpr std::size_t perturbation_draws = 3 * 160;
void add_perturbations(const World& world, std::span<const float> normals, double size, WorldState& state);

}  // namespace mosaic::world
