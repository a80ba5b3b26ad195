#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "device/device_arrays.hpp"
#include "kernels/swiglu/swiglu_device.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

/// Letters as in the contract.
struct Shape {
  std::int64_t members, tokens, width, hidden;
};

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

/// h = silu(u) v
template <class Number>
Number gated(Number u, Number v) {
  return u / (1 + std::exp(-u)) * v;
}

/// Inputs as the device holds them, but for the weight: its rows are those of W13.
struct Case {
  Shape shape;
  ElementType type;
  bool has_factor, has_shift;
  std::int64_t shift_stride;
  std::vector<float> x, factor, weight, shift;

  Case(const Shape& s, ElementType element, bool with_factor, bool with_shift)
      : shape(s),
        type(element),
        has_factor(with_factor),
        has_shift(with_shift),
        shift_stride(s.hidden + 32),
        x(normal_numbers(size(s.members * s.tokens * s.width), 1, 2, element)),
        factor(normal_numbers(size(s.members * s.tokens), 2, 0.1F)),
        weight(normal_numbers(size(2 * s.hidden * s.width), 3, 1 / std::sqrt(static_cast<float>(s.width)),
                              element)),
        shift(normal_numbers(size(s.members * shift_stride), 4)) {
    for (float& r : factor) {
      r = 0.5F + std::abs(r);
    }
  }

  float factor_of(std::int64_t row) const { return has_factor ? factor[size(row)] : 1; }
  float shift_of(std::int64_t row, std::int64_t column) const {
    return has_shift ? shift[size(row / shape.tokens * shift_stride + column)] : 0;
  }

  /// combine(row, column, a, b) for all of [B, N, F], where a and b are sums of term(x, weight, row).
  template <class Number, class Term, class Combine>
  std::vector<Number> evaluate(const Term& term, const Combine& combine) const {
    std::vector<Number> out;
    for (std::int64_t row = 0; row < shape.members * shape.tokens; ++row) {
      for (std::int64_t column = 0; column < shape.hidden; ++column) {
        const float* of_x = &x[size(row * shape.width)];
        const float* of_a = &weight[size(column * shape.width)];
        const float* of_b = &weight[size((shape.hidden + column) * shape.width)];
        Number a = 0, b = 0;
        for (std::int64_t k = 0; k < shape.width; ++k) {
          const Number from = term(of_x[k], row);
          a += from * of_a[k];
          b += from * of_b[k];
        }
        out.push_back(combine(row, column, a, b));
      }
    }
    return out;
  }

  std::vector<double> exact() const {
    return evaluate<double>([](float number, std::int64_t) { return number; },
                            [&](std::int64_t row, std::int64_t column, double a, double b) {
                              const double r = factor_of(row);
                              return gated(r * a + shift_of(row, column), r * b);
                            });
  }

  /// One operation after the other, each rounded, the sums of the products in float32.
  std::vector<float> naive() const {
    const auto round = [&](float number) { return rounded(type, number); };
    return evaluate<float>([&](float number, std::int64_t row) { return round(factor_of(row) * number); },
                           [&](std::int64_t row, std::int64_t column, float a, float b) {
                             const float u = round(round(a) + round(shift_of(row, column)));
                             return round(round(u / (1 + std::exp(-u))) * round(b));
                           });
  }

  std::vector<float> interleaved() const {
    std::vector<float> result(weight.size());
    for (std::int64_t row = 0; row < 2 * shape.hidden; ++row) {
      std::copy_n(weight.begin() + row * shape.width, shape.width,
                  result.begin() + interleaved_row(row, shape.hidden) * shape.width);
    }
    return result;
  }

  std::vector<float> run(SwigluBody body) const { return run(body, interleaved(), shift); }
  std::vector<float> run(SwigluBody body, const std::vector<float>& rows,
                         const std::vector<float>& shifts) const {
    const auto device_x = upload(x, type), device_rows = upload(rows, type);
    const auto device_factor = upload(factor), device_shift = upload(shifts);
    const auto out = poisoned(size(shape.members * shape.tokens * shape.hidden), type);
    const Stream stream;
    swiglu({.members = shape.members,
            .tokens = shape.tokens,
            .width = shape.width,
            .hidden = shape.hidden,
            .type = type,
            .x = device_x.data(),
            .row_factor = has_factor ? device_factor.as<float>() : nullptr,
            .weight = device_rows.data(),
            .shift = has_shift ? device_shift.as<float>() : nullptr,
            .shift_stride = shift_stride,
            .hidden_out = out.data()},
           body, stream);
    stream.wait();
    return download(out);
  }

  /// Member m of this case as a case of its own.
  Case alone(std::int64_t m) const {
    Case one = *this;
    one.shape.members = 1;
    const auto cut = [&](std::vector<float>& values) {
      const auto part = static_cast<std::ptrdiff_t>(values.size()) / shape.members;
      values = std::vector<float>(values.begin() + m * part, values.begin() + (m + 1) * part);
    };
    cut(one.x);
    cut(one.factor);
    cut(one.shift);
    return one;
  }
};

std::vector<SwigluBody> bodies() {
  if (has_hopper_bodies()) {
    return {SwigluBody::ampere, SwigluBody::hopper};
  }
  return {SwigluBody::ampere};
}

