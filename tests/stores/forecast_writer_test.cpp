#include "stores/forecast_writer.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "stores/netcdf_document.hpp"
#include "stores/netcdf_fields.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"
#include "support/python.hpp"

namespace mosaic {
namespace {

using test::code_of;

namespace fs = std::filesystem;

const Time initial_time = parse_time("2020-02-28T12");

ChannelSet state_channels() {
  return {parse_channel("2m_temperature"),        parse_channel("geopotential_850"),
          parse_channel("geopotential_500"),      parse_channel("mean_sea_level_pressure"),
          parse_channel("temperature_850"),       parse_channel("temperature_500"),
          parse_channel("specific_humidity_700"), parse_channel("10m_u_component_of_wind")};
}

/// Every channel, member, lead and point has its own value, so that nothing can be swapped unseen.
float value_at(int member, std::size_t channel, Duration lead, std::size_t point) {
  return 250.0F + 10.0F * static_cast<float>(channel) + 0.1F * static_cast<float>(member * member) +
         static_cast<float>(lead.in_hours()) / 64.0F + std::sin(0.37F * static_cast<float>(point));
}

struct Members {
  std::vector<std::vector<float>> values;
  std::vector<const float*> pointers;
};

Members members_at(Duration lead, int members, std::size_t points) {
  Members all;
  const std::size_t channels = state_channels().size();
  for (int m = 0; m < members; ++m) {
    std::vector<float> values;
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t p = 0; p < points; ++p) {
        values.push_back(value_at(m, c, lead, p));
      }
    }
    all.values.push_back(std::move(values));
  }
  for (const auto& values : all.values) {
    all.pointers.push_back(values.data());
  }
  return all;
}

constexpr int member_count = 3;
const LatLonGrid grid = LatLonGrid::with_poles(12, 7);

ForecastWriterOptions options_for(const fs::path& folder) {
  ForecastWriterOptions options;
  options.folder = folder.string();
  options.channels = state_channels();
  options.leads = {Duration::hours(6), Duration::hours(24)};
  options.threads = 2;
  options.attributes = {{"title", "Test of the forecast writer"}, {"institution", "none"}};
  return options;
}

void write_forecast(const ForecastWriterOptions& options, ForecastWriter& writer) {
  writer.begin(initial_time);
  for (const Duration lead : {Duration::hours(0), Duration::hours(6), Duration::hours(24)}) {
    writer.push(lead, members_at(lead, member_count, grid.points()).pointers);
  }
  writer.finish();
  for (const auto& entry : fs::directory_iterator(options.folder)) {
    EXPECT_EQ(entry.path().extension(), ".nc") << entry.path() << ": a temporary was left";
  }
}

void write_forecast(const ForecastWriterOptions& options) {
  ForecastWriter writer(options, grid, member_count, state_channels());
  write_forecast(options, writer);
}

const std::vector<float>& floats(const NetcdfDocument& document, const std::string& name) {
  return std::get<std::vector<float>>(document.variable(name).values);
}

std::string text(const NetcdfAttributes& attributes, const std::string& name) {
  for (const auto& [key, value] : attributes) {
    if (key == name && std::holds_alternative<std::string>(value)) {
      return std::get<std::string>(value);
    }
  }
  return "(absent)";
}

TEST(ForecastWriter, EnsembleLayoutHoldsEveryBit) {
  const auto folder = test::scratch_dir("forecast_ensemble");
  const auto options = options_for(folder);
  write_forecast(options);
  const NetcdfDocument file = read_netcdf((folder / "forecast_2020-02-28T12.nc").string());
  using Names = std::vector<std::string>;
  EXPECT_EQ(file.variable("z").dimensions, (Names{"time", "realization", "level", "latitude", "longitude"}));
  EXPECT_EQ(file.variable("t2m").dimensions, (Names{"time", "realization", "latitude", "longitude"}));
  EXPECT_EQ(file.variable("q").dimensions,
            (Names{"time", "realization", "level_2", "latitude", "longitude"}));
  EXPECT_EQ(std::get<std::vector<std::int32_t>>(file.variable("level").values), (std::vector{500, 850}));
  EXPECT_EQ(std::get<std::vector<std::int32_t>>(file.variable("level_2").values), (std::vector{700}));

  const auto& z = floats(file, "z");
  const auto& t2m = floats(file, "t2m");
  std::size_t i = 0;
  std::size_t j = 0;
  for (const Duration lead : options.leads) {
    for (int m = 0; m < member_count; ++m) {
      for (const std::size_t channel : {2U, 1U}) {  // 500 before 850
        for (std::size_t p = 0; p < grid.points(); ++p, ++i) {
          ASSERT_EQ(std::bit_cast<std::uint32_t>(z.at(i)),
                    std::bit_cast<std::uint32_t>(value_at(m, channel, lead, p)));
        }
      }
      for (std::size_t p = 0; p < grid.points(); ++p, ++j) {
        ASSERT_EQ(t2m.at(j), value_at(m, 0, lead, p));
      }
    }
  }
}

