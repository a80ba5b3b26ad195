#include "eval/derived_fields.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <string>

#include "base/error.hpp"
#include "eval/earth.hpp"

namespace mosaic::eval {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
/// Relative: sources and result are rounded to float32, a few times 2^-24 each way.
constexpr double rounding = 4e-7;

using Fields = std::map<std::string, std::vector<float>>;  // channel name -> [lat, lon]

std::vector<int> levels_in(const Fields& fields) {
  std::vector<int> levels;
  for (const auto& [name, field] : fields) {
    if (const auto level = parse_channel(name).level) {
      levels.push_back(*level);
    }
  }
  return levels;
}

/// The variable from those of its sources that are among `fields`; empty if they are not enough.
std::vector<float> derived(const std::string& name, const Fields& fields, const LatLonGrid& grid) {
  const Channel wanted = parse_channel(name);
  const auto has = [&](const Channel& channel) { return fields.contains(channel.name()); };
  const auto sources = sources_of(wanted, has, levels_in(fields));
  if (!sources) {
    return {};
  }
  std::vector<const float*> pointers;
  for (const Channel& source : *sources) {
    pointers.push_back(fields.at(source.name()).data());
  }
  return derive(wanted, *sources, pointers, grid);
}

template <class Function>
std::vector<float> field_of(const LatLonGrid& grid, Function function) {
  std::vector<float> field;
  for (const double latitude : grid.latitude) {
    for (const double longitude : grid.longitude) {
      field.push_back(static_cast<float>(function(latitude, longitude)));
    }
  }
  return field;
}

std::vector<float> constant(const LatLonGrid& grid, double value) {
  return field_of(grid, [&](double, double) { return value; });
}

const LatLonGrid one_point{{45.0}, {0.0}};

TEST(DerivedFields, OppositeWindsHaveTheSameSpeed) {
  for (const std::string level : {"", "_850"}) {
    const std::string prefix = level.empty() ? "10m_" : "";
    const auto speed = [&](float u, float v) {
      return derived(
          prefix + "wind_speed" + level,
          {{prefix + "u_component_of_wind" + level, {u}}, {prefix + "v_component_of_wind" + level, {v}}},
          one_point);
    };
    EXPECT_EQ(speed(3, -4), std::vector<float>{5});
    EXPECT_EQ(speed(-3, 4), std::vector<float>{5});
    EXPECT_TRUE(std::isnan(speed(nan, 4)[0]));
  }
}

TEST(DerivedFields, GeostrophicWindOfASlope) {
  const LatLonGrid grid{{44, 45, 46}, {0, 90, 180, 270}};
  const Fields slope = {{"geopotential_500", field_of(grid, [](double lat, double) { return 1000 * lat; })}};
  for (const std::string definition : {"", "_wb2"}) {
    const auto u = derived("u_component_of_geostrophic_wind" + definition + "_500", slope, grid);
    const auto v = derived("v_component_of_geostrophic_wind" + definition + "_500", slope, grid);
    const auto speed = derived("geostrophic_wind_speed" + definition + "_500", slope, grid);
    EXPECT_NEAR(u[4], -87.25534117035237, 87 * rounding);
    EXPECT_EQ(v[4], 0);
    EXPECT_EQ(speed[4], -u[4]);
    Fields winds = slope;
    winds["u_component_of_wind_500"] = u;
    winds["v_component_of_wind_500"] = constant(grid, 3);
    EXPECT_NEAR(derived("u_component_of_ageostrophic_wind" + definition + "_500", winds, grid)[4], 0, 1e-5);
    EXPECT_EQ(derived("v_component_of_ageostrophic_wind" + definition + "_500", winds, grid)[4], 3);
    EXPECT_NEAR(derived("ageostrophic_wind_speed" + definition + "_500", winds, grid)[4], 3, 1e-5);
  }
}

TEST(DerivedFields, GeostrophicWindIsUndefinedAtTheEquatorAlone) {
  const LatLonGrid grid = LatLonGrid::with_poles(8, 5);
  const Fields wave = {{"geopotential_500", field_of(grid, [](double lat, double lon) {
                          return 100 * lat + 10 * lon * (360 - lon);
                        })}};
  const auto u = derived("u_component_of_geostrophic_wind_500", wave, grid);
  const auto wb2 = derived("u_component_of_geostrophic_wind_wb2_500", wave, grid);
  for (std::size_t i = 0; i < u.size(); ++i) {
    EXPECT_EQ(std::isnan(u[i]), i / 8 == 2) << i;
    EXPECT_EQ(std::isinf(wb2[i]), i / 8 == 2) << i;
  }
}

// df/dx at 60 degrees north, from the vorticity of a northward wind.
TEST(DerivedFields, LongitudesArePeriodicButNotInWeatherbench) {
  const LatLonGrid grid{{0, 60}, {0, 90, 180, 270}};
  const Fields winds = {{"u_component_of_wind_500", constant(grid, 0)},
                        {"v_component_of_wind_500", {0, 1, 0, -1, 0, 1, 0, -1}}};
  const double slope = 1.999590961500059e-07;
  const auto wb2 = derived("vorticity_wb2_500", winds, grid);
  const auto ours = derived("vorticity_500", winds, grid);
  const std::vector<double> expected_wb2 = {slope, 0, -slope, -slope};
  const std::vector<double> expected = {slope, 0, -slope, 0};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(wb2[4 + i], expected_wb2[i], slope * rounding) << i;
    EXPECT_NEAR(ours[4 + i], expected[i], slope * rounding) << i;
  }
}

