#include <gtest/gtest.h>

#include "device/device_arrays.hpp"
#include "kernels/state_packing/state_packing_device.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

/// Every number is told apart from every other, so that no exchange of axes passes.
struct PackingCase {
  std::size_t members, history, channels, latitudes, longitudes, stride;
  ElementType type = ElementType::float16;
  std::vector<float> states =
      normal_numbers(members * history * size_of_state(), 1, 50, ElementType::float32);
  std::vector<float> mean = normal_numbers(channels, 2, 100, ElementType::float32);
  std::vector<float> deviation = deviations();
  std::vector<float> static_columns = normal_numbers(points() * 6, 4, 1, ElementType::float32);
  std::vector<float> time = {0.5F, -0.25F, 0.125F, 0.875F};
  std::vector<float> y = normal_numbers(members * points() * stride, 5, 1, ElementType::float32);

  std::size_t points() const { return latitudes * longitudes; }
  std::size_t size_of_state() const { return channels * points(); }
  std::vector<float> deviations() const {
    auto values = normal_numbers(channels, 3, 5, ElementType::float32);
    for (float& value : values) {
      value = std::abs(value) + 0.3F;
    }
    return values;
  }
  std::size_t state_index(std::size_t m, std::size_t t, std::size_t c, std::size_t lat,
                          std::size_t lon) const {
    return (((m * history + t) * channels + c) * latitudes + lat) * longitudes + lon;
  }

  std::vector<float> packed() const {
    const auto s = upload(states), a = upload(mean), d = upload(deviation), f = upload(static_columns),
               t = upload(time);
    const auto features = poisoned(members * points() * stride, type);
    const Stream stream;
    pack_features({std::int64_t(members), std::int64_t(history), std::int64_t(channels),
                   std::int64_t(latitudes), std::int64_t(longitudes), std::int64_t(stride), s.as<float>(),
                   a.as<float>(), d.as<float>(), f.as<float>(), t.as<float>(), type, features.data()},
                  stream);
    stream.wait();
    return download(features);
  }

  /// The definition of the features (model.md section 2), exact.
  std::vector<float> expected_features() const {
    std::vector<float> out(members * points() * stride);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t column = i % stride, p = i / stride % points(), m = i / stride / points();
      const std::size_t lon = p / latitudes, lat = p % latitudes, rest = column - history * channels;
      if (column < history * channels) {
        const std::size_t c = column % channels;
        out[i] = (states[state_index(m, column / channels, c, lat, lon)] - mean[c]) / deviation[c];
      } else {
        out[i] = rest < 6 ? static_columns[p * 6 + rest] : rest < 10 ? time[rest - 6] : 0.0F;
      }
      out[i] = rounded(type, out[i]);
    }
    return out;
  }

  std::vector<float> appended() const {
    const auto s = upload(states), a = upload(mean), d = upload(deviation), prediction = upload(y);
    const Stream stream;
    append_state({std::int64_t(members), std::int64_t(history), std::int64_t(channels),
                  std::int64_t(latitudes), std::int64_t(longitudes), std::int64_t(stride),
                  prediction.as<float>(), a.as<float>(), d.as<float>(), s.as<float>()},
                 stream);
    stream.wait();
    return download(s);
  }

  std::vector<float> expected_states() const {
    std::vector<float> out(states.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t lon = i % longitudes, lat = i / longitudes % latitudes, c = i / points() % channels,
                        t = i / size_of_state() % history, m = i / size_of_state() / history;
      out[i] = t + 1 < history
                   ? states[state_index(m, t + 1, c, lat, lon)]
                   : std::fma(y[(m * points() + lon * latitudes + lat) * stride + c], deviation[c], mean[c]);
    }
    return out;
  }
};

/// Sizes below, at and beyond the tiles of 32 longitudes, 64 columns and 32 channels.
const std::vector<PackingCase>& cases() {
  static const std::vector<PackingCase> all = {
      {1, 1, 1, 2, 4, 16},   {2, 2, 82, 3, 33, 192},  {1, 4, 20, 5, 64, 96},
      {3, 2, 27, 4, 32, 64}, {1, 3, 33, 121, 7, 112},
  };
  return all;
}

