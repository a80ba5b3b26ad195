// Matrix products of float16, bfloat16 and float32 against sums in double.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "device/device_arrays.hpp"
#include "fmt/format.h"
#include "kernels/matrix_product/matrix_product_device.hpp"

namespace mosaic::kernels {
namespace {

struct Types {
  ElementType operands, result;
};

/// Of a result that is rounded once.
double unit_roundoff(ElementType type) {
  return type == ElementType::float32 ? 0x1p-24 : type == ElementType::float16 ? 0x1p-11 : 0x1p-8;
}

constexpr std::int64_t period = 131;  // rows after which operands repeat: no multiple of a tile
constexpr std::int64_t guard = 64;    // numbers behind the results that belong to none

/// Numbers on the device that begin `offset` bytes after an aligned place.
struct Placed {
  ElementType type;
  std::size_t offset;
  DeviceMemory memory;

  Placed(ElementType element, std::int64_t count, std::size_t bytes_before)
      : type(element),
        offset(bytes_before),
        memory(offset + static_cast<std::size_t>(count) * size_of(type)) {
    const Stream stream;
    fill_bytes(memory.data(), 0xff, memory.bytes(), stream);
    stream.wait();
  }
  void* at(std::int64_t number) const {
    return memory.as<std::byte>() + offset + static_cast<std::size_t>(number) * size_of(type);
  }
  /// Writes `count` numbers, those of `values` again and again.
  void repeat(const std::vector<float>& values, std::int64_t count) const {
    const DeviceArray once = upload(values, type);
    const Stream stream;
    const auto size = static_cast<std::int64_t>(values.size());
    for (std::int64_t first = 0; first < count; first += size) {
      copy_on_device(at(first), once.data(),
                     static_cast<std::size_t>(std::min(size, count - first)) * size_of(type), stream);
    }
    stream.wait();
  }
  std::vector<float> read(std::int64_t first, std::int64_t count) const {
    const auto numbers = static_cast<std::size_t>(count);
    const DeviceArray part{type, numbers, DeviceMemory(numbers * size_of(type))};
    const Stream stream;
    copy_on_device(part.data(), at(first), part.memory.bytes(), stream);
    stream.wait();
    return download(part);
  }
};

/// Operands of a product; those of its rows are made of `period` of them.
struct TypesCase {
  Types types;
  std::int64_t inputs, outputs;
  bool accumulate = false;
  std::size_t offset = 0;  // of all arrays behind aligned places [bytes]
  std::vector<float> x, weight, before;

  TypesCase(Types which, std::int64_t columns, std::int64_t results)
      : types(which),
        inputs(columns),
        outputs(results),
        x(normal_numbers(static_cast<std::size_t>(period * inputs), 1, 1, types.operands)),
        weight(normal_numbers(static_cast<std::size_t>(outputs * inputs), 2, 1, types.operands)),
        before(normal_numbers(static_cast<std::size_t>(period * outputs), 3, 3, types.result)) {}

  Placed run(std::int64_t rows) const {
    const Placed device_x(types.operands, rows * inputs, offset),
        device_weight(types.operands, outputs * inputs, offset),
        out(types.result, rows * outputs + guard, offset);
    device_x.repeat(x, rows * inputs);
    device_weight.repeat(weight, outputs * inputs);
    if (accumulate) {
      out.repeat(before, rows * outputs);
    }
    MatrixProducts products;
    const Stream stream;
    products.run({.rows = rows,
                  .inputs = inputs,
                  .outputs = outputs,
                  .type = types.operands,
                  .x = device_x.at(0),
                  .weight = device_weight.at(0),
                  .out_type = types.result,
                  .out = out.at(0),
                  .accumulate = accumulate},
                 stream);
    stream.wait();
    for (const float number : out.read(rows * outputs, guard)) {
      EXPECT_TRUE(std::isnan(number)) << "written behind the results";
    }
    return out;
  }

  std::vector<float> rows_of(const Placed& out, std::int64_t first, std::int64_t count) const {
    return out.read(first * outputs, count * outputs);
  }

