#include "base/time.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"

namespace mosaic {
namespace {

TEST(Time, KnownInstants) {
  EXPECT_EQ(parse_time("1970-01-01").seconds, 0);
  EXPECT_EQ(parse_time("2020-01-01T00").seconds, 1577836800);
  EXPECT_EQ(parse_time("2000-02-29T12:30:15Z").seconds, 951827415);
  EXPECT_EQ(parse_time("1959-01-01 06:00").seconds, -347133600);
}

TEST(Time, LeapYearsFollowTheGregorianRule) {
  EXPECT_NO_THROW(parse_time("2020-02-29"));
  EXPECT_NO_THROW(parse_time("2000-02-29"));
  EXPECT_THROW(parse_time("2019-02-29"), Error);
  EXPECT_THROW(parse_time("1900-02-29"), Error);
  const CalendarTime last = calendar(parse_time("2020-12-31T18"));
  EXPECT_EQ(last.day_of_year, 366);
  EXPECT_EQ(last.days_in_year, 366);
  EXPECT_EQ(last.hour, 18);
  EXPECT_EQ(calendar(parse_time("1900-12-31")).days_in_year, 365);
  EXPECT_EQ(to_string(parse_time("2020-02-28T18") + Duration::hours(6)), "2020-02-29T00");
}

TEST(Time, CalendarBeforeTheEpoch) {
  const CalendarTime c = calendar(Time{-1});
  EXPECT_EQ(c.year, 1969);
  EXPECT_EQ(c.month, 12);
  EXPECT_EQ(c.day, 31);
  EXPECT_EQ(c.hour, 23);
  EXPECT_EQ(c.minute, 59);
  EXPECT_EQ(c.second, 59);
  EXPECT_EQ(c.day_of_year, 365);
}

TEST(Time, TextRoundTrip) {
  for (const char* text :
       {"2020-01-01T00", "2020-01-01T06:30", "2020-01-01T06:30:15", "1959-12-31T23:00:01"}) {
    EXPECT_EQ(to_string(parse_time(text)), text);
  }
  // Four years and a day, hour by hour.
  for (Time t = parse_time("1999-12-31T23"); t < parse_time("2004-01-02"); t = t + Duration::hours(1)) {
    ASSERT_EQ(parse_time(to_string(t)), t);
  }
}

TEST(Time, BadTextIsRefusedAndQuoted) {
  for (const std::string text :
       {"", "2020", "2020-1-1", "2020-13-01", "2020-00-10", "2020-04-31", "2020-01-01T", "2020-01-01T24",
        "2020-01-01T00:60", "2020-01-01T00:00:60", "2020-01-01T00:00x", "2020-01-01T0", "x2020-01-01",
        "2020-01-01T00+01:00", "-020-01-01", "2020-01-01Z"}) {
    try {
      parse_time(text);
      ADD_FAILURE() << "accepted: '" << text << "'";
    } catch (const Error& problem) {
      EXPECT_EQ(problem.code(), ExitCode::bad_configuration);
      EXPECT_NE(std::string(problem.what()).find("'" + text + "'"), std::string::npos) << problem.what();
    }
  }
}

TEST(Duration, UnitsAndText) {
  EXPECT_EQ(parse_duration("90s").seconds, 90);
  EXPECT_EQ(parse_duration("30min").seconds, 1800);
  EXPECT_EQ(parse_duration("6h"), Duration::hours(6));
  EXPECT_EQ(parse_duration("10d"), Duration::days(10));
  EXPECT_EQ(to_string(Duration::hours(6)), "6h");
  EXPECT_EQ(to_string(Duration::hours(24)), "24h");
  EXPECT_EQ(to_string(Duration::hours(48)), "2d");
  EXPECT_EQ(to_string(Duration{90}), "90s");
  EXPECT_EQ(to_string(Duration{5400}), "90min");
  EXPECT_DOUBLE_EQ(Duration{5400}.in_hours(), 1.5);
  for (std::int64_t seconds = 0; seconds < 400000; seconds += 60) {
    ASSERT_EQ(parse_duration(to_string(Duration{seconds})).seconds, seconds);
  }
}

TEST(Duration, BadTextIsRefused) {
  for (const char* text : {"", "6", "h", "6 h", "6H", "-6h", "1.5h", "6hours", "99999999999999999999s",
                           "9223372036854775807d", " 6h", "+6h"}) {
    EXPECT_THROW(parse_duration(text), Error) << "'" << text << "'";
  }
}

}  // namespace
}  // namespace mosaic
