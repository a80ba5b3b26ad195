#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic::eval {

/// Days of the year in a climatology, 1 ... 366, of every year. Where a year has no day 366 its day 365
/// counts for both (WeatherBench 2).
inline constexpr std::size_t climatology_days = 366;

/// Which times of a store a climatology is made of.
struct ClimatologyPeriod {
  Time first;              ///< inclusive
  Time last;               ///< inclusive
  std::vector<int> hours;  ///< of the day, ascending
};

/// A time of a store and where it stands: hours[hour], years[year], dayofyear = day + 1.
struct ClimatologyTime {
  Time time;
  std::size_t hour = 0;
  std::size_t year = 0;
  std::size_t day = 0;
};

struct ClimatologyTimes {
  std::vector<int> years;                ///< all that the period touches
  std::vector<int> hours;                ///< as asked
  std::vector<ClimatologyTime> present;  ///< ascending
  std::vector<Time> missing;             ///< ascending; of whole years, also before `first` and after `last`
};

/// All hours of the day that occur in `times`, ascending. Errors: corrupt_input naming the first time that is
/// no full hour.
std::vector<int> hours_of_day(const std::vector<Time>& times, const std::string& where);

/// Looks for every day and hour of the years of the period in `stored` (ascending).
ClimatologyTimes climatology_times(const std::vector<Time>& stored, const ClimatologyPeriod& period);

}  // namespace mosaic::eval
