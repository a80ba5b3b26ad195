#include "eval/climatology_times.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"

namespace mosaic::eval {

std::vector<int> hours_of_day(const std::vector<Time>& times, const std::string& where) {
  std::set<int> hours;
  for (const Time time : times) {
    const CalendarTime at = calendar(time);
    require(at.minute == 0 && at.second == 0, ExitCode::corrupt_input,
            "{}: the time {} is no full hour, and a climatology is made by hour of the day; choose hours of "
            "the day",
            where, to_string(time));
    hours.insert(at.hour);
  }
  return {hours.begin(), hours.end()};
}

ClimatologyTimes climatology_times(const std::vector<Time>& stored, const ClimatologyPeriod& period) {
  ClimatologyTimes result;
  result.hours = period.hours;
  for (int year = calendar(period.first).year; year <= calendar(period.last).year; ++year) {
    const Time new_year = parse_time(fmt::format("{:04d}-01-01", year));
    const auto days = static_cast<std::size_t>(calendar(new_year).days_in_year);
    for (std::size_t day = 0; day < days; ++day) {
      for (std::size_t h = 0; h < period.hours.size(); ++h) {
        const Time time =
            new_year + Duration::days(static_cast<std::int64_t>(day)) + Duration::hours(period.hours[h]);
        const bool there = time >= period.first && time <= period.last &&
                           std::binary_search(stored.begin(), stored.end(), time);
        if (there) {
          result.present.push_back({time, h, result.years.size(), day});
        } else {
          result.missing.push_back(time);
        }
      }
    }
    result.years.push_back(year);
  }
  return result;
}

}  // namespace mosaic::eval
