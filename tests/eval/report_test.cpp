#include "eval/report/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "eval/report/html_page.hpp"
#include "eval/report/report_tables.hpp"
#include "eval/report/run_maps.hpp"
#include "eval/report/run_spectra.hpp"
#include "eval/results.hpp"
#include "eval/time_mean.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"
#include "support/job.hpp"

namespace mosaic::eval {
namespace {

namespace fs = std::filesystem;
using kernels::Statistic;
using test::code_of;

constexpr int member_count = 4;
constexpr std::size_t degrees = 31;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Results folders as the programs leave them, with numbers of our choice.
class ReportOfRuns : public testing::Test {
 protected:
  ReportOfRuns() {
    options_.channels = {{"geopotential", 500}, {"2m_temperature", std::nullopt}};
    options_.regions = regions_by_name({"global", "tropics"});
    options_.leads = {Duration::hours(24), Duration::hours(72)};
    options_.spectra_channels = {{"geopotential", 500}};
    options_.spectra_by_degree = false;  // made by hand below
    options_.grid = "64 x 32, latitudes -87.1875 ... 87.1875";
  }

  /// Squared error of the ensemble mean as given, variance 1, mean absolute error 3, spread 2, bias = day.
  InitTimeSums sums_at(int day, double squared_error) const {
    InitTimeSums sums = empty_sums(options_, LatLonGrid::with_poles(12, 7), member_count);
    sums.initial_time = parse_time("2020-02-27") + Duration::days(day);
    sums.scored.assign(options_.leads.size(), 1);
    for (kernels::Statistics& statistics : sums.means) {
      at(statistics, Statistic::ensemble_mean_squared_error) = squared_error;
      at(statistics, Statistic::debiased_squared_error) = squared_error - 1.0 / member_count;
      at(statistics, Statistic::variance) = 1.0;
      at(statistics, Statistic::absolute_error) = 3.0;
      at(statistics, Statistic::spread) = 2.0;
      at(statistics, Statistic::error) = day;
      at(statistics, Statistic::error_weight) = at(statistics, Statistic::ensemble_weight) = 1.0;
    }
    sums.ranks.assign(sums.ranks.size(), 1.0);
    // Spectra: the truth l^-3, members twice that behind degree 12, the ensemble mean a quarter of it.
    sums.by_degree.quantities = {{"geopotential", 500, {}}};
    sums.by_degree.degrees = degrees;
    for (const SpectrumKind kind :
         {SpectrumKind::member_mean, SpectrumKind::ensemble_mean, SpectrumKind::truth}) {
      for (std::size_t lead = 0; lead < options_.leads.size(); ++lead) {
        for (std::size_t l = 0; l < degrees; ++l) {
          const double truth = (day + 1) * std::pow(std::max<double>(1.0, static_cast<double>(l)), -3.0);
          const double factor = kind == SpectrumKind::truth           ? 1.0
                                : kind == SpectrumKind::ensemble_mean ? 0.25
                                : l > 12                              ? 2.0
                                                                      : 1.0;
          sums.by_degree.values.push_back(factor * truth);
        }
      }
    }
    return sums;
  }

  std::vector<InitTimeSums> run(const std::vector<double>& squared_errors) const {
    std::vector<InitTimeSums> all;
    for (const double squared_error : squared_errors) {
      all.push_back(sums_at(static_cast<int>(all.size()), squared_error));
    }
    return all;
  }

  /// Writes a finished run.
  std::string write(const std::string& name, const std::vector<InitTimeSums>& all,
                    const std::string& truth = "abc",
                    const std::string& regions = "[global, tropics]") const {
    const fs::path folder = folder_ / name;
    fs::create_directories(folder);
    write_netcdf((folder / "sums.nc").string(), merge_sums(all));
    write_netcdf((folder / "metrics.nc").string(), metrics_document(time_mean(all, options_), options_));
    write_records(folder, all.size(), truth, regions);
    return folder.string();
  }

  void write_records(const fs::path& folder, std::size_t planned, const std::string& truth,
                     const std::string& regions) const {
    const nlohmann::json identity = {{"truth", truth},
                                     {"configuration.truth.path", "/data/" + truth + ".zarr"},
                                     {"configuration.score.regions", regions}};
    write_text((folder / "identity.json").string(), identity.dump());
    const nlohmann::json record = {{"initial_times", {{"count", planned}}}};
    write_text((folder / "run.json").string(), record.dump());
  }

