#include "forecast/hindcast_config.hpp"

#include <gtest/gtest.h>

#include "forecast/forecast_output.hpp"
#include "support/errors.hpp"

namespace mosaic {
namespace {

using test::code_of;

/// A complete configuration of persistence.
HindcastConfig good() {
  HindcastConfig config;
  config.model.name = "persistence";
  config.input.path = "store.zarr";
  config.output.folder = "out";
  config.output.forecasts = true;
  config.times.start = Time{0};
  return config;
}

std::string problems_of(const HindcastConfig& config) {
  std::string message;
  const ExitCode code = code_of([&] { check_consistency(config); }, &message);
  EXPECT_EQ(code, message.empty() ? ExitCode::complete : ExitCode::bad_configuration);
  return message;
}

TEST(HindcastConfig, AGoodOneHasNoProblems) { EXPECT_EQ(problems_of(good()), ""); }

TEST(HindcastConfig, KeysWithoutEffectAreRefusedTogether) {
  HindcastConfig config = good();
  config.output.forecasts = false;
  config.output.deflate = 4;
  config.output.quantize_digits = 3;
  config.output.layout = "member";
  config.truth.member = 2;
  config.times.start.reset();
  config.times.set = "first-720";
  config.times.end = Time{0};
  config.times.step = Duration::hours(6);
  config.model.weights = "formula:x";
  const std::string text = problems_of(config);
  for (const char* key : {"output.deflate", "output.quantize_digits", "output.layout", "truth.member",
                          "times.end", "times.step", "model.weights"}) {
    EXPECT_NE(text.find(std::string(key) + " has no effect"), std::string::npos) << key << " in\n" << text;
  }
  EXPECT_EQ(text.find("output.folder"), std::string::npos) << text;
  EXPECT_EQ(text.find("output.naming"), std::string::npos) << "left at its default";
}

TEST(HindcastConfig, NothingToScoreIsRefusedBeforeAnythingIsForecast) {
  HindcastConfig config = good();
  config.score.channels.clear();
  config.score.regions.clear();
  config.score.spectra.clear();  // which is a choice
  const std::string text = problems_of(config);
  EXPECT_EQ(text.find("score.spectra"), std::string::npos) << text;
  for (const char* key : {"score.channels", "score.regions"}) {
    EXPECT_NE(text.find(std::string(key) + " is empty"), std::string::npos) << key << " in\n" << text;
  }
}

class WriterOptions : public testing::Test {
 protected:
  WriterOptions() {
    model_.name = "persistence";
    model_.channels = std::make_shared<const ChannelSet>(
        ChannelSet{{"2m_temperature", std::nullopt}, {"geopotential", 500}});
  }
  ForecastWriterOptions options() const { return forecast_writer_options(config_, model_, leads_, "out"); }

  HindcastConfig config_ = good();
  ModelInfo model_;
  std::vector<Duration> leads_ = {Duration::hours(24), Duration::hours(48), Duration::hours(72)};
};

TEST_F(WriterOptions, DefaultsWriteEverythingExactly) {
  const ForecastWriterOptions made = options();
  EXPECT_EQ(made.leads, leads_);
  EXPECT_EQ(made.channels, *model_.channels);
  EXPECT_FALSE(made.quantize_digits.has_value());
  EXPECT_TRUE(made.members && !made.mean && !made.spread);
  EXPECT_EQ(made.queue_bytes, ForecastWriterOptions{}.queue_bytes);
}

TEST_F(WriterOptions, EveryKeyOfOutputReachesTheWriter) {
  config_.output.layout = "member";
  config_.output.naming = "wb2";
  config_.output.channels = {"geopotential_500"};
  config_.output.lead_times = {Duration::hours(72), Duration::hours(24), Duration::hours(72)};
  config_.output.products = {"mean", "spread"};
  config_.output.deflate = 7;
  config_.output.quantize_digits = 4;
  config_.output.queue = 3;
  config_.threads = 5;
  const ForecastWriterOptions made = options();
  EXPECT_EQ(made.layout, ForecastLayout::member);
  EXPECT_EQ(made.naming, VariableNaming::wb2);
  EXPECT_EQ(made.channels, (ChannelSet{{"geopotential", 500}}));
  EXPECT_EQ(made.leads, (std::vector<Duration>{Duration::hours(24), Duration::hours(72)}));
  EXPECT_TRUE(!made.members && made.mean && made.spread);
  EXPECT_EQ(made.deflate, 7);
  EXPECT_EQ(made.quantize_digits, 4);
  EXPECT_EQ(made.queue_bytes, std::size_t{3} << 20);
  EXPECT_EQ(made.threads, 5);
}

TEST_F(WriterOptions, LeadTimesAndChannelsOutsideTheForecastAreRefused) {
  config_.output.lead_times = {Duration::hours(6)};
  EXPECT_EQ(code_of([&] { options(); }), ExitCode::bad_configuration);
  config_.output.lead_times.clear();
  config_.output.channels = {"temperature_850"};
  EXPECT_EQ(code_of([&] { options(); }), ExitCode::bad_configuration);
}

}  // namespace
}  // namespace mosaic