class StatePacking : public DeviceTest {};

TEST_F(StatePacking, FeaturesAreTheDefinition) {
  for (PackingCase which : cases()) {
    for (const ElementType type : {ElementType::float32, ElementType::float16, ElementType::bfloat16}) {
      which.type = type;
      EXPECT_EQ(which.packed(), which.expected_features()) << which.channels << ' ' << to_string(type);
    }
  }
}

TEST_F(StatePacking, StatesAreTheDefinition) {
  for (const PackingCase& which : cases()) {
    EXPECT_EQ(which.appended(), which.expected_states()) << which.channels;
  }
}

TEST_F(StatePacking, TheSameBitsInEveryOrder) {
  in_all_orders([&] { return cases()[1].packed(); });
  in_all_orders([&] { return cases()[1].appended(); });
}

/// Must fail: latitudes exchanged, the newest state first, a member's states under another's.
TEST_F(StatePacking, WrongVariantsAreSeen) {
  const PackingCase& which = cases()[1];
  const auto features = which.expected_features(), states = which.expected_states();
  PackingCase flipped = which, reversed = which, exchanged = which;
  for (std::size_t i = 0; i < which.states.size(); ++i) {
    const std::size_t lon = i % 33, lat = i / 33 % 3, c = i / 99 % 82, t = i / 99 / 82 % 2, m = i / 99 / 164;
    flipped.states[which.state_index(m, t, c, 2 - lat, lon)] = which.states[i];
    reversed.states[which.state_index(m, 1 - t, c, lat, lon)] = which.states[i];
    exchanged.states[which.state_index(1 - m, t, c, lat, lon)] = which.states[i];
  }
  for (const PackingCase& wrong : {flipped, reversed, exchanged}) {
    EXPECT_NE(wrong.packed(), features);
    EXPECT_NE(wrong.appended(), states);
  }
}

/// States with values out of range at known places; what lies between the members is NaN.
struct RangeCase {
  std::size_t members, channels, points, gap;
  double reach = 4;
  std::vector<float> mean = normal_numbers(channels, 1, 100);
  std::vector<float> deviation = std::vector<float>(channels, 2.5F);
  std::vector<float> states = ordinary_states();

  std::size_t stride() const { return channels * points + gap; }
  float& at(std::size_t m, std::size_t c, std::size_t p) { return states[m * stride() + c * points + p]; }

  /// None of them further than 6 / 2.5 standard deviations from its mean.
  std::vector<float> ordinary_states() const {
    std::vector<float> all(members * stride(), NAN);
    const auto anomalies = normal_numbers(members * channels * points, 2);
    for (std::size_t i = 0; i < anomalies.size(); ++i) {
      const std::size_t m = i / (channels * points), rest = i % (channels * points);
      all[m * stride() + rest] = mean[rest / points] + anomalies[i];
    }
    return all;
  }

  std::vector<float> counted() const {
    const auto s = upload(states), a = upload(mean), d = upload(deviation);
    const DeviceMemory counts = upload_integers(std::vector<std::int32_t>(members, -1));
    const Stream stream;
    count_out_of_range(
        {std::int64_t(members), std::int64_t(channels), std::int64_t(points), s.as<float>(),
         std::int64_t(stride()), a.as<float>(), d.as<float>(), reach, counts.as<std::int32_t>()},
        stream);
    stream.wait();
    const auto integers = download_integers(counts);
    return {integers.begin(), integers.end()};
  }

  /// The definition.
  std::vector<float> expected() const {
    std::vector<float> counts(members);
    for (std::size_t i = 0; i < members * channels * points; ++i) {
      const std::size_t m = i / (channels * points), rest = i % (channels * points), c = rest / points;
      const double x = states[m * stride() + rest];
      counts[m] += std::isfinite(x) && std::abs(x - mean[c]) <= reach * deviation[c] ? 0 : 1;
    }
    return counts;
  }
};