// u = U cos(latitude): vorticity 2 U sin(latitude) / R. The centred difference of cos^2 over 2 h brings the
// factor sin(2h) / (2h); the cap of a pole gives U (1 + cos h) / R.
TEST(DerivedFields, SolidBodyRotation) {
  const LatLonGrid grid = LatLonGrid::with_poles(240, 121);
  constexpr double speed = 20;
  const Fields winds = {{"u_component_of_wind_500",
                         field_of(grid, [](double lat, double) { return speed * cos_degrees(lat); })},
                        {"v_component_of_wind_500", constant(grid, 0)}};
  const auto vorticity = derived("vorticity_500", winds, grid);
  const auto divergence = derived("divergence_500", winds, grid);
  const double h = to_radians(1.5);
  const double scale = speed / earth_radius;
  for (std::size_t j = 0; j < 121; ++j) {
    const bool pole = j == 0 || j == 120;
    const double sine = sin_degrees(grid.latitude[j]);
    const double expected = scale * sine * (pole ? 1 + std::cos(h) : 2 * std::sin(2 * h) / (2 * h));
    // Differences of winds rounded to 2^-24 over 2 h.
    EXPECT_NEAR(vorticity[j * 240], expected, 2 * scale * (rounding + 0x1p-23 / (2 * h))) << j;
    EXPECT_NEAR(divergence[j * 240], 0, 1e-12) << j;
    EXPECT_NEAR(vorticity[j * 240], 2 * scale * sine, 2 * scale * 1e-3) << j;
  }
  const auto wb2 = derived("vorticity_wb2_500", winds, grid);
  EXPECT_NEAR(wb2[80 * 240], scale * sin_degrees(30), scale * 1e-3);  // without the metric term
}

// v = V cos(latitude) blows from pole to pole: divergence -2 V sin(latitude) / R, finite at the poles.
TEST(DerivedFields, OutflowOfThePoles) {
  const LatLonGrid grid = LatLonGrid::with_poles(36, 61);
  const Fields winds = {
      {"u_component_of_wind_500", constant(grid, 0)},
      {"v_component_of_wind_500", field_of(grid, [](double lat, double) { return 10 * cos_degrees(lat); })}};
  const auto divergence = derived("divergence_500", winds, grid);
  for (std::size_t j = 0; j < 61; ++j) {
    const double expected = -20 * sin_degrees(grid.latitude[j]) / earth_radius;
    EXPECT_NEAR(divergence[j * 36], expected, 20 / earth_radius * 4e-3) << j;
  }
}

// A uniform wind over the pole is cos and sin of the longitude there; its vorticity and divergence are 0, but
// for (5 degrees)^2 / 6 of the zonal differences, 10 / (R cos) each.
TEST(DerivedFields, UniformWindOverThePole) {
  const LatLonGrid grid = LatLonGrid::with_poles(72, 181);
  const auto at = [](double lat, double lon, bool east) {
    const double angle = to_radians(lon);
    return east ? -10 * std::sin(angle) : -10 * std::cos(angle) * sin_degrees(lat);
  };
  const Fields winds = {
      {"u_component_of_wind_500", field_of(grid, [&](double a, double o) { return at(a, o, true); })},
      {"v_component_of_wind_500", field_of(grid, [&](double a, double o) { return at(a, o, false); })}};
  for (const char* name : {"vorticity_500", "divergence_500"}) {
    const auto field = derived(name, winds, grid);
    for (std::size_t i = 178 * 72; i < field.size(); ++i) {
      EXPECT_NEAR(field[i], 0, 10 / earth_radius * 0.1) << name << " " << i;
    }
    EXPECT_NEAR(field.back(), 0, 1e-10) << name;
  }
}

