#include "world/spectral_space.hpp"

namespace mosaic::world {

using kernels::LatitudePairs;
using kernels::Mirror;
using kernels::ZonalFactor;

SpectralSpace::SpectralSpace(std::size_t truncation, std::size_t latitudes)
    : shape_{truncation, latitudes, 2 * latitudes}, gauss_(gaussian_latitudes(latitudes)) {
  const auto half = static_cast<std::ptrdiff_t>(shape_.half());
  tables_ = make_spectral_tables(truncation, {gauss_.colatitude.begin(), gauss_.colatitude.begin() + half});
  analysis_.resize(shape_.rows() * shape_.half());
  for (std::size_t m = 0; m <= truncation; ++m) {
    for (std::size_t n = m; n <= truncation; ++n) {
      degrees_.push_back(n);
      for (std::size_t j = 0; j < shape_.half(); ++j) {
        analysis_[shape_.row(m, n) * shape_.half() + j] =
            gauss_.weight[j] * tables_.value[j * shape_.rows() + shape_.parity_row(m, n)];
      }
    }
  }
}

void SpectralSpace::synthesize(What what, const double* spectrum, std::size_t columns, LatitudePairs pairs,
                               double* grid, kernels::SpectralWorkspace& workspace) const {
  const std::vector<double>& table = what == What::value            ? tables_.value
                                     : what == What::zonal_gradient ? tables_.over_cosine
                                                                    : tables_.derivative;
  kernels::spectral_synthesis({shape_,
                               table,
                               what == What::meridional_gradient ? Mirror::odd : Mirror::even,
                               what == What::zonal_gradient ? ZonalFactor::imaginary_unit : ZonalFactor::one,
                               {spectrum, shape_.rows() * 2 * columns},
                               columns,
                               pairs,
                               {grid, pairs.count * 2 * shape_.longitudes * columns}},
                              workspace);
}

std::vector<double> SpectralSpace::synthesize(What what, const std::vector<double>& spectrum,
                                              std::size_t columns) const {
  kernels::SpectralWorkspace workspace;
  std::vector<double> grid(points() * columns);
  synthesize(what, spectrum.data(), columns, {0, shape_.half()}, grid.data(), workspace);
  return grid;
}

void SpectralSpace::analyse(const double* grid, std::size_t columns, LatitudePairs pairs, double* spectrum,
                            kernels::SpectralWorkspace& workspace) const {
  kernels::spectral_analysis({shape_,
                              analysis_,
                              {grid, pairs.count * 2 * shape_.longitudes * columns},
                              columns,
                              pairs,
                              {spectrum, shape_.rows() * 2 * columns}},
                             workspace);
}

std::vector<double> SpectralSpace::analyse(const std::vector<double>& grid, std::size_t columns) const {
  kernels::SpectralWorkspace workspace;
  std::vector<double> spectrum(shape_.rows() * 2 * columns);
  analyse(grid.data(), columns, {0, shape_.half()}, spectrum.data(), workspace);
  return spectrum;
}

std::vector<double> SpectralSpace::on_grid(const std::function<double(double, double)>& function) const {
  std::vector<double> values;
  values.reserve(points());
  for (std::size_t p = 0; p < shape_.half(); ++p) {
    for (std::size_t l = 0; l < shape_.longitudes; ++l) {
      const double longitude = 360.0 * static_cast<double>(l) / static_cast<double>(shape_.longitudes);
      values.push_back(function(longitude, gauss_.latitude[p]));
      values.push_back(function(longitude, gauss_.latitude[shape_.latitudes - 1 - p]));
    }
  }
  return values;
}

}  // namespace mosaic::world
