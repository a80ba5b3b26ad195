#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <numbers>
#include <optional>
#include <sstream>

#include "base/error.hpp"
#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "stores/climatology_store.hpp"
#include "stores/netcdf_document.hpp"
#include "stores/zarr_writer.hpp"
#include "support/golden.hpp"
#include "support/python.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr const char* in_a_day = "total_precipitation_24hr";

/// What a channel is at a time and point of the grid.
using Weather = std::function<float(const Channel&, Time, std::size_t point)>;

/// Numbers without a pattern; dry on a third of the days; missing on
/// two days and at one point.
float any_weather(const Channel& channel, Time time, std::size_t point) {
  std::uint64_t bits = static_cast<std::uint64_t>(time.seconds) * 0x9E3779B97F4A7C15ULL +
                       point * 0xD1B54A32D192ED03ULL + std::hash<std::string>{}(channel.name());
  bits = (bits ^ (bits >> 29)) * 0xBF58476D1CE4E5B9ULL;
  bits = (bits ^ (bits >> 32)) * 0x94D049BB133111EBULL;
  const auto number = static_cast<float>((bits >> 40) * 0x1p-24);
  if (channel.variable == in_a_day) {
    const bool missing = calendar(time).year == 2019 && calendar(time).day_of_year < 3;
    return missing || point == 5 ? nan : std::max(0.0F, 3e-3F * number - 1e-3F);
  }
  return channel.level ? 5e4F + 500.0F * number : 280.0F + 10.0F * number;
}

const auto grid =
    std::make_shared<const LatLonGrid>(LatLonGrid{{-60.0, 0.0, 60.0}, {0.0, 90.0, 180.0, 270.0}});
const ChannelSet all_channels = {
    {"2m_temperature", {}}, {"geopotential", 500}, {"geopotential", 850}, {in_a_day, {}}};

/// 00 and 12 UTC of whole years.
std::vector<Time> times_of(int first, int last) {
  std::vector<Time> times;
  const Time end = parse_time(fmt::format("{}-01-01", last + 1));
  for (Time time = parse_time(fmt::format("{}-01-01", first)); time < end;
       time = time + Duration::hours(12)) {
    times.push_back(time);
  }
  return times;
}

/// Fields of a channel at these times, one after another.
std::vector<float> fields_of(const Weather& weather, const Channel& channel, const std::vector<Time>& times) {
  std::vector<float> values;
  for (const Time time : times) {
    for (std::size_t point = 0; point < grid->points(); ++point) {
      values.push_back(weather(channel, time, point));
    }
  }
  return values;
}

/// A NetCDF file, which is quicker to write than thousands of chunks.
std::string write_years(const std::string& name, const std::vector<Time>& times, const Weather& weather) {
  NetcdfDocument file;
  std::vector<std::int64_t> hours;
  for (const Time time : times) {
    hours.push_back((time - times.front()).seconds / 3600);
  }
  const std::string units = "hours since " + to_string(times.front());
  file.dimensions = {{"time", times.size()}, {"level", 2}, {"latitude", 3}, {"longitude", 4}};
  file.variables = {
      {"time", {"time"}, hours, {{"units", units}}},
      {"level", {"level"}, std::vector<std::int64_t>{500, 850}, {{"units", std::string("hPa")}}},
      {"latitude", {"latitude"}, grid->latitude, {{"units", std::string("degrees_north")}}},
      {"longitude", {"longitude"}, grid->longitude, {{"units", std::string("degrees_east")}}}};
  for (const char* variable : {"2m_temperature", in_a_day}) {
    file.variables.push_back(
        {variable, {"time", "latitude", "longitude"}, fields_of(weather, {variable, {}}, times), {}});
  }
  std::vector<float> geopotential;
  for (const Time time : times) {
    for (const int level : {500, 850}) {
      const auto field = fields_of(weather, {"geopotential", level}, {time});
      geopotential.insert(geopotential.end(), field.begin(), field.end());
    }
  }
  file.variables.push_back({"geopotential", {"time", "level", "latitude", "longitude"}, geopotential, {}});
  const std::string path = (scratch_dir("climatology_" + name) / "years.nc").string();
  write_netcdf(path, file);
  return path;
}

/// A Zarr store with 2m_temperature of any_weather() in 2019.
std::string write_zarr_year(const std::string& name) {
  const std::string path = (scratch_dir("climatology_" + name) / "year.zarr").string();
  const auto channels = std::make_shared<const ChannelSet>(ChannelSet{{"2m_temperature", {}}});
  const std::vector<Time> times = times_of(2019, 2019);
  ZarrWriter writer(path, grid, channels, times);
  for (const Time time : times) {
    writer.write({time, grid, channels, fields_of(any_weather, (*channels)[0], {time})});
  }
  writer.close();
  return path;
}

