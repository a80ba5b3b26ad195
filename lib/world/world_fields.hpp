#pragma once

#include <memory>
#include <vector>

#include "fields/state.hpp"
#include "world/world.hpp"

namespace mosaic::world {

/// u_component_of_wind, v_component_of_wind, geopotential and temperature at 200, 500, 800 hPa and the mean
/// temperatures of the two layers between them, upper_layer_temperature and lower_layer_temperature.
const ChannelSet& world_channels();

/// Members as fields on any grid of latitudes and longitudes, by direct synthesis: winds are finite at the
/// poles, the geopotential is in linear balance with the streamfunction, temperatures are hydrostatic.
class WorldFields {
 public:
  /// Errors: bad_configuration for a grid that is too coarse; corrupt_input for latitudes that are not
  /// symmetric about the equator or longitudes that are not uniform from 0.
  WorldFields(const Parameters& parameters, std::shared_ptr<const LatLonGrid> grid);
  ~WorldFields();

  /// fields: [members] of [world_channels(), lat, lon], in the channels' units.
  void synthesize(const World& world, const WorldState& state, const std::vector<float*>& fields,
                  int threads) const;
  void synthesize(const World& world, const WorldState& state, const std::vector<double*>& fields,
                  int threads) const;
  /// The same as states.
  std::vector<State> states(const World& world, const WorldState& state, int threads) const;

 private:
  template <class Real>
  void synthesize_any(const World& world, const WorldState& state, const std::vector<Real*>& fields,
                      int threads) const;

  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

/// Geopotential at the surface [m2 s-2] and land-sea mask [1] of the analytic geography. Shape: [lat, lon]
std::vector<float> surface_geopotential(const LatLonGrid& grid);
std::vector<float> land_sea_mask(const LatLonGrid& grid);

}  // namespace mosaic::world
