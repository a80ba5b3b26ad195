#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stores/climatology_store.hpp"
#include "stores/field_store.hpp"
#include "stores/forecast_store.hpp"

namespace mosaic {

// Baselines as forecasts, for these initial times and leads. What they refer to must outlive them.

/// A member of persistence: a store of states and the number that it goes by.
struct PersistentMember {
  std::int64_t number = 0;
  std::unique_ptr<FieldStore> states;
};

/// The state at the initial time, for every lead. Errors: internal for no member.
std::unique_ptr<ForecastStore> persistence_forecasts(std::vector<PersistentMember> members,
                                                     std::vector<Time> initial_times,
                                                     std::vector<Duration> leads);

/// The climatology at the day of year and hour of the valid time.
std::unique_ptr<ForecastStore> climatology_forecasts(ClimatologyStore& climatology,
                                                     std::vector<Time> initial_times,
                                                     std::vector<Duration> leads);

/// Day 366 of a year without one.
enum class LeapDay {
  next_day,  ///< the first day of the next year
  missing    ///< NaN
};

/// Members are the states of other years at the day of year and hour of the valid time. Source: WeatherBench
/// 2 and WeatherBench-X.
std::unique_ptr<ForecastStore> probabilistic_climatology(std::unique_ptr<FieldStore> years_store,
                                                         std::vector<int> years, LeapDay leap_day,
                                                         std::vector<Time> initial_times,
                                                         std::vector<Duration> leads);

}  // namespace mosaic