TEST(DerivedFields, RelativeHumidityInItsUnit) {
  const Fields air = {{"temperature_850", {288.15F}}, {"specific_humidity_850", {0.005F}}};
  // e_s grows by 6.4 % per K, and 288.15 is rounded by 1.5e-5 K.
  EXPECT_NEAR(derived("relative_humidity_wb2_850", air, one_point)[0], 0.3949100926444804, 2e-6);
  EXPECT_NEAR(derived("relative_humidity_850", air, one_point)[0], 39.49100926444804, 2e-4);
  EXPECT_EQ(find_variable("relative_humidity")->units, "%");
  EXPECT_EQ(find_variable("relative_humidity_wb2")->units, "1");
}

TEST(DerivedFields, LapseRateOfThreeLevels) {
  Fields air = {{"temperature_500", {250}}, {"temperature_700", {270}}, {"temperature_850", {280}}};
  const std::map<int, double> heights = {{500, 5500}, {700, 3000}, {850, 1500}};
  for (const auto& [level, height] : heights) {
    air["geopotential_" + std::to_string(level)] = {static_cast<float>(height * gravity)};
  }
  EXPECT_NEAR(derived("lapse_rate_500", air, one_point)[0], -0.008, 1e-8);
  EXPECT_NEAR(derived("lapse_rate_700", air, one_point)[0], -0.007311827956989248, 1e-8);
  EXPECT_NEAR(derived("lapse_rate_850", air, one_point)[0], -0.006666666666666668, 1e-8);
  EXPECT_TRUE(derived("lapse_rate_600", air, one_point).empty());
  air["temperature_850"] = {nan};
  EXPECT_FALSE(std::isnan(derived("lapse_rate_500", air, one_point)[0]));
  EXPECT_TRUE(std::isnan(derived("lapse_rate_700", air, one_point)[0]));
}

TEST(DerivedFields, ColumnsInSiUnitsAndInWeatherbenchs) {
  Fields air;
  for (const int level : {300, 500, 850, 1000, 200}) {
    const std::string at = "_" + std::to_string(level);
    air["specific_humidity" + at] = {level == 200 ? 1.0F : 0.01F};  // not read above 300 hPa
    air["u_component_of_wind" + at] = {10};
    air["v_component_of_wind" + at] = {0};
  }
  EXPECT_NEAR(derived("integrated_vapor_transport_wb2", air, one_point)[0], 7.135575942915392, 7 * rounding);
  EXPECT_NEAR(derived("integrated_vapor_transport", air, one_point)[0], 713.5575942915392, 713 * rounding);
  const Fields moist = {{"specific_humidity_850", {0.004F}}, {"specific_humidity_500", {0.004F}}};
  EXPECT_NEAR(derived("total_column_water_vapour_wb2", moist, one_point)[0], 0.14271151885830785, rounding);
  EXPECT_NEAR(derived("total_column_water_vapour", moist, one_point)[0], 14.271151885830785, 14 * rounding);
}

TEST(DerivedFields, EddiesOfAColumn) {
  const LatLonGrid grid{{45.0}, {0, 180}};
  Fields winds;
  for (const std::string level : {"_500", "_850"}) {
    winds["u_component_of_wind" + level] = {11, 9};
    winds["v_component_of_wind" + level] = {4, 4};
  }
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(derived("eddy_kinetic_energy_wb2", winds, grid)[i], 175.0F);
    EXPECT_NEAR(derived("eddy_kinetic_energy", winds, grid)[i], 17500 / gravity, 1784 * rounding);
  }
  winds["u_component_of_wind_850"][0] = nan;  // of its zonal mean
  EXPECT_TRUE(std::isnan(derived("eddy_kinetic_energy", winds, grid)[1]));
}

// u = a longitude on the equator has the divergence a / (metres per degree).
TEST(DerivedFields, VerticalVelocityIsTheIntegralOfTheDivergence) {
  const LatLonGrid grid{{-1, 0, 1}, {0, 1, 2, 3}};
  const std::map<int, double> divergences = {{500, 1e-5}, {700, 3e-5}, {850, 1e-5}};
  Fields winds;
  for (const auto& [level, divergence] : divergences) {
    const double slope = divergence * earth_radius * to_radians(1);
    winds["u_component_of_wind_" + std::to_string(level)] =
        field_of(grid, [&](double, double longitude) { return slope * longitude; });
    winds["v_component_of_wind_" + std::to_string(level)] = constant(grid, 0);
  }
  const std::map<int, double> expected = {{500, 0}, {700, -0.4}, {850, -0.7}};
  for (const auto& [level, velocity] : expected) {
    const std::string at = "_" + std::to_string(level);
    EXPECT_NEAR(derived("vertical_velocity_wb2" + at, winds, grid)[5], velocity, 2 * rounding);
    EXPECT_NEAR(derived("vertical_velocity" + at, winds, grid)[5], velocity, 2 * rounding);
  }
}