  ScoreOptions options_;
  fs::path folder_ = test::scratch_dir("report");
};

const std::vector<double> errors = {1, 4, 9, 2};  // mean 4

/// Maps of both channels, of which only the first has more than NaN at the second lead.
NetcdfDocument maps_document(const ScoreOptions& options, std::size_t latitudes, std::size_t longitudes) {
  ScoreOptions with_maps = options;
  with_maps.maps = {options.channels, options.leads};
  const LatLonGrid grid = LatLonGrid::with_poles(static_cast<int>(longitudes), static_cast<int>(latitudes));
  InitTimeSums sums = empty_sums(with_maps, grid, member_count);
  sums.scored.assign(options.leads.size(), 1);
  double next = 0.0;
  for (double& value : sums.maps.values) {
    value = next++;
  }
  const auto second = static_cast<std::ptrdiff_t>(sums.maps.offset(1, 1));
  std::fill(sums.maps.values.begin() + second, sums.maps.values.end(), std::nan(""));
  MapMean mean;
  mean.add(sums, with_maps);
  return mean.document(with_maps);
}

TEST_F(ReportOfRuns, MapsAreReadAsTheyWereWritten) {
  const RunMaps maps = maps_of(maps_document(options_, 4, 6));
  const std::size_t points = 24, numbers = points * kernels::map_statistic_count;
  EXPECT_EQ(maps.channels, options_.channels);
  EXPECT_EQ(maps.leads, options_.leads);
  EXPECT_EQ(maps.latitude, (std::vector<double>{-90, -30, 30, 90}));
  const auto first_of = [&](Statistic which, std::size_t lead, std::size_t channel) {
    return static_cast<double>((lead * 2 + channel) * numbers + static_cast<std::size_t>(which) * points);
  };
  for (const auto& [lead, channel] : {std::pair{0U, 0U}, {0U, 1U}, {1U, 0U}}) {
    EXPECT_EQ(maps.field(channel, lead, "bias")[5], first_of(Statistic::error, lead, channel) + 5.0);
    EXPECT_EQ(maps.field(channel, lead, "ensemble_mean_mse")[23],
              first_of(Statistic::ensemble_mean_squared_error, lead, channel) + 23.0);
    EXPECT_EQ(maps.field(channel, lead, "crps")[0], first_of(Statistic::absolute_error, lead, channel) -
                                                        0.5 * first_of(Statistic::spread, lead, channel));
  }
  EXPECT_TRUE(std::isnan(maps.field(1, 1, "bias")[0]));
  EXPECT_EQ(code_of([&] { maps.field(0, 0, "beauty"); }), ExitCode::corrupt_input);
  NetcdfDocument turned = maps_document(options_, 4, 6);
  std::swap(turned.variables.back().dimensions[0], turned.variables.back().dimensions[1]);
  EXPECT_EQ(code_of([&] { maps_of(turned); }), ExitCode::corrupt_input);
}

/// 5 x 3 points of -90 ... 90 and 0, 120, 240 on fewer and on as many cells.
TEST(Raster, CellsAreMeansOfTheirPoints) {
  const std::vector<double> latitude = {-90, -45, 0, 45, 90}, longitude = {0, 120, 240};
  std::vector<double> field;
  for (int i = 0; i < 15; ++i) {
    field.push_back(i);
  }
  const Raster fine = raster_of(field.data(), latitude, longitude, 10, 10);
  EXPECT_EQ(fine.values, field) << "no more cells than points";
  EXPECT_EQ(fine.west, -60.0);
  EXPECT_EQ(fine.east, 300.0);
  EXPECT_EQ(fine.south, -90.0) << "nothing lies behind a pole";
  EXPECT_EQ(fine.column_centre(1), 120.0);
  EXPECT_EQ(fine.row_centre(2), 0.0);
  field[1] = std::nan("");
  const Raster coarse = raster_of(field.data(), latitude, longitude, 2, 2);
  // Edges -60, 120, 300: the point 0 in the west, 120 and 240 in the east; -90, -45 south, the others north.
  EXPECT_EQ(coarse.values, (std::vector<double>{(0 + 3) / 2.0, (2 + 4 + 5) / 3.0, (6 + 9 + 12) / 3.0,
                                                (7 + 8 + 10 + 11 + 13 + 14) / 6.0}));
  std::fill(field.begin(), field.begin() + 6, std::nan(""));
  EXPECT_TRUE(std::isnan(raster_of(field.data(), latitude, longitude, 2, 2).values[0]));
  // Rows that are not evenly spaced: a cell without a point has the nearest one.
  const std::vector<double> uneven = {-60, -50, 60}, column = {0, 90};
  const double values[] = {1, 1, 2, 2, 3, 3};
  EXPECT_EQ(raster_of(values, uneven, column, 1, 3).values, (std::vector<double>{1.5, 2, 3}));
}

TEST_F(ReportOfRuns, PagesShowMapsOfRunsThatHaveThem) {
  const std::string with = write("with", run(errors)), without = write("without", run(errors));
  const auto page_of = [&](const std::string& folder) {
    return report_html(make_report({.runs = {folder}}));
  };
  write_netcdf(with + "/maps.nc", maps_document(options_, 121, 240));
  const std::string page = page_of(with);
  EXPECT_TRUE(contains(page, "Maps of geopotential 500 hPa"));
  EXPECT_TRUE(contains(page, "Maps of 2m temperature"));
  EXPECT_EQ(test::count_of(page, "<image "), 6U + 3U) << "three scores, two leads and one lead";
  EXPECT_EQ(test::count_of(page, "bias, 24 h [m2 s-2]"), 1U);
  EXPECT_EQ(test::count_of(page, "href='data:image/png;base64,"), 9U) << "nothing is loaded from elsewhere";
  EXPECT_LT(page.size(), page_of(without).size() + 1500000);
  EXPECT_EQ(test::count_of(page_of(without), "<image "), 0U);
  write_netcdf(without + "/maps.nc", metrics_document(time_mean(run(errors), options_), options_));
  std::string message;
  EXPECT_EQ(code_of([&] { page_of(without); }, &message), ExitCode::corrupt_input);
  EXPECT_TRUE(contains(message, "maps.nc")) << message;
}

/// RPS 1 + 2 + ... of three percentiles, SEEPS (day + 1) / 10 of members and half that of the mean.
TEST_F(ReportOfRuns, ShowsRpsAndSeepsWithIntervals) {
  options_.thresholds = {{0.1, 0.5, 0.9}, ThresholdKind::stored, {options_.channels[0]}};
  options_.seeps.channels = {options_.channels[1]};
  std::vector<InitTimeSums> all = run(errors);
  for (InitTimeSums& sums : all) {
    const double day = static_cast<double>(&sums - all.data()) + 1.0;
    for (std::size_t i = 0; i < sums.thresholds.means.size(); ++i) {
      sums.thresholds.means[i].fill(day * static_cast<double>(i % 3 + 1));
    }
    for (SeepsMeans& means : sums.seeps.means) {
      means = {0.1 * day, 0.05 * day};
    }
  }
  const std::string mine = write("mine", all);
  const Report report = make_report({.runs = {mine}, .reference = mine});
  const auto cell = [&](const std::string& channel, const std::string& metric) {
    return report.find({0, channel, Duration::hours(24), metric});
  };
  const ScoreCell* rps = cell("geopotential_500", "rps");
  ASSERT_NE(rps, nullptr);
  EXPECT_DOUBLE_EQ(rps->score.estimate, 6.0 * 2.5);  // days 1 ... 4
  EXPECT_TRUE(rps->score.exists());
  EXPECT_LT(rps->score.lower, rps->score.estimate);
  ASSERT_TRUE(rps->difference);
  EXPECT_EQ(rps->difference->estimate, 0.0);
  EXPECT_EQ(cell("geopotential_500", "seeps"), nullptr);
  EXPECT_EQ(cell("2m_temperature", "rps"), nullptr);
  EXPECT_DOUBLE_EQ(cell("2m_temperature", "seeps")->score.estimate, 0.25);
  EXPECT_DOUBLE_EQ(cell("2m_temperature", "ensemble_mean_seeps")->score.estimate, 0.125);
  const std::string text = report_terminal(report);
  EXPECT_TRUE(contains(text, "RPS and SEEPS of mine")) << text;
  EXPECT_TRUE(contains(text, "percentiles 10, 50, 90")) << text;
}

TEST_F(ReportOfRuns, NumbersByHand) {
  const Report report = make_report({.runs = {write("mine", run(errors))}});
  const auto value = [&](const std::string& metric) {
    return report.find({0, "geopotential_500", Duration::hours(24), metric})->score.estimate;
  };
  EXPECT_EQ(value("ensemble_mean_rmse"), 2.0);
  EXPECT_EQ(value("crps"), 2.0);  // 3 - 2 / 2
  EXPECT_EQ(value("bias"), 1.5);  // days 0 ... 3
  EXPECT_EQ(value("ensemble_stddev"), 1.0);
  EXPECT_EQ(value("spread_skill_raw"), 0.5);
  EXPECT_DOUBLE_EQ(value("spread_skill_fortin"), 0.5 * std::sqrt(5.0 / 4.0));
  EXPECT_DOUBLE_EQ(value("spread_skill_unbiased"), std::sqrt(1.0 / 3.75));
  EXPECT_EQ(report.find({0, "geopotential_500", Duration::hours(24), "acc"}), nullptr);
  EXPECT_TRUE(report.remarks.empty());
  const auto tables = report_tables(report);
  ASSERT_EQ(tables.size(), 3U);
  EXPECT_EQ(tables[0].columns, (std::vector<std::string>{"channel", "lead", "N", "RMSE of ensemble mean",
                                                         "fair CRPS", "spread-skill ratio", "bias"}));
  ASSERT_EQ(tables[0].rows.size(), 4U);
  EXPECT_EQ(tables[0].rows[0][0], "geopotential 500 hPa [m2 s-2]");
  EXPECT_EQ(tables[0].rows[1][0], "");
  EXPECT_EQ(tables[0].rows[1][1], "72 h");
  EXPECT_EQ(tables[0].rows[0][2], "4");
  EXPECT_TRUE(tables[0].rows[0][3].starts_with("2 [")) << tables[0].rows[0][3];
  EXPECT_EQ(tables[0].rows[0][4], "2 [2, 2]");  // the same at all initial times
  for (const Table& table : tables) {
    std::string notes;
    for (const std::string& note : table.notes) {
      notes += note + "\n";
    }
    for (const char* said :
         {"grid 64 x 32", "weights", "4 members", "4 initial times, 2020-02-27T00 ... 2020-03-01T00"}) {
      EXPECT_TRUE(contains(notes, said)) << table.title << ": " << said;
    }
  }
}

TEST_F(ReportOfRuns, TheNumberOfThreadsChangesNothing) {
  const std::string folder = write("mine", run({1, 4, 9, 2, 7, 7, 3, 1, 5}));
  const auto json = [&](int threads, std::uint64_t seed) {
    return report_json(make_report({.runs = {folder}, .bootstrap = {.seed = seed}, .threads = threads}));
  };
  EXPECT_EQ(json(1, 0), json(3, 0));
  EXPECT_NE(json(1, 0), json(1, 1));
}

TEST_F(ReportOfRuns, TwoInitialTimesHaveNoInterval) {
  const std::string text = report_terminal(make_report({.runs = {write("two", run({1, 7}))}}));
  EXPECT_TRUE(contains(text, "no interval with fewer than 3 initial times")) << text;
  EXPECT_FALSE(contains(text, "2 [")) << text;
}

TEST_F(ReportOfRuns, DifferencesByHand) {
  const std::string a = write("a", run(errors)), b = write("b", run({9, 12, 17, 26}));  // RMSE 2 and 4
  const Report report = make_report({.runs = {a}, .reference = b});
  ASSERT_EQ(report.runs.size(), 2U);
  EXPECT_EQ(report.reference, 1U);
  const ScoreKey key{0, "2m_temperature", Duration::hours(72), "ensemble_mean_rmse"};
  EXPECT_EQ(report.find(key)->difference->estimate, -2.0);
  EXPECT_TRUE(report.find(key)->difference->excludes(0.0));
  EXPECT_EQ(report.find({0, key.channel, key.lead, "crps"})->difference->upper, 0.0);
  EXPECT_FALSE(report.find({1, key.channel, key.lead, "crps"})->difference.has_value());
  const auto tables = report_tables(report);
  EXPECT_EQ(tables[2].title, "Differences: a minus b");
  EXPECT_TRUE(tables[2].rows[0][3].starts_with("-2 [")) << tables[2].rows[0][3];
  EXPECT_TRUE(tables[2].rows[0][3].ends_with("] *")) << tables[2].rows[0][3];
  EXPECT_EQ(tables[2].rows[0][4], "0 [0, 0]");
}

TEST_F(ReportOfRuns, ARunMinusItself) {
  const std::string a = write("a", run(errors));
  const Report report = make_report({.runs = {a}, .reference = a + "/"});
  ASSERT_EQ(report.runs.size(), 1U);
  for (const auto& [key, cell] : report.scores) {
    ASSERT_TRUE(cell.difference.has_value()) << key.metric;
    EXPECT_EQ(cell.difference->estimate, 0.0) << key.metric;
    EXPECT_EQ(cell.difference->lower, 0.0) << key.metric;
    EXPECT_EQ(cell.difference->upper, 0.0) << key.metric;
  }
}

// Other grid, truth or bounds of a box: the difference is refused with the reason, lists are not.
TEST_F(ReportOfRuns, UnlikeRunsAreNotSubtracted) {
  const std::string a = write("a", run(errors));
  const std::string other_truth = write("t", run(errors), "xyz");
  options_.grid = "240 x 121, latitudes -90 ... 90";
  const std::string other_grid = write("g", run(errors));
  std::string message;
  EXPECT_EQ(code_of([&] { make_report({.runs = {a}, .reference = other_grid}); }, &message),
            ExitCode::corrupt_input);
  EXPECT_TRUE(contains(message, "different grids") && contains(message, "240 x 121")) << message;
  EXPECT_EQ(code_of([&] { make_report({.runs = {a}, .reference = other_truth}); }, &message),
            ExitCode::corrupt_input);
  EXPECT_TRUE(contains(message, "/data/abc.zarr and /data/xyz.zarr")) << message;
  const Report side_by_side = make_report({.runs = {a, other_grid}});
  ASSERT_EQ(side_by_side.remarks.size(), 1U);
  EXPECT_TRUE(contains(side_by_side.remarks[0], "only listed side by side")) << side_by_side.remarks[0];
  options_.grid = "64 x 32, latitudes -87.1875 ... 87.1875";
  options_.regions = regions_by_name({"alps=43:49:5:17"});
  const std::string alps = write("alps", run(errors), "abc", "[alps=43:49:5:17]");
  const std::string more = write("more", run(errors), "abc", "[alps=40:49:5:17]");
  EXPECT_EQ(code_of([&] { make_report({.runs = {alps}, .reference = more}); }, &message),
            ExitCode::corrupt_input);
  EXPECT_TRUE(contains(message, "different bounds")) << message;
}

TEST_F(ReportOfRuns, PublishedScoresStandBesideRunsOfTheirGrid) {
  const std::string coarse = write("coarse", run(errors));
  options_.grid = "240 x 121, latitudes -90 ... 90";
  const std::string fine = write("fine", run(errors)), other = write("other", run({9, 12, 17, 26}));
  const std::string tables = "config/published_scores";
  const Report report = make_report({.runs = {fine, other}, .published = tables});
  EXPECT_GT(report.published.size(), 100U);
  const std::string text = report_terminal(report);
  EXPECT_TRUE(contains(text, "Published scores beside fine"));
  EXPECT_TRUE(contains(text, "Published scores beside other"));
  EXPECT_TRUE(contains(text, "GenCast 1deg (M = 50)"));
  EXPECT_FALSE(contains(text, "IFS HRES"));
  std::string message;
  EXPECT_EQ(code_of([&] { make_report({.runs = {coarse}, .published = tables}); }), ExitCode::corrupt_input);
  EXPECT_EQ(code_of(
                [&] {
                  make_report({.runs = {fine, coarse}, .published = tables});
                },
                &message),
            ExitCode::corrupt_input);
  EXPECT_TRUE(contains(message, "different grids or of different years")) << message;
}

// A marker is no bar to pass: approximate rows have neither difference nor mark.
TEST_F(ReportOfRuns, ApproximateRowsAreOnlyMarkers) {
  options_.grid = "240 x 121, latitudes -90 ... 90";
  options_.leads = {Duration::hours(120), Duration::hours(240)};
  const Report report =
      make_report({.runs = {write("fine", run(errors))}, .published = "config/published_scores"});
  int approximate = 0;
  for (const Table& table : report_tables(report)) {
    for (const auto& row : table.rows) {
      if (row.size() > 5 && row[5].starts_with("about ")) {
        EXPECT_EQ(row[6], "–");
        EXPECT_EQ(row[4], "Mosaic era5 (leaderboard scrape)");
        ++approximate;
      }
    }
  }
  EXPECT_EQ(approximate, 2);
}

TEST_F(ReportOfRuns, WhatOnlyOneHasIsListed) {
  const std::string a = write("a", run(errors));
  options_.channels = {{"2m_temperature", std::nullopt}};
  options_.leads = {Duration::hours(24)};
  const std::string b = write("b", run({1, 4, 9, 2, 8}));
  const Report report = make_report({.runs = {a}, .reference = b});
  const std::string text = report_terminal(report);
  EXPECT_TRUE(contains(text, "channels geopotential_500")) << text;
  EXPECT_TRUE(contains(text, "lead times 72 h")) << text;
  EXPECT_TRUE(contains(text, "1 initial times are in one of them only")) << text;
  const auto difference = [&](const std::string& channel, int hours) {
    return report.find({0, channel, Duration::hours(hours), "crps"})->difference;
  };
  EXPECT_TRUE(difference("2m_temperature", 24).has_value());
  EXPECT_FALSE(difference("2m_temperature", 72).has_value());
  EXPECT_FALSE(difference("geopotential_500", 24).has_value());
}

TEST_F(ReportOfRuns, AnUnfinishedRunSaysSo) {
  const fs::path folder = folder_ / "part";
  fs::create_directories(folder / "sums");
  for (const InitTimeSums& sums : run({1, 4, 9})) {
    write_netcdf((folder / "sums" / (file_name_of(sums.initial_time) + ".nc")).string(),
                 to_netcdf(sums, options_));
  }
  write_records(folder, 7, "abc", "[global, tropics]");
  const Report report = make_report({.runs = {folder.string()}});
  ASSERT_EQ(report.remarks.size(), 1U);
  EXPECT_TRUE(contains(report.remarks[0], "part IS NOT FINISHED: 3 of 7")) << report.remarks[0];
  EXPECT_TRUE(contains(report_markdown(report), "part (NOT FINISHED): grid not stated"));
  // Its grid is that of the truth, which is the same.
  EXPECT_NO_THROW(make_report({.runs = {folder.string()}, .reference = write("a", run(errors))}));
}

TEST_F(ReportOfRuns, BadInputIsNamed) {
  const std::string a = write("a", run(errors));
  std::string message;
  const auto report_code = [&](ReportOptions options) {
    return code_of([&] { make_report(options); }, &message);
  };
  EXPECT_EQ(report_code({.runs = {(folder_ / "absent").string()}}), ExitCode::missing_input);
  EXPECT_TRUE(contains(message, "absent: no such folder")) << message;
  fs::create_directories(folder_ / "empty");
  EXPECT_EQ(report_code({.runs = {(folder_ / "empty").string()}}), ExitCode::missing_input);
  EXPECT_TRUE(contains(message, "neither sums.nc nor sums/*.nc")) << message;
  EXPECT_EQ(report_code({.runs = {a}, .region = "atlantis"}), ExitCode::usage);
  EXPECT_TRUE(contains(message, "global, tropics")) << message;
  EXPECT_EQ(report_code({.runs = {a}, .channels = {"geopotential_501"}}), ExitCode::usage);
  EXPECT_TRUE(contains(message, "geopotential_500, 2m_temperature")) << message;
  for (const char* file : {"sums.nc", "metrics.nc", "run.json", "identity.json"}) {
    const std::string broken = write("broken", run(errors));
    write_text((fs::path(broken) / file).string(), "not what it should be");
    EXPECT_EQ(report_code({.runs = {broken}}), ExitCode::corrupt_input) << file;
    EXPECT_TRUE(contains(message, file)) << message;
  }
  NetcdfDocument halved = read_netcdf(a + "/sums.nc");
  std::erase_if(halved.variables, [](const NetcdfVariable& one) { return one.name == "area_mean"; });
  write_netcdf((folder_ / "broken" / "sums.nc").string(), halved);
  EXPECT_EQ(report_code({.runs = {(folder_ / "broken").string()}}), ExitCode::corrupt_input);
  EXPECT_TRUE(contains(message, "area_mean")) << message;
}

// Members have twice the power behind degree 12, out of the band: effective resolution 12. The distance over
// degrees 10 ... 25 is 10 log10(2) at 13 of 16 degrees: 3.0103 sqrt(13 / 16) = 2.71.
TEST_F(ReportOfRuns, SpectralFidelityByHand) {
  const Report report = make_report({.runs = {write("mine", run(errors))}});
  const auto curves = degree_curves(report.runs[0], 0, 0);
  ASSERT_TRUE(curves.has_value());
  EXPECT_EQ(curves->initial_times, 4U);
  EXPECT_DOUBLE_EQ(curves->truth[2], 2.5 / 8.0);
  EXPECT_EQ(curves->ratio.deviation[20], 0.0);
  const Table table = report_tables(report).back();
  const std::vector<std::string> row = {"geopotential_500",
                                        "24 h",
                                        "4",
                                        "12 (3334 km)",
                                        "2.71",
                                        "6.02",
                                        "1.000 ± 0.000",
                                        "0.250",
                                        "2.000 ± 0.000",
                                        "0.250",
                                        "2.000 ± 0.000",
                                        "0.250"};
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_TRUE(std::equal(row.begin(), row.end(), table.rows[0].begin())) << markdown_text(table);
  EXPECT_EQ(table.columns[6], "M/T l=10");
  EXPECT_NEAR(wavelength_of_degree(20), 2000.41, 0.01);  // evaluation.md section 4
}

TEST(ReportTable, InAllFormats) {
  const Table table{"A & B", {"channel", "x|y"}, {{"z", "1 *"}, {"", "2"}}, {"a < b"}};
  EXPECT_EQ(terminal_text(table), "A & B\nchannel  x|y\nz        1 *\n           2\n  a < b\n\n");
  EXPECT_EQ(markdown_text(table),
            "### A & B\n\n| channel | x\\|y |\n|---|---:|\n| z | 1 \\* |\n|  | 2 |\n\n- a < b\n\n");
  EXPECT_EQ(html_text(table),
            "<section>\n<h3>A &amp; B</h3>\n<table>\n<thead><tr><th>channel</th><th>x|y</th></tr></thead>\n"
            "<tbody>\n<tr class=\"group\"><td>z</td><td>1 *</td></tr>\n<tr><td></td><td>2</td></tr>\n"
            "</tbody>\n</table>\n<ul class=\"notes\">\n<li>a &lt; b</li>\n</ul>\n</section>\n");
  EXPECT_EQ(text_of({0.0123456, 0.01, 0.02, 1, 9}), "0.01235 [0.01, 0.02]");
  EXPECT_EQ(text_of({2.0, std::nan(""), std::nan(""), 0, 2}), "2");
  EXPECT_EQ(text_of({std::nan(""), 0, 0, 0, 0}), "–");
}

// --- published scores -------------------------------------------------------------------------------------

const std::string published = "config/published_scores";

const PublishedScore* find_score(const std::vector<PublishedScore>& all, const std::string& model,
                                 const std::string& metric) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const PublishedScore& row) {
    return row.model == model && row.metric == metric && row.channel == Channel{"geopotential", 500} &&
           row.lead == Duration::hours(24);
  });
  return found == all.end() ? nullptr : &*found;
}