/// 2019 ... 2021 of any_weather(), written once.
std::string shared_years() {
  static const std::string path = write_years("shared", times_of(2019, 2021), any_weather);
  return path;
}

/// Where a test writes, without the folder.
std::string output_of(const std::string& test) {
  return (scratch_dir("climatology_output_" + test) / "out.zarr").string();
}

Job make(int ranks, const std::string& input, const std::string& output, const std::string& arguments = "") {
  return shell(launcher(ranks) + program("mosaic_data") + " climatology " + input + " " + output + " " +
               arguments);
}

/// Every file of a folder.
std::map<std::string, std::string> bytes_of(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), folder).string()] = read_text(entry.path().string());
    }
  }
  return files;
}

TEST(ClimatologyProgram, SameBytesWithAnyRanksThreadsAndMemory) {
  const std::string input = shared_years();
  const std::string place = output_of("SameBytesWithAnyRanksThreadsAndMemory");
  const std::string quantiles = "--quantiles 0.1,0.5,0.9 ";
  ASSERT_EQ(make(0, input, place + ".0", quantiles).code, 0);
  const auto expected = bytes_of(place + ".0");
  EXPECT_GT(expected.size(), 20U);
  const std::pair<int, std::string> ways[] = {
      {1, "--threads 3"}, {2, "--memory 0.000138"}, {4, ""}, {4, "--memory 0.00008 --threads 2"}};
  for (std::size_t k = 0; k < std::size(ways); ++k) {
    const std::string output = place + fmt::format(".way{}", k);
    const Job job = make(ways[k].first, input, output, quantiles + ways[k].second);
    ASSERT_EQ(job.code, 0) << job.output;
    const bool again = ways[k].second.starts_with("--memory");
    EXPECT_EQ(job.output.find("too little memory") != std::string::npos, again) << job.output;
    EXPECT_TRUE(bytes_of(output) == expected) << ways[k].first << " ranks " << ways[k].second;
  }
}

TEST(ClimatologyProgram, FollowsTheRecipeInTermsOfXarray) {
  PYTHON_OR_SKIP("xarray, zarr, netCDF4");
  const std::string input = shared_years();
  const std::string place = output_of("FollowsTheRecipeInTermsOfXarray");
  const auto script = fs::path(std::getenv("MOSAIC_SOURCE")) / "tests/end_to_end/climatology_reference.py";
  for (const std::string window : {"61", "5"}) {
    const std::string output = place + ".window" + window;
    ASSERT_EQ(make(2, input, output, "--quantiles 0.1,0.5,0.9 --window " + window).code, 0);
    const Job job = run_job({python(), "-B", script.string(), input, output, window});
    EXPECT_EQ(job.code, 0) << job.output;
  }
}

/// The field of a day at an hour.
std::vector<float> read(const std::string& path, const Channel& channel, int day, int hour,
                        ClimatologyPart part = ClimatologyPart::mean) {
  ClimatologyStore store(path, {});
  return store.read(day, hour, {channel}, part);
}

TEST(ClimatologyProgram, ClimatologyStoreReadsEveryPart) {
  const std::string input = shared_years();
  const std::string output = output_of("ClimatologyStoreReadsEveryPart");
  const Job job = make(2, input, output, "--quantiles 0.25,0.75");
  ASSERT_EQ(job.code, 0) << job.output;
  EXPECT_NE(job.output.find("4 channels at 2 hours, years 2019-2021"), std::string::npos) << job.output;
  ClimatologyStore store(output, {});
  EXPECT_EQ(store.grid(), *grid);
  EXPECT_EQ(store.hours(), (std::vector<int>{0, 12}));
  EXPECT_EQ(store.days_of_year().size(), 366U);
  EXPECT_EQ(store.quantiles(), (std::vector<double>{0.25, 0.75}));
  for (const Channel& channel : all_channels) {
    for (const auto part : {ClimatologyPart::mean, ClimatologyPart::deviation, ClimatologyPart::quantile}) {
      EXPECT_TRUE(store.has(channel, part)) << channel.name();
    }
    const auto low = store.read_quantile(200, 12, channel, 0.25);
    const auto mean = store.read(200, 12, {channel}, ClimatologyPart::mean);
    EXPECT_LT(low[0], mean[0]);
    EXPECT_GT(store.read(200, 12, {channel}, ClimatologyPart::deviation)[0], 0.0F);
  }
  const auto dry =
      store.read(200, 12, {{"total_precipitation_24hr_seeps_dry_fraction", {}}}, ClimatologyPart::mean);
  EXPECT_NEAR(dry[0], 1.25 / 3.0, 0.15);
  EXPECT_TRUE(std::isnan(dry[5]));
  const auto wet =
      store.read(200, 12, {{"total_precipitation_24hr_seeps_threshold", {}}}, ClimatologyPart::mean);
  EXPECT_NEAR(wet[0], 1.42e-3, 0.3e-3);
}

