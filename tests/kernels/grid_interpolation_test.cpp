#include "kernels/grid_interpolation/grid_interpolation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/numbers.hpp"

namespace mosaic::kernels {
namespace {

/// Letters as in the contract: P sources, Q targets, k neighbours, H heads, D head width.
struct Shape {
  std::int64_t sources, targets, neighbours, heads, width;
};

template <class T>
struct Case {
  Shape shape;
  std::vector<T> t, v, rel;
  std::vector<std::int64_t> index;

  /// Scores of about `score` in size: |rel| is near sqrt(3), as is t before scaling.
  explicit Case(const Shape& s, double score = 1.0, unsigned seed = 1)
      : shape(s),
        t(normal_numbers<T>(size(s.sources * s.heads * 3), seed,
                            score * std::sqrt(static_cast<double>(s.width) / 3))),
        v(normal_numbers<T>(size(s.sources * s.heads * s.width), seed + 1)),
        rel(normal_numbers<T>(size(s.targets * s.neighbours * 3), seed + 2)) {
    std::mt19937_64 bits(seed + 3);
    for (std::int64_t i = 0; i < s.targets * s.neighbours; ++i) {
      index.push_back(static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(s.sources)));
    }
  }
  static std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

  std::vector<T> run(Backend backend, int threads = 1) const {
    std::vector<T> out(size(shape.targets * shape.heads * shape.width), std::nan(""));  // poisoned
    grid_interpolation(
        GridInterpolationArgs<T>{shape.targets, shape.neighbours, shape.heads, shape.width, t.data(),
                                 v.data(), rel.data(), index.data(), out.data(), threads},
        backend);
    return out;
  }

  double largest_score() const {
    double largest = 0;
    for (std::int64_t i = 0; i < shape.targets * shape.neighbours; ++i) {
      for (std::int64_t h = 0; h < shape.heads; ++h) {
        double sum = 0;
        for (int c = 0; c < 3; ++c) {
          sum += std::abs(double(rel[size(3 * i + c)]) * t[size((index[size(i)] * shape.heads + h) * 3 + c)]);
        }
        largest = std::max(largest, sum / std::sqrt(static_cast<double>(shape.width)));
      }
    }
    return largest;
  }

  /// A score takes 6 roundings of numbers below its absolute sum s, so a weight is off by the factor
  /// 1 +- 12 s u, and exp and division add a few u; the sum of k values rounds 2 k times more. u = eps / 2.
  double limit() const {
    double value = 0;
    for (const T x : v) {
      value = std::max(value, std::abs(static_cast<double>(x)));
    }
    const double u = std::numeric_limits<T>::epsilon() / 2;
    return (12 * largest_score() + 4 * static_cast<double>(shape.neighbours) + 8) * u * value;
  }
};

const std::vector<Shape> shapes = {{1, 1, 1, 1, 1},      {5, 3, 1, 1, 4},     {7, 513, 3, 2, 5},
                                   {40, 512, 24, 3, 16}, {9, 1025, 20, 1, 1}, {100, 100, 24, 12, 64},
                                   {3, 2, 8, 5, 7}};

template <class T>
class GridInterpolation : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(GridInterpolation, Types);

template <class T>
void expect_cpu_follows_reference(const Case<T>& which) {
  const auto cpu = which.run(Backend::cpu), truth = which.run(Backend::reference);
  const double limit = which.limit();
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    ASSERT_LE(std::abs(static_cast<double>(cpu[i]) - static_cast<double>(truth[i])), limit)
        << "value " << i << " of " << which.shape.targets << " targets, " << which.shape.heads << " heads";
  }
}

TYPED_TEST(GridInterpolation, CpuFollowsReference) {
  for (const Shape& shape : shapes) {
    expect_cpu_follows_reference(Case<TypeParam>(shape));
  }
}

TYPED_TEST(GridInterpolation, LargeScores) {
  for (const double score : {20.0, 60.0, 2000.0}) {  // exp(2000) overflows unless the largest is taken off
    expect_cpu_follows_reference(Case<TypeParam>({30, 70, 9, 2, 8}, score));
  }
}

/// Against all roundings of the threads' shares.
TYPED_TEST(GridInterpolation, BitsDoNotDependOnThreads) {
  for (const Shape& shape : shapes) {
    const Case<TypeParam> which(shape);
    const auto one = which.run(Backend::cpu, 1);
    for (const int threads : {2, 3, 8}) {
      EXPECT_EQ(which.run(Backend::cpu, threads), one) << threads << " threads";
    }
  }
}

TYPED_TEST(GridInterpolation, OneNeighbourIsCopied) {
  Case<TypeParam> which({6, 4, 1, 2, 3});
  for (const Backend backend : {Backend::reference, Backend::cpu}) {
    const auto out = which.run(backend);
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t c = 0; c < 6; ++c) {
        EXPECT_EQ(out[6 * i + c], which.v[6 * static_cast<std::size_t>(which.index[i]) + c]);
      }
    }
  }
}

TYPED_TEST(GridInterpolation, EqualScoresGiveTheMean) {
  Case<TypeParam> which({4, 1, 4, 1, 1});
  std::fill(which.t.begin(), which.t.end(), TypeParam(2));
  std::fill(which.rel.begin(), which.rel.end(), TypeParam(10));
  which.index = {0, 1, 2, 3};
  which.v = {1, 2, 4, 9};
  EXPECT_EQ(which.run(Backend::reference)[0], 4);
  EXPECT_EQ(which.run(Backend::cpu)[0], 4);
}

/// exp(score difference) in closed form: two neighbours whose scores differ by ln 3, D = 4.
TYPED_TEST(GridInterpolation, WeightsAreTheSoftmaxOfScaledScores) {
  Case<TypeParam> which({2, 1, 2, 1, 4});
  which.index = {1, 0};
  which.rel = {1, 0, 0, 0, 1, 0};
  which.t = {0, 0, 0, static_cast<TypeParam>(2 * std::log(3.0)), 0, 0};
  which.v = {0, 0, 0, 0, 4, 8, -4, 1};
  for (const Backend backend : {Backend::reference, Backend::cpu}) {
    const auto out = which.run(backend);
    const double expected[4] = {3, 6, -3, 0.75};
    for (std::size_t c = 0; c < 4; ++c) {
      EXPECT_NEAR(out[c], expected[c], 32 * std::numeric_limits<TypeParam>::epsilon());
    }
  }
}

/// Sources that no target names may hold anything.
TYPED_TEST(GridInterpolation, UnusedSourcesAreNotRead) {
  Case<TypeParam> which({10, 30, 4, 2, 4});
  for (std::int64_t& source : which.index) {
    source = source / 2 * 2;  // even sources only
  }
  const auto clean_cpu = which.run(Backend::cpu), clean_reference = which.run(Backend::reference);
  for (std::size_t source = 1; source < 10; source += 2) {
    std::fill_n(which.t.begin() + source * 6, 6, std::nan(""));
    std::fill_n(which.v.begin() + source * 8, 8, std::nan(""));
  }
  EXPECT_EQ(which.run(Backend::cpu), clean_cpu);
  EXPECT_EQ(which.run(Backend::reference), clean_reference);
}

}  // namespace
}  // namespace mosaic::kernels