TEST(ForecastWriter, CoordinatesFollowCf) {
  const auto folder = test::scratch_dir("forecast_cf");
  write_forecast(options_for(folder));
  const NetcdfDocument file = read_netcdf((folder / "forecast_2020-02-28T12.nc").string());
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(file.variable("time").values),
            (std::vector<std::int64_t>{6, 24}));
  EXPECT_EQ(text(file.variable("time").attributes, "units"), "hours since 2020-02-28 12:00:00");
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(file.variable("forecast_period").values),
            (std::vector<std::int64_t>{21600, 86400}));
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(file.variable("forecast_reference_time").values).at(0),
            initial_time.seconds);
  EXPECT_EQ(std::get<std::vector<double>>(file.variable("latitude").values), grid.latitude);
  EXPECT_EQ(std::get<std::vector<double>>(file.variable("longitude").values), grid.longitude);
  const auto& t2m = file.variable("t2m").attributes;
  EXPECT_EQ(text(t2m, "standard_name"), "air_temperature");
  EXPECT_EQ(text(t2m, "cell_methods"), "time: point");
  EXPECT_EQ(text(t2m, "coordinates"), "forecast_period forecast_reference_time height_2m");
  EXPECT_EQ(std::get<std::vector<double>>(file.variable("height_2m").values).at(0), 2.0);
  EXPECT_EQ(std::get<std::vector<double>>(file.variable("height_10m").values).at(0), 10.0);
  EXPECT_EQ(text(file.attributes, "Conventions"), "CF-1.11, ACDD-1.3");
  EXPECT_EQ(text(file.attributes, "title"), "Test of the forecast writer");
  EXPECT_EQ(text(file.attributes, "time_coverage_end"), "2020-02-29T12:00:00Z");
}

TEST(ForecastWriter, MeanAndSpreadAreVariablesOrFiles) {
  const auto folder = test::scratch_dir("forecast_products");
  auto options = options_for(folder);
  options.mean = options.spread = true;
  write_forecast(options);
  options.layout = ForecastLayout::member;
  write_forecast(options);
  const NetcdfDocument both = read_netcdf((folder / "forecast_2020-02-28T12.nc").string());
  const NetcdfDocument mean = read_netcdf((folder / "forecast_2020-02-28T12_mean.nc").string());
  const NetcdfDocument spread = read_netcdf((folder / "forecast_2020-02-28T12_spread.nc").string());
  EXPECT_EQ(floats(both, "t2m_mean"), floats(mean, "t2m"));
  EXPECT_EQ(floats(both, "z_spread"), floats(spread, "z"));
  EXPECT_EQ(text(spread.variable("z").attributes, "cell_methods"),
            "time: point realization: standard_deviation");
  const double a = value_at(0, 0, options.leads[0], 5);
  const double b = value_at(1, 0, options.leads[0], 5);
  const double c = value_at(2, 0, options.leads[0], 5);
  const double m = (a + b + c) / 3;
  EXPECT_EQ(floats(mean, "t2m").at(5), static_cast<float>(m));
  EXPECT_FLOAT_EQ(
      floats(spread, "t2m").at(5),
      static_cast<float>(std::sqrt(((a - m) * (a - m) + (b - m) * (b - m) + (c - m) * (c - m)) / 2)));
}

