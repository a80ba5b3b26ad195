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
}

}  // namespace
}  // namespace mosaic::kernels
