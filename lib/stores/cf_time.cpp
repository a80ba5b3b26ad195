#include "stores/cf_time.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <sstream>

#include "base/error.hpp"

namespace mosaic {
namespace {

double seconds_of_unit(const std::string& unit, const std::string& where) {
  static const std::map<std::string, double> known{
      {"nanoseconds", 1e-9}, {"nanosecond", 1e-9}, {"ns", 1e-9},      {"microseconds", 1e-6},
      {"microsecond", 1e-6}, {"us", 1e-6},         {"ms", 1e-3},      {"milliseconds", 1e-3},
      {"millisecond", 1e-3}, {"seconds", 1.0},     {"second", 1.0},   {"s", 1.0},
      {"minutes", 60.0},     {"minute", 60.0},     {"min", 60.0},     {"hours", 3600.0},
      {"hour", 3600.0},      {"h", 3600.0},        {"days", 86400.0}, {"day", 86400.0},
      {"d", 86400.0}};
  const auto found = known.find(unit);
  require(found != known.end(), ExitCode::corrupt_input,
          "{}: time unit \"{}\" is not read; use seconds, minutes, hours or days", where, unit);
  return found->second;
}

/// 1959-01-01, 1959-1-1 00:00:0.0, 1959-01-01 00:00:00Z; fractions of a second are dropped.
Time parse_reference(const std::string& date, const std::string& clock, const std::string& where) {
  int year = 0;
  int month = 0;
  int day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  const int parts = std::sscanf(date.c_str(), "%4d-%2d-%2d", &year, &month, &day);
  const int clock_parts = std::sscanf(clock.c_str(), "%2d:%2d:%2d", &hour, &minute, &second);
  require(parts == 3 && (clock.empty() || clock_parts >= 1), ExitCode::corrupt_input,
          "{}: \"{} {}\" is not a reference time like 1959-01-01 00:00:00", where, date, clock);
  try {
    return parse_time(
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day, hour, minute, second));
  } catch (const Error& error) {
    fail(ExitCode::corrupt_input, "{}: reference time {} {}: {}", where, date, clock, error.what());
  }
}

}  // namespace

std::vector<Time> decode_cf_times(const std::vector<double>& values, const std::string& units,
                                  const std::string& calendar, const std::string& where) {
  const bool gregorian = calendar.empty() || calendar == "standard" || calendar == "gregorian" ||
                         calendar == "proleptic_gregorian";
  require(gregorian, ExitCode::corrupt_input, "{}: calendar \"{}\" is not read; use proleptic_gregorian",
          where, calendar);
  std::string text = units;
  std::replace(text.begin(), text.end(), 'T', ' ');
  std::istringstream words(text);
  std::string unit;
  std::string since;
  std::string date;
  std::string clock;
  words >> unit >> since >> date >> clock;
  require(since == "since", ExitCode::corrupt_input,
          "{}: units \"{}\" are not like \"hours since 1959-01-01\"", where, units);
  const double factor = seconds_of_unit(unit, where);
  const Time reference = parse_reference(date, clock, where);
  constexpr double seconds_of_ten_thousand_years = 3.2e11;
  std::vector<Time> times;
  times.reserve(values.size());
  for (const double value : values) {
    const double seconds = value * factor;
    require(std::fabs(seconds) < seconds_of_ten_thousand_years, ExitCode::corrupt_input,
            "{}: {} {} is no time", where, value, units);
    times.push_back(reference + Duration{static_cast<std::int64_t>(std::llround(seconds))});
  }
  return times;
}

std::vector<Duration> decode_leads(const std::vector<double>& values, const std::string& units,
                                   const std::string& where) {
  const double factor = seconds_of_unit(units.empty() ? "ns" : units, where);
  const double parts = std::round(1.0 / factor);  // of a second, if it is a small unit
  constexpr double seconds_of_ten_years = 3.2e8;
  constexpr double whole = 1e-3;  // 1/3 hour in float32 is whole to 1e-4
  std::vector<Duration> leads;
  leads.reserve(values.size());
  for (const double value : values) {
    const double seconds = value * factor;
    const bool is_whole =
        factor < 1.0 ? std::fmod(value, parts) == 0.0 : std::fabs(seconds - std::round(seconds)) < whole;
    require(is_whole, ExitCode::corrupt_input, "{}: {} {} are no whole seconds{}", where, value,
            units.empty() ? "nanoseconds" : units,
            units.empty() ? "; give the coordinate its units, such as hours" : "");
    require(seconds >= 0.0 && seconds < seconds_of_ten_years, ExitCode::corrupt_input,
            "{}: {} {} is no lead time between 0 and 10 years", where, value, units);
    leads.push_back({static_cast<std::int64_t>(std::llround(seconds))});
  }
  return leads;
}

}  // namespace mosaic
