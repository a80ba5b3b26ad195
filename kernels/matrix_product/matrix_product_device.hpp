#pragma once

#include <cstdint>
#include <memory>

#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels {

/// out [rows, outputs] = x [rows, inputs] weight [outputs, inputs]^T, plus `out` where it accumulates;
/// float32 accumulation (float32 operands: no TF32). All arrays on the device, contiguous, aligned to 16
/// bytes; inputs and outputs multiples of 8.
struct MatrixProductArgs {
  std::int64_t rows = 0, inputs = 0, outputs = 0;
  ElementType type = ElementType::float16;
  const void* x = nullptr;
  const void* weight = nullptr;
  ElementType out_type = ElementType::float16;
  void* out = nullptr;
  bool accumulate = false;
};

/// out[b] [rows, outputs] = x[b] [rows, inputs] weight[b] [outputs, inputs]^T for each b < batches, all in
/// double. Strides are numbers between batches, multiples of 2. Matrices as above.
struct DoubleProductArgs {
  std::int64_t batches = 1, rows = 0, inputs = 0, outputs = 0;
  const double* x = nullptr;
  std::int64_t x_stride = 0;
  const double* weight = nullptr;
  std::int64_t weight_stride = 0;
  double* out = nullptr;
  std::int64_t out_stride = 0;
};

/// Errors: internal, for shapes that are not permitted.
void check_product(const MatrixProductArgs& args);
void check_product(const DoubleProductArgs& args);

/// `count` rounded up to what products take as inputs and outputs.
constexpr std::int64_t product_columns(std::int64_t count) { return (count + 7) / 8 * 8; }

/// Matrix products by cuBLASLt. One algorithm is pinned for each (inputs, outputs, types, one batch or more),
/// without a split of the inner dimension, so that a row's bits depend neither on how many rows nor on how
/// many batches (if more than one) there are.
class MatrixProducts {
 public:
  MatrixProducts();
  ~MatrixProducts();
  MatrixProducts(const MatrixProducts&) = delete;
  MatrixProducts& operator=(const MatrixProducts&) = delete;

  /// Queues the product. The first call of a shape chooses its algorithm (on the host).
  void run(const MatrixProductArgs& args, const Stream& stream);
  void run(const DoubleProductArgs& args, const Stream& stream);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mosaic::kernels
