#include "kernels/harmonic_transform/harmonic_transform.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace mosaic::kernels {
namespace {

void check_shape(const HarmonicShape& shape, std::size_t table, std::size_t fields, std::size_t power) {
  require(shape.latitudes > 0 && shape.longitudes > 0 && shape.lmax <= shape.longitudes / 2,
          "harmonics up to degree {} on {} latitudes and {} longitudes", shape.lmax, shape.latitudes,
          shape.longitudes);
  require(table == shape.rows() * shape.latitudes, "a table of {} values, {} are needed", table,
          shape.rows() * shape.latitudes);
  require(power == fields * (shape.lmax + 1), "room for {} spectral values, {} are needed", power,
          fields * (shape.lmax + 1));
}

}  // namespace

template <class Real>
void scalar_harmonics(const ScalarHarmonicsArgs<Real>& args, Backend backend) {
  check_shape(args.shape, args.scalar.size(), args.fields.size(), args.power.size());
  const std::size_t coefficients = args.fields.size() * args.shape.rows() * 2;
  require(args.coefficients.empty() || args.coefficients.size() == coefficients,
          "room for {} coefficients, {} are needed", args.coefficients.size(), coefficients);
  require_backend("harmonic_transform", backend, {Backend::reference, Backend::cpu});
  return backend == Backend::cpu ? scalar_harmonics_cpu(args) : scalar_harmonics_reference(args);
}

template <class Real>
void vector_harmonics(const VectorHarmonicsArgs<Real>& args, Backend backend) {
  require(args.u.size() == args.v.size(), "{} fields of u and {} of v", args.u.size(), args.v.size());
  check_shape(args.shape, args.slope.size(), args.u.size(), args.rotational.size());
  check_shape(args.shape, args.turning.size(), args.u.size(), args.divergent.size());
  require_backend("harmonic_transform", backend, {Backend::reference, Backend::cpu});
  return backend == Backend::cpu ? vector_harmonics_cpu(args) : vector_harmonics_reference(args);
}

void mark_undefined(std::span<double> power, std::size_t degrees) {
  require(degrees > 0 && power.size() % degrees == 0, "{} values of power are no fields of {} degrees",
          power.size(), degrees);
  for (std::size_t first = 0; first < power.size(); first += degrees) {
    const std::span<double> field = power.subspan(first, degrees);
    if (!std::all_of(field.begin(), field.end(), [](double value) { return std::isfinite(value); })) {
      std::fill(field.begin(), field.end(), std::numeric_limits<double>::quiet_NaN());
    }
  }
}

double harmonic_operations(const HarmonicShape& shape, std::size_t components) {
  // A scalar has one table over half of the latitudes, a wind two tables for each of its components.
  const std::size_t half = (shape.latitudes + 1) / 2;
  const std::size_t tables = components == 1 ? 1 : 2;
  return 2.0 * 2.0 * static_cast<double>(shape.rows() * half * components * tables);
}

template void scalar_harmonics(const ScalarHarmonicsArgs<float>&, Backend);
template void scalar_harmonics(const ScalarHarmonicsArgs<double>&, Backend);
template void vector_harmonics(const VectorHarmonicsArgs<float>&, Backend);
template void vector_harmonics(const VectorHarmonicsArgs<double>&, Backend);

}  // namespace mosaic::kernels
