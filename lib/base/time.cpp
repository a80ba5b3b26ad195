#include "base/time.hpp"

#include <charconv>
#include <chrono>
#include <sstream>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// Reads exactly `digits` digits at `position` and advances; -1 if they are not there.
int take_number(std::string_view text, std::size_t& position, std::size_t digits) {
  if (position + digits > text.size()) {
    return -1;
  }
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const char c = text[position + i];
    if (c < '0' || c > '9') {
      return -1;
    }
    value = 10 * value + (c - '0');
  }
  position += digits;
  return value;
}

bool take(std::string_view text, std::size_t& position, char expected) {
  if (position < text.size() && text[position] == expected) {
    ++position;
    return true;
  }
  return false;
}

}  // namespace

CalendarTime calendar(Time time) {
  using namespace std::chrono;
  const sys_seconds instant{seconds(time.seconds)};
  const auto day = floor<days>(instant);
  const year_month_day date(day);
  const hh_mm_ss clock(instant - day);
  const auto new_year = sys_days(date.year() / January / 1);
  CalendarTime result;
  result.year = static_cast<int>(date.year());
  result.month = static_cast<int>(static_cast<unsigned>(date.month()));
  result.day = static_cast<int>(static_cast<unsigned>(date.day()));
  result.hour = static_cast<int>(clock.hours().count());
  result.minute = static_cast<int>(clock.minutes().count());
  result.second = static_cast<int>(clock.seconds().count());
  result.day_of_year = static_cast<int>((day - new_year).count()) + 1;
  result.days_in_year = date.year().is_leap() ? 366 : 365;
  return result;
}

Time parse_time(std::string_view text) {
  using namespace std::chrono;
  const auto bad = [&]() {
    fail(ExitCode::bad_configuration,
         "'{}' is not a UTC time; write it like 2020-01-01T00 or 2020-01-01T06:30", text);
  };
  std::size_t at = 0;
  const int year_number = take_number(text, at, 4);
  const bool dash1 = take(text, at, '-');
  const int month_number = take_number(text, at, 2);
  const bool dash2 = take(text, at, '-');
  const int day_number = take_number(text, at, 2);
  if (year_number < 0 || !dash1 || month_number < 0 || !dash2 || day_number < 0) {
    bad();
  }
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (take(text, at, 'T') || take(text, at, ' ')) {
    hour = take_number(text, at, 2);
    if (take(text, at, ':')) {
      minute = take_number(text, at, 2);
      if (take(text, at, ':')) {
        second = take_number(text, at, 2);
      }
    }
    take(text, at, 'Z');
  }
  const year_month_day date(year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number)));
  if (at != text.size() || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59) {
    bad();
  }
  return {duration_cast<seconds>(sys_days(date).time_since_epoch()).count() + 3600 * hour + 60 * minute +
          second};
}

Duration parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  std::int64_t factor = 0;
  if (unit == "s") {
    factor = 1;
  } else if (unit == "min") {
    factor = 60;
  } else if (unit == "h") {
    factor = 3600;
  } else if (unit == "d") {
    factor = 86400;
  }
  constexpr std::int64_t longest = std::int64_t{1} << 40;
  require(problem == std::errc() && factor != 0 && number >= 0 && number < longest / factor,
          ExitCode::bad_configuration,
          "'{}' is not a duration; write a number with its unit (s, min, h, d), like 6h or 10d", text);
  return {number * factor};
}

std::string to_string(Time time) {
  const CalendarTime c = calendar(time);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}", c.year, c.month, c.day, c.hour);
  if (c.minute != 0 || c.second != 0) {
    text += fmt::format(":{:02}", c.minute);
  }
  if (c.second != 0) {
    text += fmt::format(":{:02}", c.second);
  }
  return text;
}

std::string file_name_of(Time time) {
  std::string name = to_string(time);
  std::erase(name, ':');
  return name;
}

std::string to_lines(const std::vector<Time>& times) {
  std::string lines;
  for (const Time time : times) {
    lines += to_string(time) + "\n";
  }
  return lines;
}

std::vector<Time> times_from_lines(const std::string& lines) {
  std::vector<Time> times;
  std::istringstream rest(lines);
  for (std::string line; std::getline(rest, line);) {
    times.push_back(parse_time(line));
  }
  return times;
}

std::string to_string(Duration duration) {
  const std::int64_t s = duration.seconds;
  if (s % 86400 == 0 && s >= 2 * 86400) {
    return fmt::format("{}d", s / 86400);
  }
  if (s % 3600 == 0) {
    return fmt::format("{}h", s / 3600);
  }
  return s % 60 == 0 ? fmt::format("{}min", s / 60) : fmt::format("{}s", s);
}

}  // namespace mosaic