  /// A number of the result in double, in float32 by a loop, and the sum of its terms' magnitudes.
  struct Sums {
    double exact, magnitude;
    float naive;
  };
  Sums sums(std::int64_t row, std::int64_t column) const {
    const float* a = &x[static_cast<std::size_t>(row % period * inputs)];
    const float* b = &weight[static_cast<std::size_t>(column * inputs)];
    const float old = accumulate ? before[static_cast<std::size_t>(row % period * outputs + column)] : 0;
    Sums result{old, std::abs(old), 0};
    for (std::int64_t i = 0; i < inputs; ++i) {
      const double term = static_cast<double>(a[i]) * static_cast<double>(b[i]);
      result.exact += term;
      result.magnitude += std::abs(term);
      result.naive += a[i] * b[i];
    }
    result.naive = rounded(types.result, old + result.naive);
    return result;
  }

  /// A term passes at most `inputs` + 1 roundings in float32 (its product, the sums, what was there before).
  /// Tensor cores, which take operands of 16 bits, truncate: twice a rounding's error. Then comes one
  /// rounding to the result's type, below its normal numbers by half the least float16.
  double tolerance(const Sums& right) const {
    const double unit = types.operands == ElementType::float32 ? 0x1p-24 : 0x1p-23;
    const double sum = static_cast<double>(inputs + 1) * unit * right.magnitude;
    return sum + unit_roundoff(types.result) * (std::abs(right.exact) + sum) + 0x1p-25;
  }

