#include "forecast/precipitation_forecasts.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <utility>

#include "base/error.hpp"
#include "eval/derived_fields.hpp"

namespace mosaic {

namespace {

const Channel accumulated = {"total_precipitation", std::nullopt};
constexpr std::array windows = {"total_precipitation_6hr", "total_precipitation_12hr",
                                "total_precipitation_24hr"};

class PrecipitationWindows final : public ForecastStore {
 public:
  explicit PrecipitationWindows(std::unique_ptr<ForecastStore> forecasts)
      : ForecastStore(forecasts->path()), forecasts_(std::move(forecasts)) {
    grid_ = std::make_shared<const LatLonGrid>(forecasts_->grid());
    initial_times_ = forecasts_->initial_times();
    leads_ = forecasts_->leads();
    member_numbers_ = forecasts_->member_numbers();
    identity_ = forecasts_->identity();
  }

  bool has_time(Time initial_time, Duration lead) const override {
    return forecasts_->has_time(initial_time, lead);
  }
  bool has(const Channel& channel) const override { return forecasts_->has(channel) || window_of(channel); }

  ChannelSet channels() const override {
    ChannelSet all = forecasts_->channels();
    for (const char* name : windows) {
      const Channel channel{name, std::nullopt};
      if (window_of(channel) && std::find(all.begin(), all.end(), channel) == all.end()) {
        all.push_back(channel);
      }
    }
    return all;
  }

  std::vector<float> read(Time initial_time, Duration lead, const ChannelSet& channels) override {
    ChannelSet stored;
    for (const Channel& channel : channels) {
      const Channel source = window_of(channel) ? accumulated : channel;
      if (std::find(stored.begin(), stored.end(), source) == stored.end()) {
        stored.push_back(source);
      }
    }
    std::vector<float> now = forecasts_->read(initial_time, lead, stored);
    if (stored == channels) {
      return now;
    }
    const std::size_t points = grid_->points();
    const auto members = static_cast<std::size_t>(this->members());
    std::vector<float> values(members * channels.size() * points);
    for (std::size_t c = 0; c < channels.size(); ++c) {
      const auto window = window_of(channels[c]);
      const auto place = static_cast<std::size_t>(
          std::find(stored.begin(), stored.end(), window ? accumulated : channels[c]) - stored.begin());
      const std::vector<float> before = window ? at_start(initial_time, lead, *window) : std::vector<float>();
      for (std::size_t m = 0; m < members; ++m) {
        const std::span field(&now[(m * stored.size() + place) * points], points);
        float* to = &values[(m * channels.size() + c) * points];
        if (window) {
          const auto fallen = eval::accumulated_between(std::span(before).subspan(m * points, points), field);
          std::copy(fallen.begin(), fallen.end(), to);
        } else {
          std::copy(field.begin(), field.end(), to);
        }
      }
    }
    return values;
  }

 private:
  /// Nothing for a channel that is read as it is.
  std::optional<Duration> window_of(const Channel& channel) const {
    const bool derived = !channel.level && !forecasts_->has(channel) && forecasts_->has(accumulated);
    return derived ? eval::precipitation_window(channel.variable) : std::nullopt;
  }

  /// What had fallen when the window began. Shape: [M, lat, lon].
  std::vector<float> at_start(Time initial_time, Duration lead, Duration window) {
    const std::size_t size = static_cast<std::size_t>(members()) * grid_->points();
    const auto start = eval::window_start(lead, window);
    if (!start) {
      return std::vector<float>(size, std::numeric_limits<float>::quiet_NaN());
    }
    if (start->seconds == 0 && !forecasts_->has_time(initial_time, *start)) {
      return std::vector<float>(size, 0.0F);
    }
    return forecasts_->read(initial_time, *start, {accumulated});
  }

  std::unique_ptr<ForecastStore> forecasts_;
};

}  // namespace

std::unique_ptr<ForecastStore> with_precipitation_windows(std::unique_ptr<ForecastStore> forecasts) {
  return std::make_unique<PrecipitationWindows>(std::move(forecasts));
}

}  // namespace mosaic
