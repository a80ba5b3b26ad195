#include <gtest/gtest.h>

#include "device/device_arrays.hpp"
#include "kernels/row_norm/row_norm_device.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

constexpr ElementType types[] = {ElementType::float32, ElementType::float16, ElementType::bfloat16};

/// Rows of numbers of very different size: the last is so small that the epsilon counts.
struct NormCase {
  std::size_t rows = 5, width = 768, period = 2;
  ElementType in_type = ElementType::float32, skip_type = ElementType::float16,
              out_type = ElementType::float16;
  bool has_position = true, has_skip = true;
  int norms = 1;
  Activation activation = Activation::none;
  std::vector<float> x = {}, position = {}, skip = {};

  void fill(unsigned seed) {
    const auto numbers = [&](std::size_t count, std::size_t small, unsigned offset, ElementType type) {
      auto values = normal_numbers(count * width, seed + offset, 1.0, type);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const float scale = i / width == small ? 0x1p-11F : i / width == 0 ? 30.0F : 1.0F;
        values[i] = rounded(type, values[i] * scale);
      }
      return values;
    };
    x = numbers(rows, rows - 1, 0, in_type);
    position = numbers(period, (rows - 1) % period, 1, ElementType::float32);
    skip = numbers(rows, rows - 1, 2, skip_type);
  }

  std::vector<float> run() const {
    const auto on_device = upload(x, in_type), out = poisoned(x.size(), out_type);
    const auto more = has_position ? upload(position) : DeviceArray{};
    const auto other = has_skip ? upload(skip, skip_type) : DeviceArray{};
    RowNormArgs args{static_cast<std::int64_t>(rows), static_cast<std::int64_t>(width), in_type,
                     on_device.data()};
    args.position = more.as<float>();
    args.period = static_cast<std::int64_t>(period);
    args.skip_type = skip_type;
    args.skip = other.data();
    args.norms = norms;
    args.activation = activation;
    args.out_type = out_type;
    args.out = out.data();
    const Stream stream;
    row_norm(args, stream);
    stream.wait();
    return download(out);
  }

  /// The formula in `Number`; every result goes through `round`.
  template <class Number, class Round>
  std::vector<Number> evaluated(const Round& round) const {
    std::vector<Number> y(x.size());
    for (std::size_t row = 0; row < rows; ++row) {
      Number* out = &y[row * width];
      for (std::size_t c = 0; c < width; ++c) {
        out[c] = x[row * width + c];
        out[c] = has_position ? round(out[c] + Number(position[row % period * width + c])) : out[c];
        out[c] = has_skip ? round(out[c] + Number(skip[row * width + c])) : out[c];
      }
      for (int n = 0; n < norms; ++n) {
        Number sum = 0;
        for (std::size_t c = 0; c < width; ++c) {
          sum += out[c] * out[c];
        }
        const Number factor = 1 / std::sqrt(sum / Number(width) + Number(0x1p-23));
        for (std::size_t c = 0; c < width; ++c) {
          out[c] = round(out[c] * factor);
        }
      }
      for (std::size_t c = 0; c < width && activation == Activation::silu; ++c) {
        out[c] = round(out[c] / (1 + std::exp(-out[c])));
      }
    }
    return y;
  }
  std::vector<double> exact() const {
    return evaluated<double>([](double value) { return value; });
  }
  std::vector<float> naive() const {
    return evaluated<float>([&](float value) { return rounded(out_type, value); });
  }

  std::string name() const {
    return to_string(in_type) + " + " + to_string(skip_type) + " -> " + to_string(out_type) + ", " +
           std::to_string(rows) + " x " + std::to_string(width) + ", " + std::to_string(norms) + " norms";
  }
};

/// Row by row, so that the largest does not hide the others.
bool agrees(const std::vector<float>& ours, const NormCase& which) {
  const auto exact = which.exact();
  const auto naive = which.naive();
  const auto part = [&](const auto& all, std::size_t row) {
    return std::vector(all.begin() + static_cast<std::ptrdiff_t>(row * which.width),
                       all.begin() + static_cast<std::ptrdiff_t>((row + 1) * which.width));
  };
  bool all = ours.size() == exact.size();
  for (std::size_t row = 0; row < which.rows && all; ++row) {
    all = within_twice_naive(part(ours, row), part(naive, row), part(exact, row), which.out_type);
  }
  return all;
}

class RowNorm : public DeviceTest {};

TEST_F(RowNorm, AllTypesAndNumbersOfNorms) {
  for (const ElementType in : types) {
    for (const ElementType skip : types) {
      for (const ElementType out : types) {
        for (int norms = 0; norms <= 2; ++norms) {
          NormCase which{5, 72, 2, in, skip, out};
          which.norms = norms;
          which.fill(1);
          EXPECT_TRUE(agrees(which.run(), which)) << which.name();
        }
      }
    }
  }
}

/// One warp up to 1280, then two, four and eight; rows that do not fill a thread block.
TEST_F(RowNorm, AllWidths) {
  for (const std::size_t width : {8, 256, 768, 1024, 1280, 1288, 2560, 2568, 3072, 5120, 5128, 10240}) {
    NormCase which{width == 768 ? std::size_t(17) : 3, width, 3};
    which.norms = 2;
    which.activation = Activation::silu;
    which.fill(2);
    EXPECT_TRUE(agrees(which.run(), which)) << which.name();
  }
}

