#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "kernels/harmonic_transform/harmonic_transform.hpp"

namespace mosaic::kernels {
namespace {

using Complex = std::complex<double>;

/// F_m of one field, [lmax + 1, J].
template <class Real>
std::vector<Complex> zonal_coefficients(const Real* field, const HarmonicShape& shape) {
  std::vector<Complex> all((shape.lmax + 1) * shape.latitudes);
  for (std::size_t m = 0; m <= shape.lmax; ++m) {
    for (std::size_t j = 0; j < shape.latitudes; ++j) {
      Complex sum = 0.0;
      for (std::size_t i = 0; i < shape.longitudes; ++i) {
        const double turn = static_cast<double>(m * i % shape.longitudes);
        const double angle = 2.0 * std::numbers::pi * turn / static_cast<double>(shape.longitudes);
        sum +=
            static_cast<double>(field[j * shape.longitudes + i]) * Complex(std::cos(angle), -std::sin(angle));
      }
      all[m * shape.latitudes + j] = sum / static_cast<double>(shape.longitudes);
    }
  }
  return all;
}

Complex sum_over_latitudes(std::span<const double> table, std::size_t row, const std::vector<Complex>& zonal,
                           std::size_t m, std::size_t latitudes) {
  Complex sum = 0.0;
  for (std::size_t j = 0; j < latitudes; ++j) {
    sum += table[row * latitudes + j] * zonal[m * latitudes + j];
  }
  return sum;
}

}  // namespace

template <class Real>
void scalar_harmonics_reference(const ScalarHarmonicsArgs<Real>& args) {
  const HarmonicShape& shape = args.shape;
  for (std::size_t f = 0; f < args.fields.size(); ++f) {
    const std::vector<Complex> zonal = zonal_coefficients(args.fields[f], shape);
    const std::span<double> power = args.power.subspan(f * (shape.lmax + 1), shape.lmax + 1);
    for (std::size_t l = 0; l <= shape.lmax; ++l) {
      power[l] = 0.0;
      for (std::size_t m = 0; m <= l; ++m) {
        const std::size_t row = shape.row(m, l);
        const Complex a = sum_over_latitudes(args.scalar, row, zonal, m, shape.latitudes);
        power[l] += (m == 0 ? 1.0 : 2.0) * std::norm(a);
        if (!args.coefficients.empty()) {
          args.coefficients[2 * (f * shape.rows() + row)] = a.real();
          args.coefficients[2 * (f * shape.rows() + row) + 1] = a.imag();
        }
      }
    }
    mark_undefined(power, shape.lmax + 1);
  }
}

template <class Real>
void vector_harmonics_reference(const VectorHarmonicsArgs<Real>& args) {
  const HarmonicShape& shape = args.shape;
  const Complex i(0.0, 1.0);
  for (std::size_t f = 0; f < args.u.size(); ++f) {
    const std::vector<Complex> u = zonal_coefficients(args.u[f], shape);
    const std::vector<Complex> v = zonal_coefficients(args.v[f], shape);
    const std::span<double> rotational = args.rotational.subspan(f * (shape.lmax + 1), shape.lmax + 1);
    const std::span<double> divergent = args.divergent.subspan(f * (shape.lmax + 1), shape.lmax + 1);
    for (std::size_t l = 0; l <= shape.lmax; ++l) {
      rotational[l] = divergent[l] = 0.0;
      for (std::size_t m = 0; m <= l; ++m) {
        const auto sum = [&](std::span<const double> table, const std::vector<Complex>& zonal) {
          return sum_over_latitudes(table, shape.row(m, l), zonal, m, shape.latitudes);
        };
        const Complex b = sum(args.slope, u) - i * sum(args.turning, v);
        const Complex g = -sum(args.slope, v) - i * sum(args.turning, u);
        rotational[l] += (m == 0 ? 0.5 : 1.0) * std::norm(b);
        divergent[l] += (m == 0 ? 0.5 : 1.0) * std::norm(g);
      }
    }
    mark_undefined(rotational, shape.lmax + 1);
    mark_undefined(divergent, shape.lmax + 1);
  }
}

template void scalar_harmonics_reference(const ScalarHarmonicsArgs<float>&);
template void scalar_harmonics_reference(const ScalarHarmonicsArgs<double>&);
template void vector_harmonics_reference(const VectorHarmonicsArgs<float>&);
template void vector_harmonics_reference(const VectorHarmonicsArgs<double>&);

}  // namespace mosaic::kernels
