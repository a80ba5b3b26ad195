#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mosaic {

/// A length of time in whole seconds.
struct Duration {
  std::int64_t seconds = 0;

  static constexpr Duration hours(std::int64_t n) { return {n * 3600}; }
  static constexpr Duration days(std::int64_t n) { return {n * 86400}; }
  constexpr double in_hours() const { return static_cast<double>(seconds) / 3600.0; }

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator*(std::int64_t n, Duration d) { return {n * d.seconds}; }
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.seconds + b.seconds}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.seconds - b.seconds}; }
};

/// A UTC instant: seconds since 1970-01-01T00:00:00 in the proleptic Gregorian calendar, no leap seconds.
struct Time {
  std::int64_t seconds = 0;

  friend constexpr auto operator<=>(Time, Time) = default;
  friend constexpr Time operator+(Time t, Duration d) { return {t.seconds + d.seconds}; }
  friend constexpr Time operator-(Time t, Duration d) { return {t.seconds - d.seconds}; }
  friend constexpr Duration operator-(Time a, Time b) { return {a.seconds - b.seconds}; }
};

/// Broken-down UTC.
struct CalendarTime {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int day_of_year = 1;  ///< 1 ... 366
  int days_in_year = 365;
};

CalendarTime calendar(Time time);

/// ISO-8601 UTC: 2020-01-01, 2020-01-01T00, 2020-01-01T00:00[:00][Z]. Errors: bad_configuration, quoting the
/// text.
Time parse_time(std::string_view text);

/// A number with its unit: 90s, 30min, 6h, 10d. Errors: bad_configuration, quoting the text.
Duration parse_duration(std::string_view text);

/// Shortest ISO form, without a zone letter: 2020-01-01T00, or 2020-01-01T06:30 (:15) where needed.
std::string to_string(Time time);

/// The same without colons, for names of files.
std::string file_name_of(Time time);

/// One time per line, for messages between ranks; and back.
std::string to_lines(const std::vector<Time>& times);
std::vector<Time> times_from_lines(const std::string& lines);

/// 6h, 10d, 90s: the largest unit that divides it; never days below two days (24h, 36h, 48h -> 2d).
std::string to_string(Duration duration);

}  // namespace mosaic
