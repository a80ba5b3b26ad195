// matrix_product_device.hpp on the emulated device.

#include <vector>

#include "kernels/device/device_code.hpp"
#include "kernels/matrix_product/matrix_product_device.hpp"

namespace mosaic::kernels {

namespace {

using device::Bfloat16;
using device::Half;

template <class T>
std::vector<float> floats(const void* numbers, std::int64_t count) {
  std::vector<float> result(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = device::to_float(static_cast<const T*>(numbers)[i]);
  }
  return result;
}

std::vector<float> floats(ElementType type, const void* numbers, std::int64_t count) {
  return type == ElementType::float32   ? floats<float>(numbers, count)
         : type == ElementType::float16 ? floats<Half>(numbers, count)
                                        : floats<Bfloat16>(numbers, count);
}

template <class T>
void store(float sum, void* out, std::size_t i, bool accumulate) {
  T& target = static_cast<T*>(out)[i];
  target = device::from_float<T>(accumulate ? device::to_float(target) + sum : sum);
}

void store(ElementType type, float sum, void* out, std::size_t i, bool accumulate) {
  type == ElementType::float32   ? store<float>(sum, out, i, accumulate)
  : type == ElementType::float16 ? store<Half>(sum, out, i, accumulate)
                                 : store<Bfloat16>(sum, out, i, accumulate);
}

/// In eight partial sums, which the compiler keeps in a vector. `count` is a multiple of 8.
template <class Number>
Number dot_product(const Number* a, const Number* b, std::int64_t count) {
  Number sum[8] = {};
  for (std::int64_t i = 0; i < count; i += 8) {
    for (int lane = 0; lane < 8; ++lane) {
      sum[lane] += a[i + lane] * b[i + lane];
    }
  }
  return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

void multiply(const MatrixProductArgs& args) {
  const auto x = floats(args.type, args.x, args.rows * args.inputs);
  const auto weight = floats(args.type, args.weight, args.outputs * args.inputs);
  for (std::int64_t row = 0; row < args.rows; ++row) {
    for (std::int64_t column = 0; column < args.outputs; ++column) {
      const float total = dot_product(&x[static_cast<std::size_t>(row * args.inputs)],
                                      &weight[static_cast<std::size_t>(column * args.inputs)], args.inputs);
      store(args.out_type, total, args.out, static_cast<std::size_t>(row * args.outputs + column),
            args.accumulate);
    }
  }
}

void multiply(const DoubleProductArgs& args) {
  for (std::int64_t batch = 0; batch < args.batches; ++batch) {
    for (std::int64_t row = 0; row < args.rows; ++row) {
      const double* x = args.x + batch * args.x_stride + row * args.inputs;
      const double* weight = args.weight + batch * args.weight_stride;
      double* out = args.out + batch * args.out_stride + row * args.outputs;
      for (std::int64_t column = 0; column < args.outputs; ++column) {
        out[column] = dot_product(x, weight + column * args.inputs, args.inputs);
      }
    }
  }
}

}  // namespace

struct MatrixProducts::State {};

MatrixProducts::MatrixProducts() = default;
MatrixProducts::~MatrixProducts() = default;

void MatrixProducts::run(const MatrixProductArgs& args, const Stream& stream) {
  check_product(args);
  emulation::submit(stream, [args] { multiply(args); });
}

void MatrixProducts::run(const DoubleProductArgs& args, const Stream& stream) {
  check_product(args);
  emulation::submit(stream, [args] { multiply(args); });
}

}  // namespace mosaic::kernels
