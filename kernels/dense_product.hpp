#pragma once

#include <cstddef>

namespace mosaic::kernels {

/// A row-major matrix of doubles: row r begins at values + r * stride.
struct MatrixRows {
  const double* values;
  std::size_t stride;
};

/// out[r][c] = out[r][c] + a[r][0] b[0][c] + a[r][1] b[1][c] + ..., r < rows, c < columns, summed from left
/// to right, each product and sum rounded: an element has the same bits whatever its neighbours, the number
/// of columns and the instruction set. Vectors run along the columns; `out` must not overlap a or b.
void dense_product(MatrixRows a, MatrixRows b, double* out, std::size_t out_stride, std::size_t rows,
                   std::size_t depth, std::size_t columns);

}  // namespace mosaic::kernels
