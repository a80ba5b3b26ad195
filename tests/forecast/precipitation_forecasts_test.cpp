#include "forecast/precipitation_forecasts.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "base/error.hpp"
#include "support/errors.hpp"

namespace mosaic {
namespace {

const Channel accumulated = {"total_precipitation", std::nullopt};
const Channel six_hours = {"total_precipitation_6hr", std::nullopt};
const Channel twelve_hours = {"total_precipitation_12hr", std::nullopt};
const Channel temperature = {"2m_temperature", std::nullopt};

/// Two members; accumulations by lead, those of the second member twice the first's; temperature = lead.
class FakeForecasts final : public ForecastStore {
 public:
  explicit FakeForecasts(std::map<Duration, float> amounts)
      : ForecastStore("fake"), amounts_(std::move(amounts)) {
    grid_ = std::make_shared<const LatLonGrid>(LatLonGrid::with_poles(4, 3));
    initial_times_ = {Time{0}};
    member_numbers_ = {0, 1};
    for (const auto& [lead, amount] : amounts_) {
      leads_.push_back(lead);
    }
  }
  bool has_time(Time, Duration lead) const override { return amounts_.contains(lead); }
  bool has(const Channel& channel) const override { return channel == accumulated || channel == temperature; }
  ChannelSet channels() const override { return {accumulated, temperature}; }
  std::vector<float> read(Time, Duration lead, const ChannelSet& channels) override {
    require(has_time({}, lead), ExitCode::missing_input, "fake: no lead {}", to_string(lead));
    std::vector<float> values;
    for (int member = 0; member < 2; ++member) {
      for (const Channel& channel : channels) {
        const float hours = static_cast<float>(lead.in_hours());
        values.insert(values.end(), grid_->points(),
                      channel == temperature ? hours : amounts_.at(lead) * static_cast<float>(member + 1));
      }
    }
    return values;
  }

 private:
  std::map<Duration, float> amounts_;
};

std::unique_ptr<ForecastStore> forecasts(int first_hour) {
  std::map<Duration, float> amounts;
  const float stored[] = {0.0F, 2.0F, 1.5F, 4.0F};
  for (int k = first_hour / 6; k < 4; ++k) {
    amounts[Duration::hours(6 * k)] = stored[k];
  }
  return with_precipitation_windows(std::make_unique<FakeForecasts>(amounts));
}

/// The first point of each member.
std::pair<float, float> at(ForecastStore& store, int hour, const ChannelSet& channels, std::size_t which) {
  const auto values = store.read({}, Duration::hours(hour), channels);
  const std::size_t points = store.grid().points();
  EXPECT_EQ(values.size(), 2 * channels.size() * points);
  return {values[which * points], values[(channels.size() + which) * points]};
}

// Accumulations of 0, 2, 1.5 and 4 at 0, 6, 12 and 18 hours: what is lost by packing is dry.
TEST(PrecipitationForecasts, AreDifferencesOfTwoLeads) {
  const auto store = forecasts(0);
  const ChannelSet wanted = {twelve_hours, temperature, six_hours};
  EXPECT_TRUE(std::isnan(at(*store, 0, wanted, 2).first));
  EXPECT_EQ(at(*store, 6, wanted, 2), (std::pair{2.0F, 4.0F}));
  EXPECT_EQ(at(*store, 12, wanted, 2), (std::pair{0.0F, 0.0F}));
  EXPECT_EQ(at(*store, 18, wanted, 2), (std::pair{2.5F, 5.0F}));
  EXPECT_TRUE(std::isnan(at(*store, 6, wanted, 0).second));
  EXPECT_EQ(at(*store, 12, wanted, 0), (std::pair{1.5F, 3.0F}));
  EXPECT_EQ(at(*store, 18, wanted, 0), (std::pair{2.0F, 4.0F}));
  EXPECT_EQ(at(*store, 18, wanted, 1), (std::pair{18.0F, 18.0F})) << "other channels pass through";
  EXPECT_EQ(at(*store, 18, {accumulated}, 0), (std::pair{4.0F, 8.0F}));
}

TEST(PrecipitationForecasts, NothingHasFallenAtTheInitialTime) {
  const auto store = forecasts(6);  // lead 0 is not stored
  EXPECT_EQ(at(*store, 6, {six_hours}, 0), (std::pair{2.0F, 4.0F}));
  EXPECT_EQ(at(*store, 12, {twelve_hours}, 0), (std::pair{1.5F, 3.0F}));
}

TEST(PrecipitationForecasts, AMissingStartOfAWindowIsNamed) {
  const auto store = forecasts(12);
  std::string message;
  EXPECT_EQ(test::code_of([&] { store->read({}, Duration::hours(12), {six_hours}); }, &message),
            ExitCode::missing_input);
  EXPECT_NE(message.find("6h"), std::string::npos) << message;
}

TEST(PrecipitationForecasts, AreListedOnlyWhereTheyCanBeMade) {
  const auto store = forecasts(0);
  EXPECT_TRUE(store->has(six_hours));
  EXPECT_FALSE(store->has({"total_precipitation_6hr", 500}));
  EXPECT_EQ(store->channels().size(), 5U);
}

}  // namespace
}  // namespace mosaic
