#include "kernels/grid_interpolation/grid_interpolation.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "device/device_arrays.hpp"
#include "kernels/grid_interpolation/grid_interpolation_device.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::int64_t width = 64;

struct Shape {
  std::int64_t members, sources, targets, neighbours, heads;
};

std::size_t size(std::int64_t count) { return static_cast<std::size_t>(count); }

struct Case {
  Shape shape;
  ElementType type;
  std::int64_t t_stride;
  std::vector<float> t, v, rel;
  std::vector<std::int32_t> index;

  /// Scores of about `score` in size.
  Case(const Shape& s, ElementType element, float score = 1)
      : shape(s),
        type(element),
        t_stride(3 * s.heads + 5),
        t(normal_numbers(size(s.members * s.sources * t_stride), 1, 8 * score / std::sqrt(3.0F))),
        v(normal_numbers(size(s.members * s.sources * s.heads * width), 2, 1, element)),
        rel(normal_numbers(size(s.targets * s.neighbours * 3), 3)) {
    std::mt19937_64 random(4);
    for (std::int64_t i = 0; i < s.targets * s.neighbours; ++i) {
      index.push_back(static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(s.sources)));
    }
  }

  /// By the contract of the host, one member after the other.
  std::vector<double> exact() const {
    const std::vector<std::int64_t> sources(index.begin(), index.end());
    const std::vector<double> positions(rel.begin(), rel.end());
    const std::int64_t numbers = shape.heads * width;
    std::vector<double> out(size(shape.members * shape.targets * numbers));
    for (std::int64_t m = 0; m < shape.members; ++m) {
      const auto first = v.begin() + m * shape.sources * numbers;
      const std::vector<double> values(first, first + shape.sources * numbers);
      std::vector<double> vectors;
      for (std::int64_t p = 0; p < shape.sources; ++p) {
        const auto row = t.begin() + (m * shape.sources + p) * t_stride;
        vectors.insert(vectors.end(), row, row + 3 * shape.heads);
      }
      GridInterpolationArgs<double> args;
      args.targets = shape.targets;
      args.neighbours = shape.neighbours;
      args.heads = shape.heads;
      args.head_width = width;
      args.t = vectors.data();
      args.v = values.data();
      args.rel = positions.data();
      args.index = sources.data();
      args.out = out.data() + m * shape.targets * numbers;
      grid_interpolation_reference(args);
    }
    return out;
  }

  /// With the published roundings: products, weights and weighted values as `type`, sums and softmax float32.
  std::vector<float> naive() const {
    const auto round = [&](float number) { return rounded(type, number); };
    std::vector<float> out;
    std::vector<float> weights(size(shape.neighbours));
    for (std::int64_t i = 0; i < shape.members * shape.targets; ++i) {
      const std::int64_t member = i / shape.targets, target = i % shape.targets;
      for (std::int64_t h = 0; h < shape.heads; ++h) {
        const auto source = [&](std::int64_t j) {
          return member * shape.sources + index[size(target * shape.neighbours + j)];
        };
        float sum = 0;
        for (std::int64_t j = 0; j < shape.neighbours; ++j) {
          const float* at = &t[size(source(j) * t_stride + 3 * h)];
          const float* from = &rel[size((target * shape.neighbours + j) * 3)];
          weights[size(j)] = (round(from[0] * at[0]) + round(from[1] * at[1]) + round(from[2] * at[2])) / 8;
        }
        const float largest = *std::max_element(weights.begin(), weights.end());
        for (float& weight : weights) {
          weight = std::exp(weight - largest);
          sum += weight;
        }
        for (std::int64_t d = 0; d < width; ++d) {
          float total = 0;
          for (std::int64_t j = 0; j < shape.neighbours; ++j) {
            total +=
                round(round(weights[size(j)] / sum) * v[size((source(j) * shape.heads + h) * width + d)]);
          }
          out.push_back(round(total));
        }
      }
    }
    return out;
  }

  std::vector<float> run() const {
    const auto device_t = upload(t), device_rel = upload(rel), device_v = upload(v, type);
    const auto device_index = upload_integers(index);
    const auto out = poisoned(size(shape.members * shape.targets * shape.heads * width), type);
    const Stream stream;
    grid_interpolation({.members = shape.members,
                        .sources = shape.sources,
                        .targets = shape.targets,
                        .neighbours = shape.neighbours,
                        .heads = shape.heads,
                        .t = device_t.as<float>(),
                        .t_stride = t_stride,
                        .type = type,
                        .v = device_v.data(),
                        .rel_pos = device_rel.as<float>(),
                        .index = device_index.as<std::int32_t>(),
                        .out = out.data()},
                       stream);
    stream.wait();
    return download(out);
  }

  Case alone(std::int64_t m) const {
    Case one = *this;
    one.shape.members = 1;
    const auto cut = [&](std::vector<float>& values) {
      const auto part = static_cast<std::ptrdiff_t>(values.size()) / shape.members;
      values = std::vector<float>(values.begin() + m * part, values.begin() + (m + 1) * part);
    };
    cut(one.t);
    cut(one.v);
    return one;
  }
};

