#pragma once

#include <vector>

#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

/// How a variable that both know is computed: as its textbook definition says, or as WeatherBench 2 does.
enum class Definition { corrected, weatherbench };

/// df/dx, x = R cos(latitude) longitude: second-order centred differences for any spacing, 0 at the poles
/// (cos(latitude) <= 1e-6). corrected: longitudes are periodic; weatherbench: one-sided first-order
/// differences at the first and the last longitude. Shapes: [lat, lon]; units: the field's per m.
/// Errors: internal for fewer than two longitudes.
std::vector<double> eastward_derivative(const std::vector<double>& field, const LatLonGrid& grid,
                                        Definition definition);

/// df/dy, y = R latitude: likewise, one-sided at the first and the last latitude. Errors: internal for fewer
/// than two latitudes.
std::vector<double> northward_derivative(const std::vector<double>& field, const LatLonGrid& grid);

/// Derivative along a coordinate of any spacing at point k of [n]: second-order centred, one-sided
/// first-order at both ends (numpy.gradient).
double derivative_at(const std::vector<double>& values, const std::vector<double>& coordinate, std::size_t k);

/// Relative vorticity and divergence of a wind [s-1].
/// weatherbench: dv/dx - du/dy and du/dx + dv/dy, without the metric terms in tan(latitude).
/// corrected: (dv/dlon - d(u cos)/dlat) / (R cos) and (du/dlon + d(v cos)/dlat) / (R cos); a pole has the
/// mean over the cap inside the next row, circulation or outflow along the row over the area R^2 2 pi (1 -
/// sin).
std::vector<double> vorticity(const std::vector<double>& u, const std::vector<double>& v,
                              const LatLonGrid& grid, Definition definition);
std::vector<double> divergence(const std::vector<double>& u, const std::vector<double>& v,
                               const LatLonGrid& grid, Definition definition);

}  // namespace mosaic::eval
