#include "world/dynamics.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/instruction_sets.hpp"

namespace mosaic::world {
namespace {

constexpr double seconds_of_day = 86400;

/// Pairs of latitudes at a time: the fields of a band of eight members at T21 take 0.4 MB and stay in the
/// cache, and four rows share what the matrix products load. Does not change bits beyond the order of sums
/// over bands, which is fixed.
constexpr std::size_t band = 4;

using Matrix = std::array<std::array<double, levels>, levels>;

double square(double x) { return x * x; }

/// q = lap psi + coupling of neighbouring levels.
Matrix coupling_matrix(const Parameters& parameters, std::size_t n) {
  const double laplacian = -static_cast<double>(n * (n + 1)) / square(radius);
  const double r1 = 1 / square(parameters.deformation_radius[0]);
  const double r2 = 1 / square(parameters.deformation_radius[1]);
  return {{{laplacian - r1, r1, 0}, {r1, laplacian - r1 - r2, r2}, {0, r2, laplacian - r2}}};
}

Matrix inverse(const Matrix& a) {
  const auto cofactor = [&](std::size_t i, std::size_t j) {
    const std::size_t i1 = (i + 1) % 3, i2 = (i + 2) % 3, j1 = (j + 1) % 3, j2 = (j + 2) % 3;
    return a[i1][j1] * a[i2][j2] - a[i1][j2] * a[i2][j1];
  };
  const double determinant = a[0][0] * cofactor(0, 0) + a[0][1] * cofactor(0, 1) + a[0][2] * cofactor(0, 2);
  Matrix result;
  for (std::size_t i = 0; i < levels; ++i) {
    for (std::size_t j = 0; j < levels; ++j) {
      result[i][j] = cofactor(j, i) / determinant;
    }
  }
  return result;
}

/// out[level] = sum over levels of matrix times in; degree 0 becomes 0.
MOSAIC_EACH_INSTRUCTION_SET
void multiply(const SpectralSpace& space, const std::vector<Matrix>& matrices, const double* in,
              std::size_t members, double* out) {
  const std::size_t size = levels * members;
  for (std::size_t row = 0; row < space.shape().rows(); ++row) {
    const Matrix& a = matrices[space.degree(row)];
    for (std::size_t part = 0; part < 2; ++part) {
      const double* x = in + (2 * row + part) * size;
      double* y = out + (2 * row + part) * size;
      for (std::size_t i = 0; i < levels; ++i) {
#pragma GCC ivdep
        for (std::size_t e = 0; e < members; ++e) {
          y[i * members + e] = a[i][0] * x[e] + a[i][1] * x[members + e] + a[i][2] * x[2 * members + e];
        }
      }
    }
  }
}

/// [rows, 2, 6, members]: the streamfunction of the levels, then what is advected.
MOSAIC_EACH_INSTRUCTION_SET
void gather_fields(std::size_t rows, const std::vector<double>& planetary, const double* q, const double* psi,
                   std::size_t members, double* fields) {
  const std::size_t size = levels * members;
  for (std::size_t i = 0; i < 2 * rows; ++i) {
    std::copy_n(psi + i * size, size, fields + 2 * i * size);
    for (std::size_t level = 0; level < levels; ++level) {
      const double added = planetary[i * levels + level];
      const double* from = q + i * size + level * members;
      double* to = fields + (2 * i + 1) * size + level * members;
#pragma GCC ivdep
      for (std::size_t e = 0; e < members; ++e) {
        to[e] = from[e] + added;
      }
    }
  }
}

/// -u . grad Q at points: zonal and meridional gradients of [psi of levels, Q of levels] at each point.
MOSAIC_EACH_INSTRUCTION_SET
void advect(std::size_t points, std::size_t members, const double* zonal, const double* meridional,
            double* products) {
  constexpr double scale = 1 / (radius * radius);
  const std::size_t size = levels * members;
  for (std::size_t point = 0; point < points; ++point) {
    const double* x = zonal + point * 2 * size;
    const double* y = meridional + point * 2 * size;
    double* out = products + point * size;
#pragma GCC ivdep
    for (std::size_t c = 0; c < size; ++c) {
      out[c] = scale * (y[c] * x[size + c] - x[c] * y[size + c]);
    }
  }
}

/// Subtracts div(k grad psi) of the lowest level.
MOSAIC_EACH_INSTRUCTION_SET
void drag_lowest(std::size_t points, std::size_t members, const double* k, const double* k_zonal,
                 const double* k_meridional, const double* zonal, const double* meridional,
                 const double* curl, double* products) {
  constexpr double scale = 1 / (radius * radius);
  const std::size_t lowest = (levels - 1) * members;
  for (std::size_t point = 0; point < points; ++point) {
    const double* x = zonal + point * 2 * levels * members + lowest;
    const double* y = meridional + point * 2 * levels * members + lowest;
    const double* vorticity = curl + point * members;
    double* out = products + point * levels * members + lowest;
    const double kx = scale * k_zonal[point], ky = scale * k_meridional[point], k0 = k[point];
#pragma GCC ivdep
    for (std::size_t e = 0; e < members; ++e) {
      out[e] -= k0 * vorticity[e] + (kx * x[e] + ky * y[e]);
    }
  }
}

void fit(std::vector<double>& values, std::size_t size) {
  if (values.size() < size) {
    values.resize(size);
  }
}

}  // namespace

Dynamics::Dynamics(const Parameters& parameters)
    : parameters_(parameters),
      space_(static_cast<std::size_t>(parameters.truncation), parameters.latitudes()),
      forcing_(make_forcing(parameters, space_)) {
  const auto top = static_cast<double>(parameters.truncation);
  psi_from_q_.push_back({});
  q_from_psi_.push_back({});
  damping_.push_back(0);
  for (std::size_t n = 1; n <= space_.shape().truncation; ++n) {
    const auto degree = static_cast<double>(n);
    q_from_psi_.push_back(coupling_matrix(parameters, n));
    psi_from_q_.push_back(inverse(q_from_psi_.back()));
    damping_.push_back(std::pow(degree * (degree + 1) / (top * (top + 1)), parameters.diffusion_power) /
                       (parameters.diffusion_days * seconds_of_day));
  }
}

void Dynamics::streamfunction(const double* q, std::size_t members, double* psi) const {
  multiply(space_, psi_from_q_, q, members, psi);
}

void Dynamics::potential_vorticity(const double* psi, std::size_t members, double* q) const {
  multiply(space_, q_from_psi_, psi, members, q);
}

void Dynamics::grid_terms(const double* q, const double* psi, std::size_t members, Terms terms,
                          double* tendency, Workspace& workspace) const {
  using What = SpectralSpace::What;
  const auto& shape = space_.shape();
  const std::size_t size = levels * members, rows = shape.rows();
  const std::size_t points = band * 2 * shape.longitudes;
  fit(workspace.fields, rows * 4 * size);
  fit(workspace.vorticity, rows * 2 * members);
  fit(workspace.zonal, points * 2 * size);
  fit(workspace.meridional, points * 2 * size);
  fit(workspace.curl, points * members);
  fit(workspace.products, points * size);
  gather_fields(rows, forcing_.planetary, q, psi, members, workspace.fields.data());
  for (std::size_t i = 0; i < 2 * rows; ++i) {
    const auto n = static_cast<double>(space_.degree(i / 2));
    for (std::size_t e = 0; e < members; ++e) {
      workspace.vorticity[i * members + e] =
          -n * (n + 1) / square(radius) * psi[i * size + (levels - 1) * members + e];
    }
  }
  std::fill(tendency, tendency + rows * 2 * size, 0.0);
  for (std::size_t first = 0; first < shape.half(); first += band) {
    const kernels::LatitudePairs pairs{first, std::min(band, shape.half() - first)};
    const std::size_t here = pairs.count * 2 * shape.longitudes;
    space_.synthesize(What::zonal_gradient, workspace.fields.data(), 2 * size, pairs, workspace.zonal.data(),
                      workspace.transform);
    space_.synthesize(What::meridional_gradient, workspace.fields.data(), 2 * size, pairs,
                      workspace.meridional.data(), workspace.transform);
    if (terms == Terms::drag) {
      std::fill_n(workspace.products.begin(), here * size, 0.0);
    } else {
      advect(here, members, workspace.zonal.data(), workspace.meridional.data(), workspace.products.data());
    }
    if (terms != Terms::advection) {
      space_.synthesize(What::value, workspace.vorticity.data(), members, pairs, workspace.curl.data(),
                        workspace.transform);
      const std::size_t at = first * 2 * shape.longitudes;
      drag_lowest(here, members, forcing_.drag.data() + at, forcing_.drag_zonal.data() + at,
                  forcing_.drag_meridional.data() + at, workspace.zonal.data(), workspace.meridional.data(),
                  workspace.curl.data(), workspace.products.data());
    }
    space_.analyse(workspace.products.data(), size, pairs, tendency, workspace.transform);
  }
  std::fill(tendency, tendency + 2 * size, 0.0);  // no global mean
}

void Dynamics::add_relaxation(const double* psi, const std::vector<double>& seasons, double* tendency) const {
  const std::size_t members = seasons.size(), size = levels * members;
  const double time = parameters_.relaxation_days * seconds_of_day;
  const double r1 = 1 / square(parameters_.deformation_radius[0]) / time;
  const double r2 = 1 / square(parameters_.deformation_radius[1]) / time;
  for (std::size_t i = 2; i < 2 * space_.shape().rows(); ++i) {
    const double* constant = forcing_.equilibrium[0].data() + i * layers;
    const double* amplitude = forcing_.equilibrium[1].data() + i * layers;
    const double* x = psi + i * size;
    double* out = tendency + i * size;
    for (std::size_t e = 0; e < members; ++e) {
      const double upper = r1 * (x[e] - x[members + e] - (constant[0] + seasons[e] * amplitude[0]));
      const double lower =
          r2 * (x[members + e] - x[2 * members + e] - (constant[1] + seasons[e] * amplitude[1]));
      out[e] += upper;
      out[members + e] += lower - upper;
      out[2 * members + e] -= lower;
    }
  }
}

void Dynamics::add_diffusion(const double* q, std::size_t members, double* tendency) const {
  const std::size_t size = 2 * levels * members;
  for (std::size_t row = 0; row < space_.shape().rows(); ++row) {
    const double rate = damping_[space_.degree(row)];
    for (std::size_t i = row * size; i < (row + 1) * size; ++i) {
      tendency[i] -= rate * q[i];
    }
  }
}

void Dynamics::tendency(const double* q, const std::vector<double>& seasons, double* tendency,
                        Workspace& workspace) const {
  const std::size_t members = seasons.size();
  fit(workspace.psi, space_.shape().rows() * 2 * levels * members);
  streamfunction(q, members, workspace.psi.data());
  grid_terms(q, workspace.psi.data(), members, Terms::all, tendency, workspace);
  add_relaxation(workspace.psi.data(), seasons, tendency);
  add_diffusion(q, members, tendency);
}

}  // namespace mosaic::world
