#pragma once

#include <cstddef>
#include <span>

#include "kernels/backend.hpp"

namespace mosaic::kernels {

/// Spherical-harmonic analysis of fields on a grid of latitudes and longitudes, and power by degree.
/// Letters: F fields, J latitudes (south to north), L longitudes (equidistant), degrees l = 0 ... lmax,
/// orders m = 0 ... l, R = (lmax + 1)(lmax + 2) / 2 rows (m, l): m slowest, row = m (2 lmax + 3 - m) / 2 + l
/// - m. With F_m[f](j) = (1/L) sum_i f(j, i) exp(-2 pi i m / L) and tables from grid/harmonic_tables.hpp
/// (harmonics with mean |Y|^2 = 1, Condon-Shortley phase):
///   scalars: a_lm = sum_j scalar[r][j] F_m[f](j),  P_l = |a_l0|^2 + 2 sum_{m>0} |a_lm|^2,  sum_l P_l = mean
///   f^2; winds:   B_lm = sum_j (slope[r][j] F_m[u](j) - i turning[r][j] F_m[v](j)),
///            G_lm = sum_j (-slope[r][j] F_m[v](j) - i turning[r][j] F_m[u](j)),
///            rotational_l = (|B_l0|^2 + 2 sum_{m>0} |B_lm|^2) / 2, divergent_l likewise of G,
///            sum_l (rotational_l + divergent_l) = mean (u^2 + v^2) / 2.
/// Fields are [J, L], float or double; arithmetic is double. Units: the field's squared.
/// A field with a NaN or an infinity has NaN for every degree, the others are not touched. Bits depend
/// neither on threads nor on the other fields of the call.
/// Restrictions: lmax <= L / 2; rows of tables symmetric about the equator to the bit, scalar[r][J-1-j] =
/// (-1)^(l+m) scalar[r][j], turning likewise, slope with (-1)^(l+m+1) (the cpu body uses it).
/// Errors: internal for inconsistent sizes; bad_configuration for a backend that is not there.
struct HarmonicShape {
  std::size_t latitudes = 0;
  std::size_t longitudes = 0;
  std::size_t lmax = 0;

  std::size_t rows() const { return (lmax + 1) * (lmax + 2) / 2; }
  std::size_t row(std::size_t m, std::size_t l) const { return m * (2 * lmax + 3 - m) / 2 + l - m; }
};

template <class Real>
struct ScalarHarmonicsArgs {
  std::span<const Real* const> fields;  ///< [F] of [J, L]
  HarmonicShape shape;
  std::span<const double> scalar;  ///< [R, J]
  std::span<double> power;         ///< [F, lmax + 1], output
  std::span<double> coefficients;  ///< [F, R, 2 (real, imaginary)] of a_lm, output; may be empty
  int threads = 1;
};

template <class Real>
struct VectorHarmonicsArgs {
  std::span<const Real* const> u;  ///< [F] of [J, L] eastward
  std::span<const Real* const> v;  ///< [F] of [J, L] northward
  HarmonicShape shape;
  std::span<const double> slope;    ///< [R, J]
  std::span<const double> turning;  ///< [R, J]
  std::span<double> rotational;     ///< [F, lmax + 1], output
  std::span<double> divergent;      ///< [F, lmax + 1], output
  int threads = 1;
};

template <class Real>
void scalar_harmonics(const ScalarHarmonicsArgs<Real>& args, Backend backend = Backend::cpu);
template <class Real>
void vector_harmonics(const VectorHarmonicsArgs<Real>& args, Backend backend = Backend::cpu);

/// The definition, with nested loops.
template <class Real>
void scalar_harmonics_reference(const ScalarHarmonicsArgs<Real>& args);
template <class Real>
void vector_harmonics_reference(const VectorHarmonicsArgs<Real>& args);

/// Tiles of fields: fast Fourier transforms side by side, then for each m two matrix products, one for the
/// sums and one for the differences of northern and southern latitudes, with the fields as columns.
template <class Real>
void scalar_harmonics_cpu(const ScalarHarmonicsArgs<Real>& args);
template <class Real>
void vector_harmonics_cpu(const VectorHarmonicsArgs<Real>& args);

/// Each field of power [F, degrees] that is not finite at some degree becomes NaN at all of them.
void mark_undefined(std::span<double> power, std::size_t degrees);

/// Products and sums of one field (wind: pair) in the cpu body's matrix products, for benchmarks.
double harmonic_operations(const HarmonicShape& shape, std::size_t components);

}  // namespace mosaic::kernels
