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

/// Matrix products by cuBLASLt. One algorithm is pinned for each (inputs, outputs, types), without a split of
/// the inner dimension, so that a row's bits do not depend on how many rows there are.
class MatrixProducts {
 public:
  MatrixProducts();
  ~MatrixProducts();
  MatrixProducts(const MatrixProducts&) = delete;
  MatrixProducts& operator=(const MatrixProducts&) = delete;

  /// Queues the product. The first call of a shape chooses its algorithm (on the host).
  void run(const MatrixProductArgs& args, const Stream& stream);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mosaic::kernels
