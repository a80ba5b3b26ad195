#include "kernels/member_projection/member_projection.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/numbers.hpp"

namespace mosaic::kernels {
namespace {

struct Shape {
  std::int64_t members, inputs, outputs;
};

template <class T>
std::vector<T> project(const Shape& s, const std::vector<T>& weight, const std::vector<T>& x) {
  std::vector<T> y(static_cast<std::size_t>(s.members * s.outputs), std::nan(""));  // poisoned
  member_projection(
      MemberProjectionArgs<T>{s.members, s.inputs, s.outputs, weight.data(), x.data(), y.data()});
  return y;
}

template <class T>
class MemberProjection : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(MemberProjection, Types);

TYPED_TEST(MemberProjection, IsTheMatrixProduct) {
  using T = TypeParam;
  for (const Shape& s : {Shape{1, 1, 1}, {1, 32, 32}, {3, 32, 7}, {5, 1, 3}, {4, 33, 1}, {24, 32, 3072}}) {
    const auto weight = normal_numbers<T>(static_cast<std::size_t>(s.outputs * s.inputs), 1);
    const auto x = normal_numbers<T>(static_cast<std::size_t>(s.members * s.inputs), 2);
    const auto y = project<T>(s, weight, x);
    for (std::int64_t m = 0; m < s.members; ++m) {
      for (std::int64_t o = 0; o < s.outputs; ++o) {
        long double sum = 0, size = 0;
        for (std::int64_t i = 0; i < s.inputs; ++i) {
          const long double term = static_cast<long double>(weight[o * s.inputs + i]) * x[m * s.inputs + i];
          sum += term;
          size += std::abs(term);
        }
        // Inputs + 1 roundings in double, one to T.
        const long double limit =
            size * 0x1p-53L * (s.inputs + 1) + std::abs(sum) * std::numeric_limits<T>::epsilon() / 2;
        EXPECT_LE(std::abs(y[m * s.outputs + o] - sum), limit) << s.members << " " << s.inputs << " " << o;
      }
    }
  }
}

TYPED_TEST(MemberProjection, BitsOfAMemberAreThoseItHasAlone) {
  using T = TypeParam;
  const Shape all{9, 32, 129}, one{1, 32, 129};
  const auto weight = normal_numbers<T>(129 * 32, 3);
  const auto x = normal_numbers<T>(9 * 32, 4);
  const auto together = project<T>(all, weight, x);
  for (std::size_t m = 0; m < 9; ++m) {
    const auto alone = project<T>(one, weight, {x.begin() + m * 32, x.begin() + (m + 1) * 32});
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + m * 129)) << m;
  }
}

TYPED_TEST(MemberProjection, SumsInDouble) {
  using T = TypeParam;
  const std::vector<T> weight = {T(1), T(0x1p-30), T(-1)}, x = {1, 1, 1};
  EXPECT_EQ(project<T>({1, 3, 1}, weight, x)[0], T(0x1p-30)) << "lost in a sum of float32";
}

}  // namespace
}  // namespace mosaic::kernels
