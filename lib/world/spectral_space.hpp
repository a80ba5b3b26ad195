#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "grid/spectral_tables.hpp"
#include "kernels/spectral_transform/spectral_transform.hpp"

namespace mosaic::world {

/// Triangular truncation and its Gaussian grid, with which products of two fields are analysed exactly.
/// Values on the grid are [latitude pairs, longitude, 2 (south, north), columns].
class SpectralSpace {
 public:
  SpectralSpace(std::size_t truncation, std::size_t latitudes);

  const kernels::SpectralShape& shape() const { return shape_; }
  std::size_t degree(std::size_t row) const { return degrees_[row]; }
  const GaussianLatitudes& latitudes() const { return gauss_; }
  std::size_t points() const { return shape_.latitudes * shape_.longitudes; }

  enum class What { value, zonal_gradient, meridional_gradient };
  /// Of a band; gradients are (1/cos latitude) d/dlongitude and d/dlatitude, per radian.
  void synthesize(What what, const double* spectrum, std::size_t columns, kernels::LatitudePairs pairs,
                  double* grid, kernels::SpectralWorkspace& workspace) const;
  /// Of the whole grid.
  std::vector<double> synthesize(What what, const std::vector<double>& spectrum, std::size_t columns) const;

  /// Adds what a band gives.
  void analyse(const double* grid, std::size_t columns, kernels::LatitudePairs pairs, double* spectrum,
               kernels::SpectralWorkspace& workspace) const;
  std::vector<double> analyse(const std::vector<double>& grid, std::size_t columns) const;

  /// A function of longitude and latitude [degrees] on the grid.
  std::vector<double> on_grid(const std::function<double(double, double)>& function) const;

 private:
  kernels::SpectralShape shape_;
  GaussianLatitudes gauss_;
  SpectralTables tables_;         ///< of the south
  std::vector<double> analysis_;  ///< P times weight, [R, half]
  std::vector<std::size_t> degrees_;
};

}  // namespace mosaic::world
