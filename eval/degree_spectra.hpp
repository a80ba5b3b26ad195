#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "grid/harmonic_tables.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

/// Kinetic energy by degree [m2 s-2], each [F, lmax + 1].
struct KineticEnergySpectra {
  std::vector<double> total;  ///< rotational + divergent
  std::vector<double> rotational;
  std::vector<double> divergent;
};

/// Spectra by spherical-harmonic degree of fields on one grid. Made once per grid: the tables take 24 R J
/// bytes (grid/harmonic_tables.hpp; 21 MB on 240 x 121). Safe from several threads.
///
/// Fields are [J, L] (latitude from south to north, longitude), given as pointers to F of them, float or
/// double; results are double. A field with a NaN has NaN for every degree; bits do not depend on
/// threads nor on the other fields of a call.
class DegreeSpectra {
 public:
  /// Errors: corrupt_input, naming the supported grids, where no method for the latitudes is known.
  explicit DegreeSpectra(const LatLonGrid& grid, int threads, HarmonicMethod method = HarmonicMethod::exact);

  std::size_t lmax() const { return tables_.lmax; }
  const HarmonicTables& tables() const { return tables_; }

  /// P_l = |a_l0|^2 + 2 sum_{m>0} |a_lm|^2, sum_l P_l = mean f^2. Shape: [F, lmax + 1]. Units: the field's
  /// squared.
  template <class Real>
  std::vector<double> power(std::span<const Real* const> fields) const;

  /// Vector form: E_l = (1/2) sum_m (|B_lm|^2 + |G_lm|^2), rotational and divergent coefficients of (u, v) on
  /// vector harmonics, = a^2 / (2 l (l + 1)) sum_m (|zeta_lm|^2 + |delta_lm|^2); sum_l E_l = mean (u^2 + v^2)
  /// / 2, E_0 = 0; independent of where the coordinates have their pole.
  template <class Real>
  KineticEnergySpectra kinetic_energy(std::span<const Real* const> u, std::span<const Real* const> v) const;

  /// Scalar form: (P_l[u] + P_l[v]) / 2, what programs without vector harmonics show. Differs from the vector
  /// form by factors at low degrees and about 5 % beyond: never divide one by the other. Shape: [F, lmax +
  /// 1].
  template <class Real>
  std::vector<double> scalar_form_kinetic_energy(std::span<const Real* const> u,
                                                 std::span<const Real* const> v) const;

 private:
  HarmonicTables tables_;
  int threads_;
};

}  // namespace mosaic::eval