  /// Of all rows and columns if they are few. Float32 is held to the rule of low precision too: with many
  /// inputs the tolerance would admit operands of fewer digits.
  std::string difference(const Placed& out, std::int64_t rows) const {
    std::vector<float> all, naive;
    std::vector<double> exact;
    const std::int64_t row_step = inputs * outputs > 100'000 ? 13 : 1;
    const std::int64_t column_step = outputs > 256 ? 37 : 1;
    for (std::int64_t row = 0; row < rows; row += row_step) {
      const std::vector<float> numbers = rows_of(out, row, 1);
      for (std::int64_t column = row % 5; column < outputs; column += column_step) {
        const Sums right = sums(row, column);
        const float ours = numbers[static_cast<std::size_t>(column)];
        if (!(std::abs(ours - right.exact) <= tolerance(right))) {
          return fmt::format("row {}, column {}: {} instead of {}", row, column, ours, right.exact);
        }
        all.push_back(ours);
        naive.push_back(right.naive);
        exact.push_back(right.exact);
      }
    }
    const bool held =
        types.operands != ElementType::float32 || within_twice_naive(all, naive, exact, types.result);
    return held ? "" : "more than twice the error of a loop in float32";
  }
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Inputs, outputs.
std::vector<std::pair<std::int64_t, std::int64_t>> shapes() {
#ifdef MOSAIC_EMULATED_DEVICE
  return {{8, 8}, {24, 40}, {136, 16}, {8, 104}};
#else
  return {{8, 8}, {24, 40}, {768, 1192}, {768, 3072}, {3072, 768}};
#endif
}

/// Each of the first, the middle and the last rows as where `period` rows are all.
void expect_same_rows(const TypesCase& which, const std::vector<std::int64_t>& counts) {
  const std::vector<float> expected = which.rows_of(which.run(period), 0, period);
  for (const std::int64_t rows : counts) {
    const Placed out = which.run(rows);
    for (const std::int64_t repeat : {std::int64_t(0), rows / 2 / period, (rows - 1) / period}) {
      const std::int64_t first = repeat * period, count = std::min(period, rows - first);
      EXPECT_TRUE(same_bits(which.rows_of(out, first, count),
                            {expected.begin(), expected.begin() + count * which.outputs}))
          << which.inputs << " x " << which.outputs << ": rows from " << first << " of " << rows;
    }
  }
}

class MatrixProductOfTypes : public DeviceTest, public ::testing::WithParamInterface<Types> {};

TEST_P(MatrixProductOfTypes, FollowsSumsInDouble) {
  for (const auto& [inputs, outputs] : shapes()) {
    TypesCase which(GetParam(), inputs, outputs);
    for (const bool accumulate : {false, true}) {
      which.accumulate = accumulate;
      for (const std::int64_t rows : {1, 5, 130, 300}) {
        which.offset = rows == 5 ? 16 : 0;
        EXPECT_EQ(which.difference(which.run(rows), rows), "")
            << rows << " x " << inputs << " x " << outputs << (accumulate ? ", accumulates" : "");
      }
    }
  }
}

TEST_P(MatrixProductOfTypes, BitsOfARowDependNotOnOthers) {
  std::vector<std::int64_t> counts = {1, 127, 128, 300};
#ifndef MOSAIC_EMULATED_DEVICE
  counts.insert(counts.end(), {49152, 2 * 49152});
  const std::int64_t in_pieces = (std::int64_t(1) << 30) / 3072 + 300;
  expect_same_rows(TypesCase(GetParam(), 8, 3072), {in_pieces});
#endif
  for (const auto& [inputs, outputs] : shapes()) {
    expect_same_rows(TypesCase(GetParam(), inputs, outputs), counts);
  }
}

TEST_P(MatrixProductOfTypes, NanStaysInItsRow) {
  for (const auto& [inputs, outputs] : shapes()) {
    TypesCase which(GetParam(), inputs, outputs);
    const std::vector<float> clean = which.rows_of(which.run(period), 0, period);
    which.x[static_cast<std::size_t>(70 * inputs + 3)] = NAN;
    const std::vector<float> spoilt = which.rows_of(which.run(period), 0, period);
    for (std::int64_t i = 0; i < period * outputs; ++i) {
      const float ours = spoilt[static_cast<std::size_t>(i)];
      ASSERT_TRUE(i / outputs == 70 ? std::isnan(ours) : ours == clean[static_cast<std::size_t>(i)]) << i;
    }
  }
}

TEST_P(MatrixProductOfTypes, MustFailTwins) {
  const TypesCase right(GetParam(), 24, 40);
  TypesCase other = right;  // a row's first number belongs to the row before
  std::rotate(other.x.begin(), other.x.begin() + 1, other.x.end());
  EXPECT_NE(right.difference(other.run(5), 5), "");
  other = right;
  other.accumulate = true;
  EXPECT_NE(right.difference(other.run(5), 5), "");
}

TEST_P(MatrixProductOfTypes, MustFailWithOperandsOfFewerDigits) {
  const ElementType operands = GetParam().operands;
  // Of 24 (TF32 has 11), 11 and 8.
  const int digits = operands == ElementType::float32 ? 11 : operands == ElementType::float16 ? 7 : 4;
  for (const auto& [inputs, outputs] : shapes()) {
    const TypesCase right(GetParam(), inputs, outputs);
    TypesCase other = right;
    for (float& number : other.weight) {
      int exponent = 0;
      const float fraction = std::frexp(number, &exponent);
      number = std::ldexp(std::nearbyint(std::ldexp(fraction, digits)), exponent - digits);
    }
    // With many inputs the tolerance of operands of 16 bits admits such errors, which cancel.
    if (operands == ElementType::float32 || inputs < 100) {
      EXPECT_NE(right.difference(other.run(130), 130), "") << inputs << " x " << outputs;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, MatrixProductOfTypes,
                         ::testing::Values(Types{ElementType::float16, ElementType::float16},
                                           Types{ElementType::float16, ElementType::float32},
                                           Types{ElementType::bfloat16, ElementType::bfloat16},
                                           Types{ElementType::bfloat16, ElementType::float32},
                                           Types{ElementType::float32, ElementType::float32}),
                         [](const auto& parameter) {
                           const Types types = parameter.param;
                           return fmt::format("{}_to_{}", to_string(types.operands), to_string(types.result));
                         });

}  // namespace
}  // namespace mosaic::kernels