TEST(PublishedScores, MetricsAreMapped) {
  const auto all = read_published_scores(published);
  // gencast_1p5deg_2020.csv: crps_fair 20.24561, ensemble_mean_mse 1547.606, both read from the file's rows.
  const PublishedScore* rmse = find_score(all, "GenCast 0.25deg", "ensemble_mean_rmse");
  const PublishedScore* crps = find_score(all, "GenCast 0.25deg", "crps");
  ASSERT_TRUE(rmse != nullptr && crps != nullptr);
  std::istringstream lines(read_text(published + "/gencast_1p5deg_2020.csv"));
  int found = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string before = "GenCast 0.25deg,2020,ERA5,1.5deg,50,geopotential,500,";
    if (line.starts_with(before + "crps_fair,24,")) {
      EXPECT_EQ(crps->value, std::stod(line.substr(line.rfind(',') + 1)));
      ++found;
    }
    if (line.starts_with(before + "ensemble_mean_mse,24,")) {
      EXPECT_EQ(rmse->value, std::sqrt(std::stod(line.substr(line.rfind(',') + 1))));
      ++found;
    }
  }
  EXPECT_EQ(found, 2);
  EXPECT_EQ(rmse->members, 50);
  EXPECT_FALSE(rmse->approximate);
  EXPECT_TRUE(find_score(all, "Mosaic hres (digitised)", "ensemble_mean_rmse")->approximate);
  EXPECT_EQ(find_score(all, "IFS HRES", "acc"), nullptr);
  EXPECT_NE(find_score(all, "IFS HRES", "ensemble_mean_rmse"), nullptr);
}