// Days that have nothing to do with each other: persistence scores as any constant forecast does, 1.
TEST(ClimatologyProgram, EvaluationsScoreAgainstIt) {
  const std::string input = shared_years();
  const std::string climatology = output_of("EvaluationsScoreAgainstIt");
  ASSERT_EQ(make(0, input, climatology, "--quantiles 0.25,0.75").code, 0);
  const fs::path folder = scratch_dir("climatology_scores");
  std::vector<fs::path> folders;
  for (const int ranks : {0, 2}) {
    folders.push_back(folder / std::to_string(ranks));
    const Job job = shell(launcher(ranks) + program("mosaic_evaluate") +
                          " --set forecast.kind=persistence --set forecast.lead_times=1d --start 2020-03-01 "
                          "--end 2020-06-01 --set times.step=1d --set score.skipna=true --truth " +
                          input + " --climatology " + climatology +
                          " --set score.channels=total_precipitation_24hr,2m_temperature --set "
                          "score.percentiles=25,75 --out " +
                          folders.back().string());
    ASSERT_EQ(job.code, 0) << job.output;
  }
  expect_same_results(folders[0], folders[1]);
  std::map<std::string, double> scores;
  std::istringstream lines(read_text((folders[0] / "metrics.csv").string()));
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t end = line.rfind(','); end != std::string::npos && !line.starts_with('#')) {
      scores[line.substr(0, end)] = std::strtod(line.c_str() + end + 1, nullptr);
    }
  }
  // 93 days x 11 points: costs of standard deviation 1.5 give 0.05.
  EXPECT_NEAR(scores["seeps,global,total_precipitation_24hr,,24"], 1.0, 0.2);
  EXPECT_EQ(scores["seeps,global,total_precipitation_24hr,,24"],
            scores["ensemble_mean_seeps,global,total_precipitation_24hr,,24"]);
  EXPECT_NEAR(scores["acc,global,2m_temperature,,24"], 0.0, 0.1);
  // Both thresholds: (p - o)^2 of two independent events of probability 1/4 or 3/4 is 3/8.
  EXPECT_NEAR(scores["rps,global,2m_temperature,,24"], 0.75, 0.1);
}

// Window 1: day d of the climatology is the mean of that day over the years. x = year: days 60 ... 365 are
// those of every year; day 366 has day 365 of the years without it.
TEST(ClimatologyProgram, LeapYearsAndHours) {
  const Channel channel{"2m_temperature", {}};
  const Weather weather = [](const Channel&, Time time, std::size_t point) {
    const CalendarTime at = calendar(time);
    return static_cast<float>(1000 * (at.year - 2018) + at.day_of_year) +
           static_cast<float>(at.hour) / 64.0F + (at.month == 2 && at.day == 29 ? 5000.0F : 0.0F) +
           10000.0F * static_cast<float>(point);
  };
  const std::string input = write_years("leap", times_of(2019, 2021), weather);
  const std::string output = output_of("LeapYearsAndHours");
  ASSERT_EQ(make(2, input, output, "--window 1 --statistics mean,std").code, 0);
  for (const int hour : {0, 12}) {
    const float of_hour = static_cast<float>(hour) / 64.0F;
    EXPECT_EQ(read(output, channel, 59, hour)[2], 22059.0F + of_hour);
    EXPECT_FLOAT_EQ(read(output, channel, 60, hour)[0], 2060.0F + of_hour + 5000.0F / 3.0F);
    EXPECT_EQ(read(output, channel, 365, hour)[0], 2365.0F + of_hour);
    EXPECT_FLOAT_EQ(read(output, channel, 366, hour)[0], 2365.0F + 1.0F / 3.0F + of_hour);
    EXPECT_FLOAT_EQ(read(output, channel, 100, hour, ClimatologyPart::deviation)[0],
                    1000.0F * std::sqrt(2.0F / 3.0F));
  }
}

TEST(ClimatologyProgram, ChosenChannelsHoursAndYears) {
  const std::string input = shared_years();
  const std::string output = output_of("ChosenChannelsHoursAndYears");
  const Job job = make(0, input, output, "--channels geopotential_850 --hours 12 --years 2020 --window 3");
  ASSERT_EQ(job.code, 0) << job.output;
  ClimatologyStore store(output, {});
  EXPECT_EQ(store.hours(), std::vector<int>{12});
  EXPECT_EQ(store.channels(ClimatologyPart::mean), (ChannelSet{{"geopotential", 850}}));
  EXPECT_EQ(store.read(31, 12, {{"geopotential", 850}}, ClimatologyPart::mean)[7],
            any_weather({"geopotential", 850}, parse_time("2020-01-31T12"), 7));
  EXPECT_NE(read_text(output + "/.zattrs").find("2020-2020"), std::string::npos);
}

