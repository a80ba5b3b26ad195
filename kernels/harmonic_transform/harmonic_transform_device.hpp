#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/device/device.hpp"
#include "kernels/harmonic_transform/harmonic_transform.hpp"
#include "kernels/matrix_product/matrix_product_device.hpp"

namespace mosaic::kernels {

/// scalar_harmonics and vector_harmonics (formulas there) of fields whose zonal coefficients lie on a device.
/// Letters as there; N = lmax + 1. For each order m one matrix product takes F_m at the latitudes of all
/// fields to the coefficients of degrees m ... lmax; then power is summed over m ascending. What is not
/// finite spreads as it comes: mark_undefined() on the host does what the contract says of such fields. Bits
/// of a field do not depend on the others. All pointers are to the device; `waves` is [F, J, wave_columns] as
/// zonal_waves() writes it.

/// Columns of coefficients and of gathered waves: N and J, rounded up to what matrix products take.
constexpr std::int64_t degree_columns(const HarmonicShape& shape) {
  return product_columns(static_cast<std::int64_t>(shape.lmax) + 1);
}
constexpr std::int64_t latitude_columns(const HarmonicShape& shape) {
  return product_columns(static_cast<std::int64_t>(shape.latitudes));
}

/// A table [R, J] of grid/harmonic_tables.hpp as a matrix for each order: [N (m), degree_columns,
/// latitude_columns], entry (m, l - m, j) = table[row(m, l)][j], zero elsewhere. Errors: internal for a table
/// of another size.
std::vector<double> harmonic_table(const HarmonicShape& shape, std::span<const double> table);

struct DeviceScalarHarmonicsArgs {
  std::int64_t fields = 0;
  HarmonicShape shape;
  const double* waves = nullptr;
  const double* scalar = nullptr;  ///< harmonic_table()
  double* rows = nullptr;          ///< [N (m), F, 2 (real, imaginary), latitude_columns], workspace
  double* coefficients = nullptr;  ///< [N (m), F, 2 (real, imaginary), degree_columns (l - m)], workspace
  double* power = nullptr;         ///< [F, N], output

  std::int64_t row_numbers() const;
  std::int64_t coefficient_numbers() const;
};
void scalar_harmonics(const DeviceScalarHarmonicsArgs& args, MatrixProducts& products, const Stream& stream);

struct DeviceVectorHarmonicsArgs {
  std::int64_t fields = 0;
  HarmonicShape shape;
  const double* u_waves = nullptr;
  const double* v_waves = nullptr;
  const double* slope = nullptr;    ///< harmonic_table()
  const double* turning = nullptr;  ///< harmonic_table()
  double* rows = nullptr;          ///< [N (m), F, 2 (u, v), 2 (real, imaginary), latitude_columns], workspace
  double* coefficients = nullptr;  ///< [2 (slope, turning), N (m), F, 2, 2, degree_columns], workspace
  double* rotational = nullptr;    ///< [F, N], output
  double* divergent = nullptr;     ///< [F, N], output

  std::int64_t row_numbers() const;
  std::int64_t coefficient_numbers() const;
};
void vector_harmonics(const DeviceVectorHarmonicsArgs& args, MatrixProducts& products, const Stream& stream);

}  // namespace mosaic::kernels