constexpr ElementType types[] = {ElementType::float16, ElementType::bfloat16, ElementType::float32};

using Swiglu = DeviceTest;

TEST_F(Swiglu, FollowsItsFormula) {
  const Shape shapes[] = {{1, 128, 64, 128}, {1, 256, 128, 128}, {3, 128, 64, 128}, {1, 128, 192, 512}};
  int number = 0;
  for (const Shape& shape : shapes) {
    for (const ElementType type : types) {
      const Case all(shape, type, number % 2 == 0, number / 2 % 2 == 0);
      ++number;
      const auto exact = all.exact();
      const auto naive = all.naive();
      for (const SwigluBody body : bodies()) {
        const auto ours = all.run(body);
        EXPECT_TRUE(within_twice_naive(ours, naive, exact, type))
            << to_string(type) << " width " << shape.width << ", body " << static_cast<int>(body) << ": "
            << distance(ours, exact) << ", naive " << distance(naive, exact) << " of " << norm(exact);
      }
    }
  }
}

/// More slices than stages, more tiles than blocks, groups of tiles that are not full.
TEST_F(Swiglu, ManyTilesAndSlices) {
  const Case all({17, 128, 64, 128}, ElementType::float16, true, true);
  const Case wide({1, 128, 576, 128}, ElementType::float16, true, true);
  for (const SwigluBody body : bodies()) {
    EXPECT_TRUE(within_twice_naive(all.run(body), all.naive(), all.exact(), all.type));
    EXPECT_TRUE(within_twice_naive(wide.run(body), wide.naive(), wide.exact(), wide.type));
  }
}

TEST_F(Swiglu, AMemberHasTheSameBitsAlone) {
  for (const ElementType type : types) {
    const Case all({3, 128, 64, 128}, type, true, true);
    for (const SwigluBody body : bodies()) {
      const auto together = all.run(body);
      for (std::int64_t m = 0; m < 3; ++m) {
        const auto part = static_cast<std::ptrdiff_t>(together.size() / 3);
        const std::vector<float> expected(together.begin() + m * part, together.begin() + (m + 1) * part);
        EXPECT_EQ(all.alone(m).run(body), expected) << to_string(type) << ", member " << m;
      }
    }
  }
}

TEST_F(Swiglu, SameBitsInEveryOrder) {
  // Four tiles for the three blocks of the emulated device: six slices of one go through four stages.
  const Case several({1, 256, 192, 256}, ElementType::float16, true, true);
  const Case one({1, 128, 192, 128}, ElementType::float16, true, true);
  for (const SwigluBody body : bodies()) {
    in_all_orders([&] { return (body == SwigluBody::hopper ? several : one).run(body); });
  }
  const Case plain({1, 128, 64, 128}, ElementType::float32, true, true);
  in_all_orders([&] { return plain.run(SwigluBody::automatic); });
}

TEST_F(Swiglu, LargeNumbersStayNumbers) {
  Case large({1, 128, 64, 128}, ElementType::bfloat16, false, false);
  for (float& number : large.x) {
    number = rounded(large.type, 1000 * number);
  }
  for (const SwigluBody body : bodies()) {
    EXPECT_TRUE(within_twice_naive(large.run(body), large.naive(), large.exact(), large.type));
  }
}

TEST_F(Swiglu, MustFailTwins) {
  for (const ElementType type : types) {
    const Case all({2, 128, 64, 128}, type, true, true);
    const auto exact = all.exact();
    const auto naive = all.naive();
    std::vector<float> other_member = all.shift;
    std::rotate(other_member.begin(), other_member.begin() + all.shift_stride, other_member.end());
    for (const SwigluBody body : bodies()) {
      EXPECT_FALSE(within_twice_naive(all.run(body, all.weight, all.shift), naive, exact, type))
          << "weight not interleaved";
      EXPECT_FALSE(within_twice_naive(all.run(body, all.interleaved(), other_member), naive, exact, type))
          << "shift of the other member";
    }
  }
}

TEST_F(Swiglu, RefusesOtherShapes) {
  const auto code = [](const Shape& shape) {
    return test::code_of([&] {
      const Stream stream;
      swiglu({.members = shape.members, .tokens = shape.tokens, .width = shape.width, .hidden = shape.hidden},
             SwigluBody::automatic, stream);
    });
  };
  EXPECT_EQ(code({1, 64, 64, 128}), ExitCode::internal);
  EXPECT_EQ(code({1, 128, 32, 128}), ExitCode::internal);
  EXPECT_EQ(code({1, 128, 64, 64}), ExitCode::internal);
  EXPECT_EQ(code({0, 128, 64, 128}), ExitCode::internal);
}

#ifdef MOSAIC_EMULATED_DEVICE
TEST_F(Swiglu, OlderDevicesGetTheAmpereBody) {
  const Case all({1, 128, 64, 128}, ElementType::float16, true, true);
  const auto expected = all.run(SwigluBody::ampere);
  emulation::settings().capability = 80;
  EXPECT_EQ(all.run(SwigluBody::automatic), expected);
  EXPECT_EQ(test::code_of([&] { all.run(SwigluBody::hopper); }), ExitCode::internal);
}
#endif

}  // namespace
}  // namespace mosaic::kernels
