#include "kernels/harmonic_transform/harmonic_transform_device.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mosaic::kernels {

std::vector<double> harmonic_table(const HarmonicShape& shape, std::span<const double> table) {
  require(table.size() == shape.rows() * shape.latitudes, "a table of {} values, {} are needed", table.size(),
          shape.rows() * shape.latitudes);
  const auto degrees = static_cast<std::size_t>(degree_columns(shape));
  const auto columns = static_cast<std::size_t>(latitude_columns(shape));
  std::vector<double> matrices((shape.lmax + 1) * degrees * columns, 0.0);
  for (std::size_t m = 0; m <= shape.lmax; ++m) {
    for (std::size_t l = m; l <= shape.lmax; ++l) {
      const double* row = table.data() + shape.row(m, l) * shape.latitudes;
      std::copy_n(row, shape.latitudes, matrices.data() + (m * degrees + l - m) * columns);
    }
  }
  return matrices;
}

std::int64_t DeviceScalarHarmonicsArgs::row_numbers() const {
  return static_cast<std::int64_t>(shape.lmax + 1) * fields * 2 * latitude_columns(shape);
}

std::int64_t DeviceScalarHarmonicsArgs::coefficient_numbers() const {
  return static_cast<std::int64_t>(shape.lmax + 1) * fields * 2 * degree_columns(shape);
}

std::int64_t DeviceVectorHarmonicsArgs::row_numbers() const {
  return static_cast<std::int64_t>(shape.lmax + 1) * fields * 4 * latitude_columns(shape);
}

std::int64_t DeviceVectorHarmonicsArgs::coefficient_numbers() const {
  return 2 * static_cast<std::int64_t>(shape.lmax + 1) * fields * 4 * degree_columns(shape);
}

}  // namespace mosaic::kernels
