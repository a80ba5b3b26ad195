#include "fields/state_checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.hpp"

namespace mosaic {
namespace {

constexpr double radians = 3.14159265358979323846 / 180.0;
constexpr double gravity = 9.80665;

/// A mountain range in the northern hemisphere. [m2 s-2]
double orography_at(double latitude, double longitude) {
  return gravity * 3000.0 * std::exp(-std::pow((latitude - 35.0) / 15.0, 2)) *
         (1.0 + std::cos((longitude - 90.0) * radians));
}

/// Something like an atmosphere: warm equator, cold mountains, an isothermal column of 250 K.
float value_of(const Channel& channel, double latitude, double longitude) {
  if (channel.variable == "2m_temperature") {
    const double lapse = 0.0065 * orography_at(latitude, longitude) / gravity;
    return static_cast<float>(300.0 - 40.0 * std::pow(std::sin(latitude * radians), 2) - lapse);
  }
  if (channel.variable == "mean_sea_level_pressure") {
    return static_cast<float>(101300.0 + 1500.0 * std::cos(3.0 * longitude * radians));
  }
  if (channel.variable == "geopotential") {
    return static_cast<float>(287.0 * 250.0 * std::log(1013.0 / *channel.level) - 20.0 * std::abs(latitude));
  }
  if (channel.variable == "specific_humidity") {
    return 0.005F;
  }
  return channel.variable == "temperature" ? 250.0F
                                           : static_cast<float>(10.0 * std::sin(longitude * radians));
}

State plausible_state() {
  State state;
  state.time = parse_time("2020-02-29T12");
  state.grid = std::make_shared<LatLonGrid>(LatLonGrid::with_poles(24, 13));
  state.channels = std::make_shared<ChannelSet>(mosaic_channels());
  for (const Channel& channel : *state.channels) {
    for (const double latitude : state.grid->latitude) {
      for (const double longitude : state.grid->longitude) {
        state.values.push_back(value_of(channel, latitude, longitude));
      }
    }
  }
  return state;
}

std::vector<float> orography_of(const LatLonGrid& grid) {
  std::vector<float> orography;
  for (const double latitude : grid.latitude) {
    for (const double longitude : grid.longitude) {
      orography.push_back(static_cast<float>(orography_at(latitude, longitude)));
    }
  }
  return orography;
}

std::size_t channel_index(const State& state, const std::string& name) {
  const auto& channels = *state.channels;
  const auto found = std::find(channels.begin(), channels.end(), parse_channel(name));
  return static_cast<std::size_t>(found - channels.begin());
}

void expect_one_problem(const State& state, const std::vector<std::string>& parts) {
  const std::vector<std::string> problems = check_state(state);
  ASSERT_EQ(problems.size(), 1U);
  for (const std::string& part : parts) {
    EXPECT_NE(problems[0].find(part), std::string::npos) << problems[0];
  }
}

void flip_latitudes(State& state) {
  const std::size_t columns = state.grid->longitude.size();
  for (std::size_t c = 0; c < state.channels->size(); ++c) {
    const auto field = state.field(c);
    const std::size_t rows = field.size() / columns;
    for (std::size_t row = 0; row < rows / 2; ++row) {
      const auto a = field.subspan(row * columns, columns);
      const auto b = field.subspan((rows - 1 - row) * columns, columns);
      std::swap_ranges(a.begin(), a.end(), b.begin());
    }
  }
}

TEST(StateChecks, APlausibleStateHasNoProblems) {
  const State state = plausible_state();
  EXPECT_TRUE(check_state(state).empty());
  EXPECT_TRUE(check_orientation(state, orography_of(*state.grid)).empty());
}

TEST(StateChecks, NotANumberIsNamedWithItsPlace) {
  State state = plausible_state();
  auto field = state.field(channel_index(state, "temperature_850"));
  field[24 * 6 + 2] = std::numeric_limits<float>::quiet_NaN();
  field[24 * 7] = std::numeric_limits<float>::infinity();
  expect_one_problem(state, {"temperature_850", "2020-02-29T12", "2 of 312", "latitude 0, longitude 30"});
}

TEST(StateChecks, CelsiusIsRefused) {
  State state = plausible_state();
  for (float& value : state.field(channel_index(state, "2m_temperature"))) {
    value -= 273.15F;
  }
  expect_one_problem(state, {"2m_temperature", "312 of 312", "150 ... 350 K", "units"});
}

TEST(StateChecks, HectopascalAndGramsAreRefused) {
  State state = plausible_state();
  for (float& value : state.field(channel_index(state, "mean_sea_level_pressure"))) {
    value /= 100.0F;
  }
  for (float& value : state.field(channel_index(state, "specific_humidity_1000"))) {
    value *= 1000.0F;
  }
  EXPECT_EQ(check_state(state).size(), 2U);
}

TEST(StateChecks, SwappedLevelsAreFound) {
  State state = plausible_state();
  const auto a = state.field(channel_index(state, "geopotential_500"));
  std::swap_ranges(a.begin(), a.end(), state.field(channel_index(state, "geopotential_600")).begin());
  expect_one_problem(state, {"geopotential", "at 600 hPa", "at 500 hPa", "order of the levels"});
}

TEST(StateChecks, UnknownVariableIsAProblem) {
  State state = plausible_state();
  auto channels = *state.channels;
  channels[0].variable = "2m_temperatures";
  state.channels = std::make_shared<ChannelSet>(channels);
  expect_one_problem(state, {"'2m_temperatures' is unknown", "'2m_temperature'"});
}

TEST(StateChecks, FlippedLatitudesAreFound) {
  State state = plausible_state();
  flip_latitudes(state);
  EXPECT_TRUE(check_state(state).empty());  // a flipped state is plausible point by point
  const auto problems = check_orientation(state, orography_of(*state.grid));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_NE(problems[0].find("flipped"), std::string::npos);
}

TEST(StateChecks, NothingIsSaidWithoutMountainsOrTemperature) {
  State state = plausible_state();
  flip_latitudes(state);
  EXPECT_TRUE(check_orientation(state, std::vector<float>(state.grid->points(), 0.0F)).empty());
  const auto orography = orography_of(*state.grid);
  state.channels = std::make_shared<ChannelSet>(state.channels->begin() + 1, state.channels->end());
  state.values.erase(state.values.begin(),
                     state.values.begin() + static_cast<std::ptrdiff_t>(orography.size()));
  EXPECT_TRUE(check_orientation(state, orography).empty());
}

TEST(StateChecks, RefuseArraysThatDoNotFit) {
  State state = plausible_state();
  EXPECT_THROW(check_orientation(state, std::vector<float>(7)), Error);
  state.values.pop_back();
  EXPECT_THROW(check_state(state), Error);
}

}  // namespace
}  // namespace mosaic
