#include "forecast/baseline_forecasts.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// One member, times and leads as they were asked for.
class Baseline : public ForecastStore {
 public:
  Baseline(const std::string& path, const LatLonGrid& grid, std::vector<Time> initial_times,
           std::vector<Duration> leads)
      : ForecastStore(path) {
    grid_ = std::make_shared<const LatLonGrid>(grid);
    initial_times_ = std::move(initial_times);
    leads_ = std::move(leads);
    member_numbers_ = {0};
  }
};

class Persistence final : public Baseline {
 public:
  Persistence(std::vector<PersistentMember> members, std::vector<Time> initial_times,
              std::vector<Duration> leads)
      : Baseline(members.front().states->path(), members.front().states->grid(), std::move(initial_times),
                 std::move(leads)),
        members_(std::move(members)) {
    member_numbers_.clear();
    for (const PersistentMember& member : members_) {
      member_numbers_.push_back(member.number);
    }
    identity_ = fmt::format("persistence of members {} of {}", fmt::join(member_numbers_, ", "),
                            members_.front().states->identity());
  }

  bool has_time(Time initial_time, Duration) const override {
    return members_.front().states->has_time(initial_time);
  }
  bool has(const Channel& channel) const override { return members_.front().states->has(channel); }
  ChannelSet channels() const override { return {}; }  // whatever the store has

  std::vector<float> read(Time initial_time, Duration, const ChannelSet& channels) override {
    const auto wanted = std::make_shared<const ChannelSet>(channels);
    std::vector<float> values;
    for (const PersistentMember& member : members_) {
      const State state = member.states->read(initial_time, wanted);
      values.insert(values.end(), state.values.begin(), state.values.end());
    }
    return values;
  }

 private:
  std::vector<PersistentMember> members_;
};

class Climatology final : public Baseline {
 public:
  Climatology(ClimatologyStore& climatology, std::vector<Time> initial_times, std::vector<Duration> leads)
      : Baseline(climatology.path(), climatology.grid(), std::move(initial_times), std::move(leads)),
        climatology_(climatology) {
    identity_ = "climatology " + climatology.identity();
  }

  bool has_time(Time, Duration) const override { return true; }
  bool has(const Channel& channel) const override { return climatology_.has(channel, ClimatologyPart::mean); }
  ChannelSet channels() const override { return climatology_.channels(ClimatologyPart::mean); }

  std::vector<float> read(Time initial_time, Duration lead, const ChannelSet& channels) override {
    const CalendarTime valid = calendar(initial_time + lead);
    return climatology_.read(valid.day_of_year, valid.hour, channels, ClimatologyPart::mean);
  }

 private:
  ClimatologyStore& climatology_;
};

/// The instant of another year at the same day of year and time of day; nothing for a day that it has not.
std::optional<Time> in_year(Time time, int year, LeapDay leap_day) {
  const CalendarTime here = calendar(time);
  const Time first = parse_time(fmt::format("{:04d}-01-01", year));
  if (here.day_of_year > calendar(first).days_in_year && leap_day == LeapDay::missing) {
    return std::nullopt;
  }
  const Duration of_day{here.hour * 3600 + here.minute * 60 + here.second};
  return first + Duration::days(here.day_of_year - 1) + of_day;
}

class Years final : public Baseline {
 public:
  Years(std::unique_ptr<FieldStore> store, std::vector<int> years, LeapDay leap_day,
        std::vector<Time> initial_times, std::vector<Duration> leads)
      : Baseline(store->path(), store->grid(), std::move(initial_times), std::move(leads)),
        store_(std::move(store)),
        leap_day_(leap_day) {
    member_numbers_.assign(years.begin(), years.end());
    identity_ = fmt::format("years {} of {}", fmt::join(years, ", "), store_->identity());
  }

  bool has_time(Time initial_time, Duration lead) const override {
    return std::all_of(member_numbers_.begin(), member_numbers_.end(), [&](std::int64_t year) {
      const auto time = in_year(initial_time + lead, static_cast<int>(year), leap_day_);
      return !time || store_->has_time(*time);
    });
  }
  bool has(const Channel& channel) const override { return store_->has(channel); }
  ChannelSet channels() const override { return {}; }  // whatever the store has

  std::vector<float> read(Time initial_time, Duration lead, const ChannelSet& channels) override {
    const auto wanted = std::make_shared<const ChannelSet>(channels);
    std::vector<float> values;
    for (const std::int64_t year : member_numbers_) {
      const auto time = in_year(initial_time + lead, static_cast<int>(year), leap_day_);
      const std::size_t size = values.size() + channels.size() * grid().points();
      if (time) {
        const State state = store_->read(*time, wanted);
        values.insert(values.end(), state.values.begin(), state.values.end());
      }
      values.resize(size, std::numeric_limits<float>::quiet_NaN());
    }
    return values;
  }

 private:
  std::unique_ptr<FieldStore> store_;
  LeapDay leap_day_;
};

}  // namespace

std::unique_ptr<ForecastStore> persistence_forecasts(std::vector<PersistentMember> members,
                                                     std::vector<Time> initial_times,
                                                     std::vector<Duration> leads) {
  require(!members.empty(), "persistence needs at least one member");
  return std::make_unique<Persistence>(std::move(members), std::move(initial_times), std::move(leads));
}

std::unique_ptr<ForecastStore> climatology_forecasts(ClimatologyStore& climatology,
                                                     std::vector<Time> initial_times,
                                                     std::vector<Duration> leads) {
  return std::make_unique<Climatology>(climatology, std::move(initial_times), std::move(leads));
}

std::unique_ptr<ForecastStore> probabilistic_climatology(std::unique_ptr<FieldStore> years_store,
                                                         std::vector<int> years, LeapDay leap_day,
                                                         std::vector<Time> initial_times,
                                                         std::vector<Duration> leads) {
  return std::make_unique<Years>(std::move(years_store), std::move(years), leap_day, std::move(initial_times),
                                 std::move(leads));
}

}  // namespace mosaic