TEST_F(RowNorm, WithoutPositionOrSkip) {
  for (const bool has_position : {false, true}) {
    for (const bool has_skip : {false, true}) {
      NormCase which{9, 64, 4};
      which.has_position = has_position;
      which.has_skip = has_skip;
      which.activation = Activation::silu;
      which.fill(3);
      EXPECT_TRUE(agrees(which.run(), which)) << has_position << has_skip;
    }
  }
}

TEST_F(RowNorm, InPlace) {
  NormCase which{6, 1288, 1, ElementType::float16};
  which.has_position = which.has_skip = false;
  which.fill(4);
  const auto x = upload(which.x, ElementType::float16);
  RowNormArgs args{6, 1288, ElementType::float16, x.data()};
  args.out = x.data();
  const Stream stream;
  row_norm(args, stream);
  stream.wait();
  EXPECT_EQ(download(x), which.run());
}

TEST_F(RowNorm, ARowDependsOnNoOther) {
  NormCase many{11, 2560, 1}, one{1, 2560, 1};
  many.has_position = one.has_position = false;
  many.fill(5);
  one.fill(5);
  const auto all = many.run();
  for (std::size_t row = 0; row < many.rows; ++row) {
    one.x.assign(&many.x[row * 2560], &many.x[row * 2560] + 2560);
    one.skip.assign(&many.skip[row * 2560], &many.skip[row * 2560] + 2560);
    EXPECT_EQ(one.run(), std::vector<float>(&all[row * 2560], &all[row * 2560] + 2560)) << row;
  }
}

TEST_F(RowNorm, TheSameBitsInEveryOrder) {
  NormCase which{4, 2568, 2};
  which.fill(6);
  in_all_orders([&] { return which.run(); });
}

TEST_F(RowNorm, InfinitiesOfSiluStayAway) {
  NormCase which{1,     8,     1, ElementType::float32, ElementType::float16, ElementType::float32,
                 false, false, 0, Activation::silu};
  which.x = {-1e30F, -200, -88, -1, 0, 1, 88, 1e30F};
  const auto y = which.run();
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], 0);
  EXPECT_EQ(y[7], 1e30F);
  EXPECT_NEAR(y[3], -1 / (1 + std::exp(1.0)), 1e-7);
}

/// Must fail: a norm too few, the neighbour's position, the activation forgotten.
TEST_F(RowNorm, WrongVariantsAreSeen) {
  NormCase which{5, 768, 2};
  which.norms = 2;
  which.activation = Activation::silu;
  which.fill(7);
  ASSERT_TRUE(agrees(which.run(), which));
  NormCase one_norm = which, other_position = which, no_silu = which;
  one_norm.norms = 1;
  EXPECT_FALSE(agrees(one_norm.run(), which));
  other_position.period = 1;
  EXPECT_FALSE(agrees(other_position.run(), which));
  no_silu.activation = Activation::none;
  EXPECT_FALSE(agrees(no_silu.run(), which));
}

class RowFactors : public DeviceTest {};

std::vector<float> factors(const std::vector<float>& x, std::size_t rows, ElementType type) {
  const auto on_device = upload(x, type), out = poisoned(rows);
  const Stream stream;
  row_factors({static_cast<std::int64_t>(rows), static_cast<std::int64_t>(x.size() / rows), type,
               on_device.data(), out.as<float>()},
              stream);
  stream.wait();
  return download(out);
}

template <class Number>
std::vector<Number> evaluated_factors(const std::vector<float>& x, std::size_t rows) {
  std::vector<Number> factor;
  const std::size_t width = x.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    Number sum = 0;
    for (std::size_t c = 0; c < width; ++c) {
      sum += Number(x[row * width + c]) * Number(x[row * width + c]);
    }
    factor.push_back(1 / std::sqrt(sum / Number(width) + Number(0x1p-23)));
  }
  return factor;
}

TEST_F(RowFactors, AllTypesAndWidths) {
  for (const ElementType type : types) {
    for (const std::size_t width : {8, 768, 1024, 1280, 1288, 5120}) {
      const std::size_t rows = width == 768 ? 19 : 3;
      const auto x = normal_numbers(rows * width, 8, 3.0, type);
      EXPECT_TRUE(within_twice_naive(factors(x, rows, type), evaluated_factors<float>(x, rows),
                                     evaluated_factors<double>(x, rows), ElementType::float32))
          << to_string(type) << ' ' << width;
    }
  }
}

TEST_F(RowFactors, ZerosGiveTheRootOfTheEpsilon) {
  EXPECT_FLOAT_EQ(factors(std::vector<float>(768, 0.0F), 1, ElementType::float16)[0],
                  static_cast<float>(std::sqrt(0x1p23)));
}

TEST_F(RowFactors, ARowDependsOnNoOther) {
  const auto x = normal_numbers(std::size_t(10) * 1024, 9, 1.0, ElementType::float16);
  const auto all = factors(x, 10, ElementType::float16);
  EXPECT_EQ(factors({x.begin() + 3 * 1024, x.begin() + 4 * 1024}, 1, ElementType::float16)[0], all[3]);
  in_all_orders([&] { return factors(x, 10, ElementType::float16); });
}

TEST_F(RowFactors, MisfitsAreNamed) {
  std::string message;
  for (const std::int64_t width : {0, 12, 10248}) {
    EXPECT_EQ(test::code_of([&] { row_factors({1, width}, Stream()); }, &message), ExitCode::internal);
    EXPECT_NE(message.find("rows of " + std::to_string(width)), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace mosaic::kernels