TEST(ClimatologyProgram, ZarrGivesTheSameValues) {
  const std::string output = output_of("ZarrGivesTheSameValues");
  const Job job = make(2, write_zarr_year("zarr"), output + ".of_zarr");
  ASSERT_EQ(job.code, 0) << job.output;
  ASSERT_EQ(make(0, shared_years(), output + ".of_netcdf", "--years 2019").code, 0);
  for (const int day : {1, 200, 366}) {
    EXPECT_EQ(read(output + ".of_zarr", {"2m_temperature", {}}, day, 12),
              read(output + ".of_netcdf", {"2m_temperature", {}}, day, 12));
  }
}

void expect_refusal(const Job& job, ExitCode code, const std::string& words) {
  EXPECT_EQ(job.code, static_cast<int>(code)) << job.output;
  EXPECT_NE(job.output.find(words), std::string::npos) << job.output;
}

TEST(ClimatologyProgram, MissingTimesAreNamed) {
  const Time lost = parse_time("2020-02-29T12");
  std::vector<Time> times = times_of(2019, 2020);
  std::erase(times, lost);
  const std::string input = write_years("missing", times, any_weather);
  const std::string output = output_of("MissingTimesAreNamed");
  for (const int ranks : {0, 2}) {
    expect_refusal(make(ranks, input, output), ExitCode::missing_input, "2020-02-29T12");
    EXPECT_FALSE(fs::exists(output));
    EXPECT_FALSE(fs::exists(output + ".unfinished"));
  }
  expect_refusal(make(0, input, output, "--years 2018-2019"), ExitCode::missing_input, "2018-01-01T00");
  expect_refusal(make(0, input, output, "--end 2019-12-30"), ExitCode::missing_input, "2019-12-31T00");
  expect_refusal(make(0, input, output, "--hours 6"), ExitCode::missing_input, "at the hours 6");
  const Job job = make(2, input, output, "--allow-missing --window 1 --channels 2m_temperature");
  expect_refusal(job, ExitCode::complete, "left out: 1 times");
  EXPECT_EQ(read(output, {"2m_temperature", {}}, 60, 12)[0],
            any_weather({"2m_temperature", {}}, parse_time("2019-03-01T12"), 0));
}

TEST(ClimatologyProgram, RefusesWhatItCannotDo) {
  const std::string input = shared_years();
  const std::string output = output_of("RefusesWhatItCannotDo");
  create_folder(output);
  expect_refusal(make(2, input, output), ExitCode::cannot_create, "exists already");
  fs::remove_all(output);
  create_folder(output + ".unfinished");
  expect_refusal(make(0, input, output), ExitCode::cannot_create, "interrupted");
  fs::remove_all(output + ".unfinished");
  expect_refusal(make(0, input + "x", output), ExitCode::missing_input, "years.ncx");
  expect_refusal(make(0, input, output, "--variables gepotential"), ExitCode::missing_input, "gepotential");
  expect_refusal(make(0, input, output, "--window 4"), ExitCode::usage, "odd");
  expect_refusal(make(0, input, output, "--window 367"), ExitCode::usage, "365");
  expect_refusal(make(0, input, output, "--quantiles 2"), ExitCode::usage, "quantiles");
  expect_refusal(make(0, input, output, "--statistics quantile"), ExitCode::usage, "--quantiles");
  expect_refusal(make(0, input, output, "--years 90s"), ExitCode::usage, "1990-2019");
  expect_refusal(make(0, input, output, "--years 2019 --start 2019-01-01"), ExitCode::usage, "--start");
  expect_refusal(make(0, input, output, "--statistics seeps --variables geopotential"),
                 ExitCode::missing_input, "total_precipitation_24hr");
  EXPECT_FALSE(fs::exists(output));
}

TEST(ClimatologyProgram, ADamagedChunkLeavesNothingThatLooksComplete) {
  const std::string input = write_zarr_year("damaged");
  const std::string output = output_of("ADamagedChunkLeavesNothingThatLooksComplete");
  write_text(input + "/2m_temperature/400.0.0", "no blosc frame");
  for (const int ranks : {0, 2}) {
    const Job job = make(ranks, input, output);
    expect_refusal(job, ExitCode::corrupt_input, "400.0.0");
    EXPECT_FALSE(fs::exists(output));
    fs::remove_all(output + ".unfinished");
  }
}

}  // namespace
}  // namespace mosaic::test
