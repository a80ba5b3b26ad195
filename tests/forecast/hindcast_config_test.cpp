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

/// A complete configuration of the simulated world.
HindcastConfig good_qg3() {
  HindcastConfig config = good();
  config.model.name = "qg3";
  return config;
}

void expect_refused(const HindcastConfig& config, const std::vector<std::string>& parts) {
  const std::string text = problems_of(config);
  for (const std::string& part : parts) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  }
}

TEST(HindcastConfig, KeysOfTheNetworkHaveNoEffectOnTheSimulatedWorld) {
  EXPECT_EQ(problems_of(good_qg3()), "");
  HindcastConfig config = good_qg3();
  config.model.preset = "hres";
  config.model.network = "demo";
  config.model.weights = "formula:x";
  config.model.assets = "elsewhere";
  config.model.norm_stats = "file.npz";
  config.model.precision = "bfloat16";
  config.model.calendar = "exact";
  config.model.verify_weights = "each-initial-time";
  std::vector<std::string> parts;
  for (const char* key : {"model.preset", "model.network", "model.weights", "model.assets",
                          "model.norm_stats", "model.precision", "model.calendar", "model.verify_weights"}) {
    parts.push_back(std::string(key) + " has no effect with model.name qg3");
  }
  expect_refused(config, parts);
}

TEST(HindcastConfig, KeysOfTheSimulatedWorldHaveNoEffectOnOthers) {
  HindcastConfig config = good();
  config.qg3.truncation = 42;
  config.qg3.perturbation = 1e6;
  config.qg3.analysis_error = 1e6;
  config.qg3.analysis_seed = 3;
  config.qg3.relaxation_time = Duration::days(25);
  config.qg3.drag_time = Duration::days(2);
  config.qg3.diffusion_time = Duration::days(2);
  config.qg3.orography_factor = 0.5;
  std::vector<std::string> parts;
  for (const char* key : {"truncation", "perturbation", "analysis_error", "analysis_seed", "relaxation_time",
                          "drag_time", "diffusion_time", "orography_factor"}) {
    parts.push_back(std::string("qg3.") + key + " has no effect with model.name persistence");
  }
  expect_refused(config, parts);
}

TEST(HindcastConfig, TheSimulatedWorldRefusesConflicts) {
  HindcastConfig config = good_qg3();
  config.qg3.truncation = 30;
  expect_refused(config, {"qg3.truncation"});
  config = good_qg3();
  config.step = Duration{5400};
  expect_refused(config, {"forecast.step 90min must be a multiple of the time step of T21, 1h"});
  config.qg3.truncation = 42;
  EXPECT_EQ(problems_of(config), "");
  config = good_qg3();
  config.qg3.analysis_seed = config.ensemble.seed;
  expect_refused(config, {"qg3.analysis_seed 42 must differ from ensemble.seed"});
  config.qg3.analysis_error = 0;
  expect_refused(config, {"qg3.analysis_seed has no effect without qg3.analysis_error"});
  config = good_qg3();
  config.ensemble.noise_file = "draws.npz";
  EXPECT_EQ(problems_of(config), "");
  config.qg3.perturbation = 0;
  expect_refused(config, {"ensemble.noise_file has no effect with model.name qg3 and qg3.perturbation 0"});
}

TEST(HindcastConfig, ParametersOfTheSimulatedWorldAreItsOwnUnlessGiven) {
  for (const int truncation : {21, 42}) {
    Qg3Config config;
    config.truncation = truncation;
    EXPECT_EQ(world::named_values(world_parameters(config)),
              world::named_values(world::parameters_of(truncation)));
    config.relaxation_time = Duration::days(25);
    config.drag_time = Duration::hours(36);
    config.diffusion_time = Duration::days(2);
    config.orography_factor = 0.5;
    const world::Parameters made = world_parameters(config);
    EXPECT_EQ(made.relaxation_days, 25);
    EXPECT_EQ(made.drag_days, 1.5);
    EXPECT_EQ(made.diffusion_days, 2);
    EXPECT_EQ(made.orography_factor, 0.5 * world::parameters_of(truncation).orography_factor);
  }
}

TEST(HindcastConfig, PersistenceHasTheStepThatItIsGiven) {
  HindcastConfig config = good();
  config.step = Duration::hours(12);
  EXPECT_EQ(problems_of(config), "");
  config.model.preset = "hres";
  expect_refused(config, {"model.preset has no effect with model.name persistence and forecast.step"});
  config = good();
  config.model.name = "mosaic";
  config.model.weights = "formula:x";
  config.step = Duration::hours(12);
  expect_refused(config, {"forecast.step has no effect with model.name mosaic"});
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