/// Numbers of points below, at and beyond warps, blocks and the unrolled loop.
const std::vector<RangeCase>& range_cases() {
  static const std::vector<RangeCase> all = {
      {1, 1, 1, 0}, {3, 5, 31, 7}, {2, 82, 256, 0}, {7, 3, 1025, 1}, {2, 4, 257, 4096}};
  return all;
}

TEST_F(StatePacking, OrdinaryStatesAreInRange) {
  for (const RangeCase& which : range_cases()) {
    EXPECT_EQ(which.counted(), std::vector<float>(which.members)) << which.points;
  }
}

TEST_F(StatePacking, EachValueOutOfRangeIsCountedInItsMember) {
  for (const RangeCase& ordinary : range_cases()) {
    const std::size_t m = ordinary.members / 2, c = ordinary.channels / 2;
    for (const float value : {NAN, INFINITY, -INFINITY, ordinary.mean[c] + 11, ordinary.mean[c] - 11}) {
      for (const std::size_t p : {std::size_t(0), ordinary.points / 2, ordinary.points - 1}) {
        RangeCase which = ordinary;
        which.at(m, c, p) = value;
        EXPECT_EQ(which.counted(), which.expected()) << which.points << ' ' << value;
        EXPECT_EQ(which.counted()[m], 1);
        which.reach = HUGE_VAL;  // only what is not finite
        EXPECT_EQ(which.counted(), which.expected()) << which.points << ' ' << value;
        EXPECT_EQ(which.counted()[m], std::isfinite(value) ? 0 : 1);
      }
    }
  }
}

TEST_F(StatePacking, TheBoundIsComparedInDouble) {
  RangeCase which{2, 2, 40, 0};
  which.mean = {2, 2};
  which.deviation = {0.1F, 3};  // float32 of 0.1: 4 times it is no float32
  which.states = which.ordinary_states();
  which.reach = 30;
  for (std::size_t p = 0; p < which.points; ++p) {
    which.at(0, 0, p) = which.at(1, 0, p) = 2;
  }
  which.at(0, 1, 5) = 92;
  which.at(1, 1, 5) = std::nextafter(92.0F, 93.0F);
  EXPECT_EQ(which.counted(), (std::vector<float>{0, 1}));
  // 2 + 30 * 0.1F = 5.0000000447: the float32 behind 5 lies beyond it, 5 does not.
  which.at(0, 0, 7) = 5;
  which.at(1, 0, 7) = std::nextafter(5.0F, 6.0F);
  EXPECT_EQ(which.counted(), (std::vector<float>{0, 2}));
}

TEST_F(StatePacking, ManyOutOfRangeCountTheSameInEveryOrder) {
  RangeCase which = range_cases()[3];
  which.reach = 0.3;
  EXPECT_EQ(which.counted(), which.expected());
  EXPECT_GT(which.counted()[0], 100);
  in_all_orders([&] { return which.counted(); });
  // Must fail: the mean of another channel, members that are not this far apart.
  RangeCase exchanged = which, closer = which;
  std::swap(exchanged.mean[0], exchanged.mean[1]);
  closer.gap = 0;
  EXPECT_NE(exchanged.counted(), which.counted());
  EXPECT_NE(closer.counted(), which.counted());
}

TEST_F(StatePacking, MisfitsAreNamed) {
  std::string message;
  EXPECT_EQ(test::code_of(
                [&] {
                  pack_features({1, 2, 82, 3, 3, 168}, Stream());
                },
                &message),
            ExitCode::internal);
  EXPECT_NE(message.find("rows of 168 for 174 columns"), std::string::npos) << message;
  EXPECT_EQ(test::code_of(
                [&] {
                  append_state({1, 2, 82, 3, 3, 81}, Stream());
                },
                &message),
            ExitCode::internal);
  EXPECT_NE(message.find("rows of 81 for 82 channels"), std::string::npos) << message;
  EXPECT_EQ(test::code_of(
                [&] {
                  count_out_of_range({2, 82, 9, nullptr, 737}, Stream());
                },
                &message),
            ExitCode::internal);
  EXPECT_NE(message.find("82 x 9 values, 737 apart"), std::string::npos) << message;
}

}  // namespace
}  // namespace mosaic::kernels
