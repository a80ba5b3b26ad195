#include <gtest/gtest.h>

#include "device/device_arrays.hpp"
#include "kernels/member_projection/member_projection_device.hpp"

namespace mosaic::kernels {
namespace {

struct ProjectionCase {
  std::size_t members, inputs, outputs;
  std::vector<float> weight = normal_numbers(inputs * outputs, 1, 0.2, ElementType::float32);
  std::vector<float> x = normal_numbers(members * inputs, 2, 1.0, ElementType::float32);

  std::vector<float> run() const {
    const auto w = upload(weight), values = upload(x), out = poisoned(members * outputs);
    const Stream stream;
    member_projection(
        {static_cast<std::int64_t>(members), static_cast<std::int64_t>(inputs),
         static_cast<std::int64_t>(outputs), w.as<float>(), values.as<float>(), out.as<float>()},
        stream);
    stream.wait();
    return download(out);
  }

  template <class Number>
  std::vector<Number> evaluated() const {
    std::vector<Number> out(members * outputs);
    for (std::size_t i = 0; i < out.size(); ++i) {
      for (std::size_t j = 0; j < inputs; ++j) {
        out[i] += Number(weight[i % outputs * inputs + j]) * Number(x[i / outputs * inputs + j]);
      }
    }
    return out;
  }

  bool agrees(const std::vector<float>& ours) const {
    return within_twice_naive(ours, evaluated<float>(), evaluated<double>(), ElementType::float32);
  }
};

class DeviceProjection : public DeviceTest {};

TEST_F(DeviceProjection, ManyShapes) {
  for (const auto& [members, inputs, outputs] : {std::array<std::size_t, 3>{1, 32, 32},
                                                 {3, 32, 300},
                                                 {8, 32, 128},
                                                 {9, 33, 129},
                                                 {24, 5, 127},
                                                 {2, 100, 1},
                                                 {1, 1, 1}}) {
    const ProjectionCase which{members, inputs, outputs};
    EXPECT_TRUE(which.agrees(which.run())) << members << ' ' << inputs << ' ' << outputs;
  }
}

TEST_F(DeviceProjection, AMemberDependsOnNoOther) {
  const ProjectionCase all{11, 32, 200};
  const auto expected = all.run();
  for (std::size_t m = 0; m < all.members; ++m) {
    ProjectionCase one{1, 32, 200};
    one.x.assign(&all.x[m * 32], &all.x[m * 32] + 32);
    EXPECT_EQ(one.run(), std::vector<float>(&expected[m * 200], &expected[m * 200] + 200)) << m;
  }
  in_all_orders([&] { return all.run(); });
}

/// Must fail: a weight that is transposed, members that are exchanged.
TEST_F(DeviceProjection, WrongVariantsAreSeen) {
  const ProjectionCase which{2, 32, 32};
  ProjectionCase transposed = which, exchanged = which;
  for (std::size_t i = 0; i < which.weight.size(); ++i) {
    transposed.weight[i] = which.weight[i % 32 * 32 + i / 32];
  }
  std::swap_ranges(exchanged.x.begin(), exchanged.x.begin() + 32, exchanged.x.begin() + 32);
  EXPECT_TRUE(which.agrees(which.run()));
  EXPECT_FALSE(which.agrees(transposed.run()));
  EXPECT_FALSE(which.agrees(exchanged.run()));
}

}  // namespace
}  // namespace mosaic::kernels
