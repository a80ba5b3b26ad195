#include "eval/degree_spectra.hpp"

#include "base/error.hpp"
#include "kernels/harmonic_transform/harmonic_transform.hpp"

namespace mosaic::eval {
namespace {

kernels::HarmonicShape shape_of(const HarmonicTables& tables) {
  return {.latitudes = tables.latitudes, .longitudes = tables.longitudes, .lmax = tables.lmax};
}

}  // namespace

DegreeSpectra::DegreeSpectra(const LatLonGrid& grid, int threads, HarmonicMethod method)
    : tables_(make_harmonic_tables(grid, method, threads)), threads_(threads) {}

template <class Real>
std::vector<double> DegreeSpectra::power(std::span<const Real* const> fields) const {
  std::vector<double> power(fields.size() * (lmax() + 1));
  kernels::scalar_harmonics<Real>({.fields = fields,
                                   .shape = shape_of(tables_),
                                   .scalar = tables_.scalar,
                                   .power = power,
                                   .coefficients = {},
                                   .threads = threads_});
  return power;
}

template <class Real>
KineticEnergySpectra DegreeSpectra::kinetic_energy(std::span<const Real* const> u,
                                                   std::span<const Real* const> v) const {
  const std::size_t size = u.size() * (lmax() + 1);
  KineticEnergySpectra energy{std::vector<double>(size), std::vector<double>(size),
                              std::vector<double>(size)};
  kernels::vector_harmonics<Real>({.u = u,
                                   .v = v,
                                   .shape = shape_of(tables_),
                                   .slope = tables_.slope,
                                   .turning = tables_.turning,
                                   .rotational = energy.rotational,
                                   .divergent = energy.divergent,
                                   .threads = threads_});
  for (std::size_t i = 0; i < size; ++i) {
    energy.total[i] = energy.rotational[i] + energy.divergent[i];
  }
  return energy;
}

template <class Real>
std::vector<double> DegreeSpectra::scalar_form_kinetic_energy(std::span<const Real* const> u,
                                                              std::span<const Real* const> v) const {
  require(u.size() == v.size(), "{} fields of u and {} of v", u.size(), v.size());
  std::vector<double> energy = power(u);
  const std::vector<double> northward = power(v);
  for (std::size_t i = 0; i < energy.size(); ++i) {
    energy[i] = 0.5 * (energy[i] + northward[i]);
  }
  return energy;
}

template <class Real>
using Fields = std::span<const Real* const>;

template std::vector<double> DegreeSpectra::power(Fields<float>) const;
template std::vector<double> DegreeSpectra::power(Fields<double>) const;
template KineticEnergySpectra DegreeSpectra::kinetic_energy(Fields<float>, Fields<float>) const;
template KineticEnergySpectra DegreeSpectra::kinetic_energy(Fields<double>, Fields<double>) const;
template std::vector<double> DegreeSpectra::scalar_form_kinetic_energy(Fields<float>, Fields<float>) const;
template std::vector<double> DegreeSpectra::scalar_form_kinetic_energy(Fields<double>, Fields<double>) const;

}  // namespace mosaic::eval
