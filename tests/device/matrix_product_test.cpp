#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "device/device_arrays.hpp"
#include "fmt/format.h"
#include "kernels/matrix_product/matrix_product_device.hpp"
#include "kernels/numbers.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::int64_t gap = 6;  // numbers between batches that belong to none

/// Operands of products in double on the host, batches `gap` numbers apart.
struct DoubleCase {
  DoubleProductArgs args;
  std::vector<double> x, weight;

  DoubleCase(std::int64_t batches, std::int64_t rows, std::int64_t inputs, std::int64_t outputs) {
    args = {.batches = batches,
            .rows = rows,
            .inputs = inputs,
            .outputs = outputs,
            .x_stride = rows * inputs + gap,
            .weight_stride = outputs * inputs + gap,
            .out_stride = rows * outputs + gap};
    x = normal_numbers<double>(static_cast<std::size_t>(batches * args.x_stride), 1);
    weight = normal_numbers<double>(static_cast<std::size_t>(batches * args.weight_stride), 2);
  }

  /// All numbers of `out`, gaps included.
  std::vector<double> run() const {
    const DeviceMemory device_x = upload_doubles(x), device_weight = upload_doubles(weight);
    const DeviceMemory out = poisoned_doubles(args.batches * args.out_stride);
    DoubleProductArgs on_device = args;
    on_device.x = device_x.as<double>();
    on_device.weight = device_weight.as<double>();
    on_device.out = out.as<double>();
    MatrixProducts products;
    const Stream stream;
    products.run(on_device, stream);
    stream.wait();
    return download_doubles(out);
  }

  /// Sums of `inputs` products: off by at most as many roundings (and one) of the sum of magnitudes.
  std::string difference(const std::vector<double>& out) const {
    for (std::int64_t batch = 0; batch < args.batches; ++batch) {
      for (std::int64_t row = 0; row < args.rows; ++row) {
        for (std::int64_t column = 0; column < args.outputs; ++column) {
          const double* a = &x[static_cast<std::size_t>(batch * args.x_stride + row * args.inputs)];
          const double* b =
              &weight[static_cast<std::size_t>(batch * args.weight_stride + column * args.inputs)];
          long double sum = 0, magnitude = 0;
          for (std::int64_t i = 0; i < args.inputs; ++i) {
            sum += static_cast<long double>(a[i]) * b[i];
            magnitude += std::abs(static_cast<long double>(a[i]) * b[i]);
          }
          const double ours = at(out, batch, row, column);
          const auto error = static_cast<double>(std::abs(ours - sum));
          if (!(error <= static_cast<double>(args.inputs + 1) * 0x1p-53 * static_cast<double>(magnitude))) {
            return fmt::format("batch {}, row {}, column {}: {} instead of {}", batch, row, column, ours,
                               static_cast<double>(sum));
          }
        }
      }
    }
    return "";
  }

  double at(const std::vector<double>& out, std::int64_t batch, std::int64_t row, std::int64_t column) const {
    return out[static_cast<std::size_t>(batch * args.out_stride + row * args.outputs + column)];
  }
};

using DeviceMatrixProduct = DeviceTest;

TEST_F(DeviceMatrixProduct, InDoubleFollowsLoops) {
  for (const std::int64_t batches : {1, 2, 7}) {
    for (const std::int64_t rows : {1, 3, 34, 130}) {
      for (const auto& [inputs, outputs] : {std::pair{8, 8}, {24, 40}, {136, 16}, {248, 248}}) {
        const DoubleCase which(batches, rows, inputs, outputs);
        EXPECT_EQ(which.difference(which.run()), "")
            << batches << " batches, " << rows << " x " << inputs << " x " << outputs;
      }
    }
  }
}

TEST_F(DeviceMatrixProduct, WritesOnlyResults) {
  const DoubleCase which(3, 5, 16, 24);
  const auto out = which.run();
  for (std::int64_t i = 0; i < which.args.batches * which.args.out_stride; ++i) {
    const bool result = i % which.args.out_stride < which.args.rows * which.args.outputs;
    EXPECT_EQ(std::isnan(out[static_cast<std::size_t>(i)]), !result) << i;
  }
}

TEST_F(DeviceMatrixProduct, BitsOfARowDependNeitherOnOthersNorOnBatches) {
  for (const std::int64_t batches : {1, 5}) {
    const DoubleCase large(batches, 67, 248, 40);
    const auto all = large.run();
    for (const std::int64_t rows : {1, 2, 33}) {
      // The same first rows of the first batches.
      const std::int64_t fewer = batches == 1 ? 1 : 2;
      DoubleCase small = large;
      small.args.rows = rows;
      small.args.batches = fewer;
      const auto some = small.run();
      for (std::int64_t i = 0; i < fewer * rows * large.args.outputs; ++i) {
        const std::int64_t batch = i / (rows * large.args.outputs), row = i / large.args.outputs % rows,
                           column = i % large.args.outputs;
        ASSERT_EQ(small.at(some, batch, row, column), large.at(all, batch, row, column))
            << batches << " batches, " << rows << " rows: " << i;
      }
    }
  }
}

TEST_F(DeviceMatrixProduct, NanStaysInItsRow) {
  DoubleCase which(2, 9, 24, 16);
  const auto clean = which.run();
  which.x[static_cast<std::size_t>(which.args.x_stride + 4 * which.args.inputs + 3)] = NAN;
  const auto spoilt = which.run();
  for (std::int64_t i = 0; i < 2 * 9 * 16; ++i) {
    const std::int64_t batch = i / (9 * 16), row = i / 16 % 9, column = i % 16;
    const double ours = which.at(spoilt, batch, row, column);
    EXPECT_TRUE(batch == 1 && row == 4 ? std::isnan(ours) : ours == which.at(clean, batch, row, column)) << i;
  }
}

TEST_F(DeviceMatrixProduct, MustFailTwins) {
  const DoubleCase right(2, 5, 16, 8);
  DoubleCase other = right;
  for (double& number : other.weight) {
    number = static_cast<float>(number);
  }
  EXPECT_NE(right.difference(other.run()), "");
  other = right;  // rows of the second batch one early
  other.x.erase(other.x.begin() + right.args.x_stride - 1);
  other.x.push_back(0);
  EXPECT_NE(right.difference(other.run()), "");
}

TEST_F(DeviceMatrixProduct, RefusesOtherShapes) {
  const auto code = [](const DoubleProductArgs& args) {
    MatrixProducts products;
    return test::code_of([&] { products.run(args, Stream()); });
  };
  EXPECT_EQ(code({.rows = 1, .inputs = 12, .outputs = 8}), ExitCode::internal);
  EXPECT_EQ(code({.rows = 1, .inputs = 8, .outputs = 4}), ExitCode::internal);
  EXPECT_EQ(code({.rows = 0, .inputs = 8, .outputs = 8}), ExitCode::internal);
  EXPECT_EQ(code({.batches = 2, .rows = 1, .inputs = 8, .outputs = 8, .x_stride = 9, .out_stride = 8}),
            ExitCode::internal);
  EXPECT_EQ(code({.batches = 2, .rows = 2, .inputs = 8, .outputs = 8, .out_stride = 8}), ExitCode::internal);
}

}  // namespace
}  // namespace mosaic::kernels
