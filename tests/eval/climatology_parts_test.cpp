#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "eval/climatology_passes.hpp"
#include "eval/climatology_times.hpp"
#include "support/errors.hpp"

namespace mosaic::eval {
namespace {

std::vector<Time> six_hourly(const std::string& first, const std::string& last) {
  std::vector<Time> times;
  for (Time time = parse_time(first); time <= parse_time(last); time = time + Duration::hours(6)) {
    times.push_back(time);
  }
  return times;
}

TEST(ClimatologyTimes, EveryDayOfEveryYear) {  // T34: dayofyear is that of the actual year
  const auto stored = six_hourly("2019-01-01", "2020-12-31T18");
  EXPECT_EQ(hours_of_day(stored, "x"), (std::vector<int>{0, 6, 12, 18}));
  const auto times = climatology_times(stored, {stored.front(), stored.back(), {0, 12}});
  EXPECT_EQ(times.years, (std::vector<int>{2019, 2020}));
  EXPECT_EQ(times.present.size(), 2U * (365 + 366));
  EXPECT_TRUE(times.missing.empty());
  EXPECT_TRUE(std::is_sorted(times.present.begin(), times.present.end(),
                             [](const auto& a, const auto& b) { return a.time < b.time; }));
  const auto stands = [&](const std::string& text) {
    const auto found = std::find_if(times.present.begin(), times.present.end(),
                                    [&](const auto& t) { return t.time == parse_time(text); });
    return fmt::format("{} {} {}", times.years[found->year], found->day + 1, times.hours[found->hour]);
  };
  EXPECT_EQ(stands("2020-03-01T12"), "2020 61 12");
  EXPECT_EQ(stands("2019-03-01T00"), "2019 60 0");
  EXPECT_EQ(stands("2020-12-31T00"), "2020 366 0");
  EXPECT_EQ(stands("2019-12-31T12"), "2019 365 12");
}

TEST(ClimatologyTimes, WhatIsNotThereOrNotAskedForIsMissing) {
  auto stored = six_hourly("2019-01-01T06", "2020-12-31T18");
  std::erase(stored, parse_time("2020-02-29T12"));
  const auto times =
      climatology_times(stored, {parse_time("2019-01-01"), parse_time("2020-12-31T06"), {0, 6, 12, 18}});
  EXPECT_EQ(times.missing, (std::vector<Time>{parse_time("2019-01-01"), parse_time("2020-02-29T12"),
                                              parse_time("2020-12-31T12"), parse_time("2020-12-31T18")}));
  EXPECT_EQ(times.present.size() + times.missing.size(), 4U * (365 + 366));
}

TEST(ClimatologyTimes, OnlyFullHours) {
  std::string message;
  EXPECT_EQ(test::code_of([] { hours_of_day({parse_time("2019-01-01T00:30")}, "a.zarr"); }, &message),
            ExitCode::corrupt_input);
  EXPECT_NE(message.find("2019-01-01T00:30"), std::string::npos);
}

ClimatologyContents contents_of(int levels, std::size_t years) {
  ClimatologyContents contents;
  contents.grid = std::make_shared<const LatLonGrid>(LatLonGrid::with_poles(24, 13));
  contents.hours = {0, 6, 12, 18};
  for (int level = 1; level <= levels; ++level) {
    contents.channels.push_back({"geopotential", 50 * level});
  }
  contents.channels.push_back({"2m_temperature", {}});
  contents.statistics = {ClimatologyStatistic::mean, ClimatologyStatistic::deviation};
  contents.years.assign(years, 2000);
  return contents;
}

/// How often each channel and hour is made.
std::vector<int> coverage(const ClimatologyContents& contents, const std::vector<ClimatologyPass>& passes) {
  std::vector<int> count(contents.channels.size() * contents.hours.size(), 0);
  for (const ClimatologyPass& pass : passes) {
    for (std::size_t c = 0; c < pass.channels; ++c) {
      EXPECT_EQ(contents.channels[pass.first_channel + c].variable,
                contents.channels[pass.first_channel].variable);
      for (std::size_t h = 0; h < pass.hours; ++h) {
        ++count[(pass.first_channel + c) * contents.hours.size() + pass.first_hour + h];
      }
    }
  }
  return count;
}

// One channel at one hour of ten years: 10 x 366 x 312 x 4 = 4.6 MB of records.
TEST(ClimatologyPasses, EveryChannelAndHourOnce) {
  const auto contents = contents_of(13, 10);
  const std::vector<int> once(14 * 4, 1);
  for (const int ranks : {1, 2, 7}) {
    for (const double memory : {1e9, 1e8, 2e7, 7e6, 3e6}) {
      const auto passes = plan_passes(contents, ranks, memory, 4);
      EXPECT_EQ(coverage(contents, passes), once) << ranks << " " << memory;
    }
  }
  EXPECT_EQ(plan_passes(contents, 1, 1e9, 4).size(), 2U);  // a variable each
  EXPECT_EQ(plan_passes(contents, 1, 1e9, 4)[0].rounds, 1U);
  EXPECT_GT(plan_passes(contents, 1, 3e6, 4)[0].rounds, 1U);
  EXPECT_LT(plan_passes(contents, 7, 3e6, 4)[0].rounds, plan_passes(contents, 1, 3e6, 4)[0].rounds);
  EXPECT_EQ(test::code_of([&] { plan_passes(contents, 1, 1e5, 4); }), ExitCode::bad_configuration);
}

TEST(ClimatologyPasses, EveryPointOnce) {
  for (const auto& [points, rounds, ranks] : {std::tuple{312U, 1U, 1}, {312U, 5U, 3}, {7U, 2U, 8}}) {
    std::size_t next = 0;
    for (std::size_t round = 0; round < rounds; ++round) {
      for (int rank = 0; rank < ranks; ++rank) {
        const auto [begin, end] = points_of(points, rounds, round, ranks, rank);
        EXPECT_EQ(begin, next);
        next = end;
      }
    }
    EXPECT_EQ(next, points);
  }
}

TEST(ClimatologyOutput, DryThresholds) {
  EXPECT_EQ(dry_threshold("total_precipitation_24hr"), 0.25e-3);
  EXPECT_EQ(dry_threshold("total_precipitation_6hr"), 0.1e-3);
  EXPECT_FALSE(dry_threshold("2m_temperature").has_value());
}

}  // namespace
}  // namespace mosaic::eval
