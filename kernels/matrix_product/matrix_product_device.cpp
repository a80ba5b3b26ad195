#include "kernels/matrix_product/matrix_product_device.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

void check_product(const MatrixProductArgs& args) {
  require(
      args.rows > 0 && args.inputs > 0 && args.inputs % 8 == 0 && args.outputs > 0 && args.outputs % 8 == 0,
      "a matrix product of {} x {} x {}", args.rows, args.inputs, args.outputs);
}

void check_product(const DoubleProductArgs& args) {
  check_product(MatrixProductArgs{.rows = args.rows, .inputs = args.inputs, .outputs = args.outputs});
  require(
      args.batches > 0 && args.x_stride % 2 == 0 && args.weight_stride % 2 == 0 && args.out_stride % 2 == 0,
      "matrix products in {} batches with strides of {}, {} and {} numbers", args.batches, args.x_stride,
      args.weight_stride, args.out_stride);
  require(args.batches == 1 || args.out_stride >= args.rows * args.outputs,
          "results of {} x {} numbers overlap: their stride is {}", args.rows, args.outputs, args.out_stride);
}

}  // namespace mosaic::kernels