constexpr ElementType types[] = {ElementType::float16, ElementType::bfloat16, ElementType::float32};

using DeviceGridInterpolation = DeviceTest;

TEST_F(DeviceGridInterpolation, FollowsItsFormula) {
  const Shape shapes[] = {
      {1, 1, 1, 1, 1}, {2, 9, 65, 3, 1}, {3, 30, 130, 20, 5}, {1, 40, 64, 24, 12}, {1, 90, 3, 64, 4}};
  for (const Shape& shape : shapes) {
    for (const ElementType type : types) {
      const Case all(shape, type);
      const auto exact = all.exact();
      const auto naive = all.naive();
      const auto ours = all.run();
      EXPECT_TRUE(within_twice_naive(ours, naive, exact, type))
          << to_string(type) << " targets " << shape.targets << ", neighbours " << shape.neighbours << ": "
          << distance(ours, exact) << ", naive " << distance(naive, exact) << " of " << norm(exact);
    }
  }
}

TEST_F(DeviceGridInterpolation, LargeAndEqualScores) {
  for (const float score : {0.0F, 20.0F}) {  // up to +-60
    for (const ElementType type : types) {
      const Case all({1, 20, 70, 24, 3}, type, score);
      EXPECT_TRUE(within_twice_naive(all.run(), all.naive(), all.exact(), type))
          << to_string(type) << ", scores " << score;
    }
  }
}

TEST_F(DeviceGridInterpolation, AMemberHasTheSameBitsAlone) {
  for (const ElementType type : types) {
    const Case all({3, 20, 70, 20, 4}, type);
    const auto together = all.run();
    for (std::int64_t m = 0; m < 3; ++m) {
      const auto part = static_cast<std::ptrdiff_t>(together.size() / 3);
      const std::vector<float> expected(together.begin() + m * part, together.begin() + (m + 1) * part);
      EXPECT_EQ(all.alone(m).run(), expected) << to_string(type) << ", member " << m;
    }
  }
}

TEST_F(DeviceGridInterpolation, SameBitsInEveryOrder) {
  const Case all({2, 20, 70, 20, 6}, ElementType::float16);
  in_all_orders([&] { return all.run(); });
}

TEST_F(DeviceGridInterpolation, MustFailTwins) {
  for (const ElementType type : types) {
    const Case all({2, 20, 70, 20, 4}, type);
    const auto exact = all.exact();
    const auto naive = all.naive();
    Case other_member = all;
    std::rotate(other_member.t.begin(),
                other_member.t.begin() + static_cast<std::ptrdiff_t>(other_member.t.size() / 2),
                other_member.t.end());
    EXPECT_FALSE(within_twice_naive(other_member.run(), naive, exact, type)) << "t of the other member";
    Case shifted = all;
    std::rotate(shifted.rel.begin(), shifted.rel.begin() + 3, shifted.rel.end());
    EXPECT_FALSE(within_twice_naive(shifted.run(), naive, exact, type)) << "position of the next neighbour";
  }
}

TEST_F(DeviceGridInterpolation, RefusesOtherShapes) {
  const auto code = [](const DeviceInterpolationArgs& args) {
    return test::code_of([&] { grid_interpolation(args, Stream()); });
  };
  EXPECT_EQ(code({}), ExitCode::internal);
  EXPECT_EQ(code({.members = 1, .sources = 1, .targets = 1, .neighbours = 65, .heads = 1, .t_stride = 3}),
            ExitCode::internal);
  EXPECT_EQ(code({.members = 1, .sources = 1, .targets = 1, .neighbours = 1, .heads = 2, .t_stride = 3}),
            ExitCode::internal);
}

}  // namespace
}  // namespace mosaic::kernels