TEST(ForecastWriter, MemberLayoutEqualsEnsembleLayoutInWeatherBenchNames) {
  const auto folder = test::scratch_dir("forecast_member");
  auto options = options_for(folder);
  options.naming = VariableNaming::wb2;
  write_forecast(options);
  options.layout = ForecastLayout::member;
  write_forecast(options);
  const NetcdfDocument all = read_netcdf((folder / "forecast_2020-02-28T12.nc").string());
  const NetcdfDocument one = read_netcdf((folder / "forecast_2020-02-28T12_member001.nc").string());
  const auto& a = floats(all, "2m_temperature");
  const auto& b = floats(one, "2m_temperature");
  ASSERT_EQ(a.size(), b.size() * member_count);
  for (std::size_t t = 0; t < 2; ++t) {
    for (std::size_t p = 0; p < grid.points(); ++p) {
      ASSERT_EQ(a[(t * member_count + 1) * grid.points() + p], b[t * grid.points() + p]);
    }
  }
  EXPECT_EQ(std::get<std::vector<std::int32_t>>(one.variable("realization").values).at(0), 1);
}

TEST(ForecastWriter, FilesOpenAsFieldStores) {
  const auto folder = test::scratch_dir("forecast_fields");
  auto options = options_for(folder);
  write_forecast(options);
  FieldStoreOptions reading;
  reading.member = 2;
  const auto store = open_netcdf_fields((folder / "forecast_2020-02-28T12.nc").string(), reading);
  const auto channels = std::make_shared<const ChannelSet>(state_channels());
  for (const Duration lead : options.leads) {
    const State state = store->read(initial_time + lead, channels);
    EXPECT_EQ(state.values, members_at(lead, member_count, grid.points()).values[2]);
  }
}

TEST(ForecastWriter, QuantisationKeepsTheDigitsAsked) {
  const auto folder = test::scratch_dir("forecast_quantised");
  auto options = options_for(folder);
  options.quantize_digits = 3;
  options.deflate = 0;
  write_forecast(options);
  const auto t2m = floats(read_netcdf((folder / "forecast_2020-02-28T12.nc").string()), "t2m");
  bool changed = false;
  for (std::size_t p = 0; p < grid.points(); ++p) {
    const float exact = value_at(0, 0, options.leads[0], p);
    EXPECT_LE(std::abs(t2m[p] - exact), 0.5e-3F * std::abs(exact));
    changed = changed || t2m[p] != exact;
  }
  EXPECT_TRUE(changed) << "nothing was rounded";
}

TEST(ForecastWriter, ASmallQueueWaitsAndLosesNothing) {
  const auto folder = test::scratch_dir("forecast_queue");
  auto options = options_for(folder);
  options.queue_bytes = 1;
  options.leads.clear();
  for (int i = 1; i <= 20; ++i) {
    options.leads.push_back(Duration::hours(6 * i));
  }
  ForecastWriter writer(options, grid, member_count, state_channels());
  for (const Time start : {initial_time, initial_time + Duration::days(1)}) {
    writer.begin(start);
    for (const Duration lead : options.leads) {
      writer.push(lead, members_at(lead, member_count, grid.points()).pointers);
    }
    writer.finish();
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    bytes += entry.file_size();
    const auto file = read_netcdf(entry.path().string());
    const auto& t2m = floats(file, "t2m");
    EXPECT_EQ(t2m.back(), value_at(member_count - 1, 0, options.leads.back(), grid.points() - 1));
  }
  EXPECT_EQ(writer.bytes_written(), bytes);
  EXPECT_GE(writer.seconds_waited(), 0.0);
}

TEST(ForecastWriter, FailuresAreReportedAndLeaveNothing) {
  const auto folder = test::scratch_dir("forecast_failure");
  auto options = options_for(folder / "no_such_folder");
  ForecastWriter lost(options, grid, member_count, state_channels());
  std::string message;
  EXPECT_EQ(code_of([&] { write_forecast(options, lost); }, &message), ExitCode::cannot_create);
  EXPECT_NE(message.find("no_such_folder"), std::string::npos) << message;

  fs::create_directory(folder / "no_such_folder");  // the same writer goes on with the next initial time
  EXPECT_EQ(code_of([&] { write_forecast(options, lost); }), ExitCode::complete);

  options.folder = folder.string();
  {
    ForecastWriter writer(options, grid, member_count, state_channels());
    writer.begin(initial_time);
    const auto members = members_at(options.leads[0], member_count, grid.points());
    writer.push(options.leads[0], members.pointers);
    EXPECT_EQ(code_of([&] { writer.push(options.leads[0], members.pointers); }), ExitCode::internal);
    EXPECT_EQ(code_of([&] { writer.finish(); }, &message), ExitCode::internal);
    EXPECT_NE(message.find("24h"), std::string::npos) << message;
    writer.begin(initial_time);
    writer.push(options.leads[0], members.pointers);
  }  // given up
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << "only the folder of the first part";
}

