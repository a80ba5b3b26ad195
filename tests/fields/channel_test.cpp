#include "fields/channel.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/error.hpp"

namespace mosaic {
namespace {

std::string message_of(std::string_view name) {
  try {
    parse_channel(name);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::bad_configuration);
    return error.what();
  }
  return "";
}

TEST(Channels, PublishedOrder) {
  const ChannelSet channels = mosaic_channels();
  ASSERT_EQ(channels.size(), 82U);
  EXPECT_EQ(channels[0].name(), "2m_temperature");
  EXPECT_EQ(channels[3].name(), "mean_sea_level_pressure");
  EXPECT_EQ(channels[4].name(), "geopotential_50");
  EXPECT_EQ(channels[16].name(), "geopotential_1000");
  EXPECT_EQ(channels[17].name(), "specific_humidity_50");
  EXPECT_EQ(channels[81].name(), "vertical_velocity_1000");
}

TEST(Channels, NamesAreReadBack) {
  for (const Channel& channel : mosaic_channels()) {
    EXPECT_EQ(parse_channel(channel.name()), channel);
  }
  EXPECT_EQ(parse_channel("z_500"), (Channel{"geopotential", 500}));
  EXPECT_EQ(parse_channel("t2m"), (Channel{"2m_temperature", std::nullopt}));
  EXPECT_EQ(parse_channel("total_precipitation_24hr"), (Channel{"total_precipitation_24hr", std::nullopt}));
}

TEST(Channels, UnknownNamesAreRefusedWithTheNearest) {
  EXPECT_NE(message_of("temprature_850").find("'temperature_850'"), std::string::npos);
  EXPECT_NE(message_of("2m_temperatur").find("'2m_temperature'"), std::string::npos);
  EXPECT_NE(message_of("geopotential_0").find("1 ... 1100 hPa"), std::string::npos);
  EXPECT_NE(message_of("geopotential_99999999999").find("1 ... 1100 hPa"), std::string::npos);
  EXPECT_NE(message_of("2m_temperature_500").find("2 m above ground"), std::string::npos);
  EXPECT_NE(message_of("geopotential_").find("did you mean"), std::string::npos);
  EXPECT_NE(message_of("").find("did you mean"), std::string::npos);
}

TEST(Variables, AreFoundByBothNamesAndHaveEverything) {
  std::set<std::string> names;
  for (const char* name :
       {"2m_temperature", "10m_u_component_of_wind", "10m_v_component_of_wind", "mean_sea_level_pressure",
        "geopotential", "specific_humidity", "temperature", "u_component_of_wind", "v_component_of_wind",
        "vertical_velocity", "land_sea_mask", "geopotential_at_surface", "soil_type",
        "sea_surface_temperature", "total_precipitation_6hr", "total_precipitation_24hr"}) {
    const VariableInfo* variable = find_variable(name);
    ASSERT_NE(variable, nullptr) << name;
    EXPECT_EQ(find_variable(variable->cf_name), variable);
    EXPECT_TRUE(names.insert(variable->cf_name).second) << variable->cf_name;
    EXPECT_LT(variable->lower, variable->upper);
    EXPECT_FALSE(variable->standard_name.empty() || variable->long_name.empty() || variable->units.empty());
  }
  EXPECT_EQ(find_variable("t2m")->height, 2.0);
  EXPECT_EQ(find_variable("u10")->height, 10.0);
  EXPECT_EQ(find_variable("vertical_velocity")->standard_name, "lagrangian_tendency_of_air_pressure");
  EXPECT_EQ(find_variable("geopotential_height"), nullptr);
}

}  // namespace
}  // namespace mosaic