TEST(PublishedScores, GridsYearsAndTruthsAreNeverMixed) {
  const auto all = read_published_scores(published);
  const std::string grid = "240 x 121, latitudes -90 ... 90";
  for (const PublishedScore& row : matching_scores(all, grid, 2020, "truth.zarr")) {
    EXPECT_EQ(row.grid + " " + std::to_string(row.year), "1.5deg 2020");
  }
  EXPECT_TRUE(find_score(matching_scores(all, grid, 2020, "/data/era5_2020.zarr"), "GenCast 1deg", "crps"));
  std::string message;
  for (const auto& [other_grid, year, truth] :
       {std::tuple<std::string, std::optional<int>, std::string>{"64 x 32, latitudes -87.1875 ... 87.1875",
                                                                 2020, "truth.zarr"},
        {grid, 2021, "truth.zarr"},
        {grid, std::nullopt, "truth.zarr"},
        {grid, 2020, "hres_t0.zarr"},
        {"", 2020, "truth.zarr"}}) {
    EXPECT_EQ(code_of([&] { matching_scores(all, other_grid, year, truth); }, &message),
              ExitCode::corrupt_input);
    EXPECT_TRUE(contains(message, "0.25deg against HRES-t0 analysis of 2022")) << message;
  }
}

TEST(PublishedScores, DamagedTablesAreNamed) {
  const fs::path folder = test::scratch_dir("published");
  std::string message;
  EXPECT_EQ(code_of([&] { read_published_scores((folder / "absent").string()); }, &message),
            ExitCode::missing_input);
  EXPECT_TRUE(contains(message, "--published")) << message;
  fs::copy(published, folder, fs::copy_options::recursive);
  std::string text = read_text((folder / "wb2_0p25deg_2022.csv").string());
  text.replace(text.find("0.2893586"), 9, "0.28x3586");  // the value of line 2
  write_text((folder / "wb2_0p25deg_2022.csv").string(), text);
  EXPECT_EQ(code_of([&] { read_published_scores(folder.string()); }, &message), ExitCode::corrupt_input);
  EXPECT_TRUE(contains(message, "wb2_0p25deg_2022.csv, line 2: '0.28x3586' is no number")) << message;
}

/// Files of SHA256SUMS whose text, after `change`, has another sum.
std::size_t files_with_other_sums(void (*change)(std::string&)) {
  std::istringstream lines(read_text(published + "/SHA256SUMS"));
  std::size_t wrong = 0;
  for (std::string sum, name; lines >> sum >> name;) {
    std::string text = read_text(published + "/" + name);
    change(text);
    wrong += sha256_of_text(text) == sum ? 0 : 1;
  }
  return wrong;
}

TEST(PublishedScores, FilesAreTheListedOnes) {
  EXPECT_EQ(files_with_other_sums([](std::string&) {}), 0U);
  EXPECT_EQ(files_with_other_sums([](std::string& text) { text.back() ^= 1; }), 4U);  // must-fail twin
}

}  // namespace
}  // namespace mosaic::eval