TEST(ForecastWriter, BadOptionsAreReportedTogether) {
  ForecastWriterOptions options = options_for("unused");
  options.channels.push_back(parse_channel("vertical_velocity_50"));
  options.deflate = 11;
  options.leads = {Duration::hours(6), Duration::hours(6)};
  std::string message;
  EXPECT_EQ(code_of([&] { ForecastWriter(options, grid, member_count, state_channels()); }, &message),
            ExitCode::bad_configuration);
  for (const char* part : {"vertical_velocity_50", "deflate 11", "ascending"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

TEST(ForecastWriter, XarrayDecodesBothLayouts) {
  PYTHON_OR_SKIP("xarray, netCDF4");
  const auto folder = test::scratch_dir("forecast_xarray");
  auto options = options_for(folder);
  write_forecast(options);
  options.layout = ForecastLayout::member;
  write_forecast(options);
  const std::string script = R"(
import sys, numpy, xarray
valid = numpy.array(["2020-02-28T18", "2020-02-29T12"], dtype="datetime64[ns]")
a = xarray.open_dataset(sys.argv[1] + "/forecast_2020-02-28T12.nc", decode_timedelta=True)
b = xarray.open_dataset(sys.argv[1] + "/forecast_2020-02-28T12_member002.nc", decode_timedelta=True)
for d in (a, b):
    assert (d.time.values == valid).all(), d.time
    assert d.forecast_reference_time.values == numpy.datetime64("2020-02-28T12"), d.forecast_reference_time
    assert (d.time - d.forecast_reference_time == d.forecast_period).all(), d.forecast_period
    assert set(d.t2m.coords) >= {"height_2m", "latitude", "longitude", "time"}, d.t2m
    assert not d.t2m.isnull().any()
assert a.z.dims == ("time", "realization", "level", "latitude", "longitude"), a.z
assert b.z.dims == ("time", "level", "latitude", "longitude"), b.z
assert int(b.realization) == 2
xarray.testing.assert_equal(a.z.isel(realization=2).drop_vars("realization"), b.z.drop_vars("realization"))
assert a.z.encoding["fletcher32"] and a.z.encoding["zlib"] and a.z.encoding["shuffle"], a.z.encoding
assert a.z.encoding["chunksizes"] == (1, 1, 1, 7, 12), a.z.encoding
)";
  const test::Job job = test::run_python(script, {folder.string()});
  EXPECT_EQ(job.code, 0) << job.output;
}

TEST(ForecastWriter, CdoReadsTheMemberLayout) {
  if (test::run_job({"/usr/bin/env", "cdo", "--version"}).code != 0) {
    GTEST_SKIP() << "cdo is not installed";
  }
  const auto folder = test::scratch_dir("forecast_cdo");
  auto options = options_for(folder);
  options.layout = ForecastLayout::member;
  write_forecast(options);
  const std::string file = folder / "forecast_2020-02-28T12_member000.nc";
  const test::Job job = test::run_job({"/usr/bin/env", "cdo", "-s", "sinfon", file});
  const std::string& output = job.output;
  EXPECT_EQ(job.code, 0) << output;
  for (const char* part : {"t2m", "msl", "lonlat", "points=84 (12x7)", "pressure", "500 to 850 hPa",
                           "2020-02-28 18:00:00", "2020-02-29 12:00:00"}) {
    EXPECT_NE(output.find(part), std::string::npos) << "no '" << part << "' in:\n" << output;
  }
  EXPECT_EQ(output.find("generic"), std::string::npos) << output;
}

}  // namespace
}  // namespace mosaic