TEST(DerivedFields, NanSpreadsToNeighboursAlone) {
  const LatLonGrid grid = LatLonGrid::without_poles(8, 6);
  const std::size_t hole = 2 * 8 + 7;
  Fields winds = {{"u_component_of_wind_500", constant(grid, 1)},
                  {"v_component_of_wind_500", constant(grid, 1)}};
  winds["v_component_of_wind_500"][hole] = nan;
  const auto field = derived("vorticity_500", winds, grid);
  for (std::size_t i = 0; i < field.size(); ++i) {
    EXPECT_EQ(std::isnan(field[i]), i == 2 * 8 + 6 || i == 2 * 8) << i;
  }
}

TEST(DerivedFields, SourcesAreNamedOrRefused) {
  const auto has_all = [](const Channel&) { return true; };
  const auto lacks_500 = [](const Channel& channel) { return channel.level != 500; };
  const std::vector<int> levels = {850, 500, 700};
  const ChannelSet pair = {{"u_component_of_wind", 700}, {"v_component_of_wind", 700}};
  EXPECT_EQ(sources_of({"wind_speed", 700}, has_all, levels), pair);
  const ChannelSet column = {{"specific_humidity", 700}, {"specific_humidity", 850}};
  EXPECT_EQ(sources_of({"total_column_water_vapour", std::nullopt}, lacks_500, levels), column);
  EXPECT_FALSE(sources_of({"wind_speed", 500}, lacks_500, levels));
  EXPECT_FALSE(sources_of({"wind_speed", std::nullopt}, has_all, levels));
  EXPECT_FALSE(sources_of({"wind_speed_wb2", 500}, has_all, levels));  // there is but one definition
  EXPECT_FALSE(sources_of({"10m_wind_speed", 500}, has_all, levels));
  EXPECT_FALSE(sources_of({"temperature", 500}, has_all, levels));
  EXPECT_FALSE(sources_of({"eddy_kinetic_energy", std::nullopt}, has_all, std::vector<int>{500}));
  const std::vector<float> field = {1};
  const std::vector<const float*> fields = {field.data(), field.data()};
  EXPECT_THROW(derive({"wind_speed", 500}, {pair[1], pair[0]}, fields, one_point), Error);
  EXPECT_THROW(derive({"wind_speed", 500}, {pair[0]}, fields, one_point), Error);
  EXPECT_THROW(derive({"vorticity", 700}, pair, fields, one_point), Error);
}

TEST(DerivedFields, AllAreInTheTableOfVariables) {
  const auto has_all = [](const Channel&) { return true; };
  const std::vector<int> levels = {500, 850};
  std::size_t known = 0;
  for (const std::string name :
       {"10m_wind_speed", "wind_speed", "vorticity", "divergence", "u_component_of_geostrophic_wind",
        "v_component_of_geostrophic_wind", "geostrophic_wind_speed", "u_component_of_ageostrophic_wind",
        "v_component_of_ageostrophic_wind", "ageostrophic_wind_speed", "relative_humidity", "lapse_rate",
        "vertical_velocity", "total_column_water_vapour", "integrated_vapor_transport",
        "eddy_kinetic_energy"}) {
    for (const std::string& variant : {name, name + "_wb2"}) {
      const bool derivable =
          sources_of({variant, 850}, has_all, levels) || sources_of({variant, std::nullopt}, has_all, levels);
      known += derivable ? 1 : 0;
      EXPECT_EQ(find_variable(variant) != nullptr, derivable) << variant;
    }
  }
  EXPECT_EQ(known, 29U);
}

TEST(Precipitation, IsTheDifferenceOfAccumulations) {
  const std::vector<float> accumulated = {0, 2, 1.5, 4};  // at 0, 6, 12, 18 h
  const auto within = [&](int lead, int window) {
    const auto start = window_start(Duration::hours(lead), Duration::hours(window));
    return start ? accumulated_between({&accumulated[static_cast<std::size_t>(start->in_hours()) / 6], 1},
                                       {&accumulated[static_cast<std::size_t>(lead) / 6], 1})[0]
                 : nan;
  };
  EXPECT_TRUE(std::isnan(within(0, 6)));
  EXPECT_EQ(within(6, 6), 2.0F);
  EXPECT_EQ(within(12, 6), 0.0F);  // never negative
  EXPECT_EQ(within(18, 6), 2.5F);
  EXPECT_TRUE(std::isnan(within(6, 12)));
  EXPECT_EQ(within(12, 12), 1.5F);
  EXPECT_EQ(within(18, 12), 2.0F);
  EXPECT_TRUE(std::isnan(accumulated_between(std::vector<float>{nan}, std::vector<float>{1})[0]));
  EXPECT_EQ(precipitation_window("total_precipitation_24hr"), Duration::hours(24));
  EXPECT_FALSE(precipitation_window("total_precipitation"));
  EXPECT_THROW(accumulated_between(std::vector<float>{1}, std::vector<float>{}), Error);
}

}  // namespace
}  // namespace mosaic::eval
