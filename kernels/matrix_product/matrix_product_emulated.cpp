// matrix_product_device.hpp on the emulated device.

#include <string>

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

void multiply(const MatrixProductArgs& args) {
  const auto x = floats(args.type, args.x, args.rows * args.inputs);
  const auto weight = floats(args.type, args.weight, args.outputs * args.inputs);
  for (std::int64_t row = 0; row < args.rows; ++row) {
    for (std::int64_t column = 0; column < args.outputs; ++column) {
      // Eight partial sums, which the compiler keeps in a vector.
      float sum[8] = {};
      const float *a = &x[static_cast<std::size_t>(row * args.inputs)],
                  *b = &weight[static_cast<std::size_t>(column * args.inputs)];
      for (std::int64_t i = 0; i < args.inputs; i += 8) {
        for (int lane = 0; lane < 8; ++lane) {
          sum[lane] += a[i + lane] * b[i + lane];
        }
      }
      const float total = ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
      store(args.out_type, total, args.out, static_cast<std::size_t>(row * args.outputs + column),
            args.accumulate);
    }
  }
}

}  // namespace

struct MatrixProducts::State {};

MatrixProducts::MatrixProducts() = default;
MatrixProducts::~MatrixProducts() = default;

void MatrixProducts::run(const MatrixProductArgs& args, const Stream& stream) {
  require_shape(args.rows > 0 && args.inputs % 8 == 0 && args.outputs % 8 == 0,
                "a matrix product of " + std::to_string(args.rows) + " x " + std::to_string(args.inputs) +
                    " x " + std::to_string(args.outputs));
  emulation::submit(stream, [args] { multiply(args); });
}

}  // namespace mosaic::kernels
