#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

// Variables that are computed from others, at one time, on global grids. Where WeatherBench 2 departs from
// the textbook definition, the plain name is the textbook's and the name with `_wb2` is WeatherBench 2's:
//
//   10m_wind_speed                          sqrt(u^2 + v^2) of the 10 m wind                         [m s-1]
// on a level:
//   wind_speed                              sqrt(u^2 + v^2)                                          [m s-1]
//   vorticity, divergence (_wb2)            see horizontal_derivatives.hpp                           [s-1]
//   u_, v_component_of_geostrophic_wind     -(dPhi/dy) / f, (dPhi/dx) / f, f = 2 Omega sin(latitude) [m s-1]
//     and geostrophic_wind_speed (_wb2)     where f = 0 NaN; _wb2: no wrap of longitudes, Inf or NaN
//   u_, v_component_of_ageostrophic_wind    u - u_g, v - v_g, and its size                           [m s-1]
//     and ageostrophic_wind_speed (_wb2)
//   relative_humidity                       100 r / r_s, r = q / (1 - q), r_s = 0.622 e_s / (p - e_s),
//                                           e_s = 6.112 exp(17.67 (T - 273.15) / (T - 29.65)) hPa    [%]
//   relative_humidity_wb2                   r / r_s                                                  [1]
//   lapse_rate                              (dT/dp) / (dz/dp), z = Phi / g: negative where it cools
//                                           upwards; differences of the levels next to it           [K m-1]
//   vertical_velocity (_wb2)                -integral of the divergence (_wb2) over p from the first level,
//                                           where it is 0                                            [Pa s-1]
// of the levels that are there (trapezoids; what lies outside them counts as nothing):
//   total_column_water_vapour               (1 / g) integral of q dp                                 [kg m-2]
//   integrated_vapor_transport              (1 / g) |integral of (q u, q v) dp|, 300 ... 1000 hPa
//                                           [kg m-1 s-1]
//   eddy_kinetic_energy                     (1 / 2g) integral of u'^2 + v'^2 dp, ' = minus zonal mean
//                                           [J m-2]
//     (_wb2: p in hPa in all three, so 100 times smaller, and no 1 / g in the energy)
//
// g = 9.81 m s-2. In double from float32, rounded once. NaN propagates: a point is NaN if a value it needs
// is. Source: WeatherBench 2, derived_variables.py.

/// Channels that `wanted` is computed from, variable by variable and in each from low to high pressure: of
/// those for which `has` is true, at the levels [hPa] of `levels` at which all of them are there. Nothing if
/// `wanted` is no derived variable, or if something is missing: a column and a lapse rate need two levels.
/// A stored variable is to be preferred to a derived one; that is the caller's choice.
std::optional<ChannelSet> sources_of(const Channel& wanted, const std::function<bool(const Channel&)>& has,
                                     std::span<const int> levels);

/// One field from its sources. `fields`: [S] pointers to [lat, lon], in the order of sources_of(). Shape:
/// [lat, lon]. Errors: internal if `wanted` is no derived variable, for sources that are not its own, and for
/// derivatives on grids of less than two rows or columns.
std::vector<float> derive(const Channel& wanted, const ChannelSet& sources,
                          std::span<const float* const> fields, const LatLonGrid& grid);

/// The hours of total_precipitation_6hr, _12hr, _24hr; nothing for other variables.
std::optional<Duration> precipitation_window(std::string_view variable);

/// The lead whose accumulation is to be subtracted for a window that ends at `lead`; nothing if the window
/// begins before the initial time.
std::optional<Duration> window_start(Duration lead, Duration window);

/// Precipitation [m] between two leads from accumulations since the initial time: max(later - earlier, 0), so
/// that losses by packing count as dry; NaN stays NaN. Shapes: any, the same for both. Source:
/// WeatherBench 2. Errors: internal for different sizes.
std::vector<float> accumulated_between(std::span<const float> earlier, std::span<const float> later);

}  // namespace mosaic::eval
