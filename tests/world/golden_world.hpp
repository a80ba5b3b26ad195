#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stores/tensor_file.hpp"
#include "world/dynamics.hpp"
#include "world/world.hpp"

namespace mosaic::test {

/// The parameters that golden/qg3/scalars_t21.json was made with. Errors: an exception for a key that is not
/// there.
world::Parameters golden_parameters(const std::string& json_path);

/// Golden spectra [m, n, (columns,) 2] as [rows (m, n >= m), 2, columns].
std::vector<double> packed(const TensorView& golden);

/// Golden values on the Gaussian grid [lat, lon] as [latitude pairs, longitude, 2 (south, north)].
std::vector<double> paired(const std::vector<double>& grid, std::size_t latitudes);

/// Largest difference over the largest golden value; NaN counts as infinite.
double relative_difference(const std::vector<double>& ours, const std::vector<double>& golden);
/// The same over another size.
double largest_difference(const std::vector<double>& ours, const std::vector<double>& golden);

}  // namespace mosaic::test
