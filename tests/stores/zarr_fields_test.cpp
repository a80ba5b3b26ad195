#include "stores/zarr_fields.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <numeric>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/cf_time.hpp"
#include "stores/forecast_samples.hpp"
#include "stores/frozen_fields.hpp"
#include "stores/prefetch.hpp"
#include "stores/zarr_test_store.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

void expect_error(ExitCode code, const std::vector<std::string>& words, const std::function<void()>& body) {
  try {
    body();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    for (const std::string& word : words) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << word << " in: " << error.what();
    }
  }
}

/// Replaces a one-dimensional coordinate by uncompressed doubles.
void replace_coordinate(const std::string& store, const std::string& name, const std::vector<double>& values,
                        const std::string& attributes) {
  fs::remove(store + "/.zmetadata");
  const std::string length = std::to_string(values.size());
  write_text_atomically(
      store + "/" + name + "/.zarray",
      R"({"zarr_format":2,"shape":[)" + length + R"(],"chunks":[)" + length +
          R"(],"dtype":"<f8","fill_value":null,"order":"C","filters":null,"compressor":null})");
  write_text_atomically(store + "/" + name + "/.zattrs", attributes);
  write_text_atomically(store + "/" + name + "/0",
                        {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)});
}

TEST(ZarrFields, ReadsWithoutConsolidatedMetadata) {
  const SampleStore sample = write_sample("folders");
  const std::string identity = ZarrFields(sample.path, {}).identity();
  fs::remove(sample.path + "/.zmetadata");
  ZarrFields store(sample.path, {});
  EXPECT_EQ(store.identity(), identity);
  EXPECT_EQ(store.read(sample.times[2], sample.channels).values,
            sample_state(sample, sample.times[2]).values);
}

TEST(ZarrFields, ChannelsInAnyOrderAndNumberOfThreads) {
  const SampleStore sample = write_sample("order");
  FieldStoreOptions options;
  options.threads = 3;
  ZarrFields store(sample.path, options);
  const auto some = std::make_shared<const ChannelSet>(
      ChannelSet{{"temperature", 500}, {"2m_temperature", {}}, {"temperature", 850}});
  const State all = sample_state(sample, sample.times[1]);
  const State state = store.read(sample.times[1], some);
  const std::size_t expected[] = {4, 0, 3};
  for (std::size_t c = 0; c < some->size(); ++c) {
    const auto field = state.field(c);
    const auto truth = all.field(expected[c]);
    EXPECT_TRUE(std::equal(field.begin(), field.end(), truth.begin(), truth.end())) << c;
  }
}

TEST(ZarrFields, CoordinatesAreNormalisedByValue) {
  const SampleStore sample = write_sample("turned");
  replace_coordinate(sample.path, "latitude", {60.0, 20.0, -20.0, -60.0},
                     R"({"_ARRAY_DIMENSIONS":["latitude"]})");
  replace_coordinate(sample.path, "longitude", {-180.0, -120.0, -60.0, 0.0, 60.0, 120.0},
                     R"({"_ARRAY_DIMENSIONS":["longitude"]})");
  ZarrFields store(sample.path, {});
  EXPECT_EQ(store.grid(), *sample.grid);
  const State stored = sample_state(sample, sample.times[0]);
  const State read = store.read(sample.times[0], sample.channels);
  const std::size_t columns = 6;
  const std::size_t rows = 4;
  for (std::size_t j = 0; j < rows; ++j) {
    for (std::size_t i = 0; i < columns; ++i) {
      EXPECT_EQ(read.field(1)[j * columns + i],
                stored.field(1)[(rows - 1 - j) * columns + (i + columns / 2) % columns]);
    }
  }
}

TEST(ZarrFields, EverythingMissingIsNamedAtOnce) {
  const SampleStore sample = write_sample("missing");
  ZarrFields store(sample.path, {});
  const auto channels = std::make_shared<const ChannelSet>(ChannelSet{
      {"geopotential", 500}, {"geopotential", 700}, {"specific_humidity", 500}, {"2m_temperature", 500}});
  expect_error(
      ExitCode::missing_input,
      {sample.path, "2020-02-27T00", "geopotential at 700 hPa", "specific_humidity", "2m_temperature"},
      [&] { store.read(parse_time("2020-02-27T00"), channels); });
  EXPECT_TRUE(store.has({"geopotential", 500}));
  EXPECT_FALSE(store.has({"geopotential", 700}));
  EXPECT_FALSE(store.has({"geopotential", {}}));
  EXPECT_TRUE(store.has_time(sample.times[1]));
  EXPECT_FALSE(store.has_time(parse_time("2020-02-27T00")));
}

TEST(ZarrFields, AbsentChunksFollowTheRule) {
  const SampleStore sample = write_sample("absent");
  fs::remove(sample.path + "/geopotential/1.0.0.0");
  const State with_nan = ZarrFields(sample.path, {}).read(sample.times[1], sample.channels);
  EXPECT_TRUE(std::isnan(with_nan.field(1)[0]));

  fs::remove(sample.path + "/.zmetadata");
  const std::string file = sample.path + "/geopotential/.zarray";
  std::string metadata = read_text(file);
  metadata.replace(metadata.find("\"NaN\""), 5, "7.5");
  write_text_atomically(file, metadata);
  expect_error(ExitCode::missing_input, {"geopotential/1.0.0.0"},
               [&] { ZarrFields(sample.path, {}).read(sample.times[1], sample.channels); });
  FieldStoreOptions allow;
  allow.allow_missing_chunks = true;
  EXPECT_EQ(ZarrFields(sample.path, allow).read(sample.times[1], sample.channels).field(1)[0], 7.5F);
}

TEST(ZarrFields, TimesMustAscend) {
  const SampleStore sample = write_sample("times");
  const std::string attributes = R"({"_ARRAY_DIMENSIONS":["time"],"units":"days since 2000-01-01"})";
  replace_coordinate(sample.path, "time", {1.0, 3.0, 2.0}, attributes);
  expect_error(ExitCode::corrupt_input, {"2000-01-04", "2000-01-03"}, [&] { ZarrFields(sample.path, {}); });
  replace_coordinate(sample.path, "time", {1.0, 3.0, 3.0}, attributes);
  expect_error(ExitCode::corrupt_input, {"time"}, [&] { ZarrFields(sample.path, {}); });
  replace_coordinate(sample.path, "time", {1.0, 2.0, 3.5}, attributes);
  EXPECT_EQ(ZarrFields(sample.path, {}).times().back(), parse_time("2000-01-04T12"));
}

TEST(ZarrFields, AbsentCoordinatesAreNamedTogether) {
  const SampleStore sample = write_sample("coordinates");
  fs::remove(sample.path + "/.zmetadata");
  fs::remove_all(sample.path + "/latitude");
  fs::remove_all(sample.path + "/time");
  expect_error(ExitCode::missing_input, {"latitude", "time"}, [&] { ZarrFields(sample.path, {}); });
}

TEST(ZarrFields, MembersAreChosenByValue) {
  const SampleStore sample = write_sample("members");
  FieldStoreOptions third;
  third.member = 3;
  expect_error(ExitCode::missing_input, {"member 3"}, [&] { ZarrFields(sample.path, third); });
  fs::create_directory(sample.path + "/number");
  replace_coordinate(sample.path, "number", {1.0, 3.0}, R"({"_ARRAY_DIMENSIONS":["number"]})");
  expect_error(ExitCode::missing_input, {"number", "2 members"}, [&] { ZarrFields(sample.path, {}); });
  // The three times of a surface variable become time 0 of members 1 and 3 and a chunk out of use.
  write_text_atomically(sample.path + "/2m_temperature/.zattrs",
                        R"({"_ARRAY_DIMENSIONS":["number","time","longitude","latitude"]})");
  write_text_atomically(
      sample.path + "/2m_temperature/.zarray",
      R"({"zarr_format":2,"shape":[2,1,6,4],"chunks":[1,1,6,4],"dtype":"<f4","fill_value":"NaN","order":"C",)"
      R"("filters":null,"compressor":{"id":"blosc"}})");
  fs::rename(sample.path + "/2m_temperature/1.0.0", sample.path + "/2m_temperature/1.0.0.0");
  replace_coordinate(sample.path, "time", {0.0},
                     R"({"_ARRAY_DIMENSIONS":["time"],"units":"hours since 2000-01-01 00:00:00"})");
  ZarrFields store(sample.path, third);
  const auto channels = std::make_shared<const ChannelSet>(ChannelSet{{"2m_temperature", {}}});
  const State stored = sample_state(sample, sample.times[1]);
  const State read = store.read(parse_time("2000-01-01"), channels);
  EXPECT_TRUE(std::equal(read.values.begin(), read.values.end(), stored.field(0).begin()));
}

TEST(CfTime, UnitsAndCalendars) {
  const auto one = [](double value, const std::string& units, const std::string& calendar = "") {
    return decode_cf_times({value}, units, calendar, "file: time").front();
  };
  EXPECT_EQ(one(24, "hours since 1959-01-01"), parse_time("1959-01-02"));
  EXPECT_EQ(one(1.5, "days since 2020-02-28T06:00:00Z", "standard"), parse_time("2020-02-29T18"));
  EXPECT_EQ(one(90, "minutes since 2020-1-1 00:00:0.0"), parse_time("2020-01-01T01:30"));
  EXPECT_EQ(one(-1, "seconds since 1970-01-01 00:00"), parse_time("1969-12-31T23:59:59"));
  expect_error(ExitCode::corrupt_input, {"noleap"}, [&] { one(1, "hours since 2000-01-01", "noleap"); });
  expect_error(ExitCode::corrupt_input, {"months"}, [&] { one(1, "months since 2000-01-01"); });
  expect_error(ExitCode::corrupt_input, {"2000-13-01"}, [&] { one(1, "hours since 2000-13-01"); });
  expect_error(ExitCode::corrupt_input, {"hours"}, [&] { one(1, "hours"); });
  expect_error(ExitCode::corrupt_input, {"nan"}, [&] { one(std::nan(""), "hours since 2000-01-01"); });
}

TEST(ReadAhead, ReadsInTheBackgroundAndCarriesErrors) {
  const SampleStore sample = write_sample("ahead");
  ZarrFields store(sample.path, {});
  ReadAhead ahead(store);
  EXPECT_FALSE(ahead.pending());
  ahead.request({sample.times[2], sample.times[0]}, sample.channels);
  EXPECT_THROW(ahead.request({sample.times[0]}, sample.channels), Error);
  const std::vector<State> states = ahead.take();
  ASSERT_EQ(states.size(), 2U);
  EXPECT_EQ(states[0].values, sample_state(sample, sample.times[2]).values);
  EXPECT_EQ(states[1].values, sample_state(sample, sample.times[0]).values);
  ahead.request({parse_time("1999-01-01")}, sample.channels);
  expect_error(ExitCode::missing_input, {"1999-01-01"}, [&] { ahead.take(); });
  EXPECT_THROW(ahead.take(), Error);
}

TEST(FrozenFields, OneStateStandsForEveryTime) {
  SampleStore sample = describe_sample("frozen");
  sample.times.resize(1);
  ZarrWriter writer(sample.path, sample.grid, sample.channels, sample.times);
  writer.write(sample_state(sample, sample.times[0]));
  writer.close();
  FrozenFields store(std::make_unique<ZarrFields>(sample.path, FieldStoreOptions{}));
  const Time other = parse_time("2031-07-01T06");
  EXPECT_TRUE(store.has_time(other));
  const State state = store.read(other, sample.channels);
  EXPECT_EQ(state.time, other);
  EXPECT_EQ(state.values, sample_state(sample, sample.times[0]).values);
  EXPECT_NE(store.identity(), ZarrFields(sample.path, {}).identity());

  const SampleStore several = write_sample("not_frozen");
  expect_error(ExitCode::corrupt_input, {"frozen_state", "3"},
               [&] { FrozenFields(std::make_unique<ZarrFields>(several.path, FieldStoreOptions{})); });
}

/// The shipped state has every published channel, finite and of the right size.
TEST(DemonstrationStore, HoldsAllPublishedChannels) {
  const char* source = std::getenv("MOSAIC_SOURCE");
  const std::string root = source != nullptr ? source : ".";
  const Time time = parse_time("2011-10-11T00");
  FrozenFields store(
      std::make_unique<ZarrFields>(root + "/config/demo/gfs_20111011.zarr", FieldStoreOptions{}));
  EXPECT_EQ(store.times(), std::vector<Time>{time});
  EXPECT_EQ(store.grid(), LatLonGrid::with_poles(240, 121));
  const auto channels = std::make_shared<const ChannelSet>(mosaic_channels());
  const State state = store.read(time + Duration::days(3), channels);
  for (std::size_t c = 0; c < channels->size(); ++c) {
    const Channel& channel = (*channels)[c];
    const VariableInfo* info = find_variable(channel.variable);
    ASSERT_NE(info, nullptr);
    for (const float value : state.field(c)) {
      ASSERT_TRUE(value >= info->lower && value <= info->upper) << channel.name() << " " << value;
    }
  }
  constexpr double everest = 9000.0 * 9.80665;  // [m2 s-2]
  for (const float value : store.read_static("geopotential_at_surface")) {
    ASSERT_TRUE(value > -0.1 * everest && value < everest) << value;
  }
  for (const float value : store.read_static("land_sea_mask")) {
    ASSERT_TRUE(value >= 0.0F && value <= 1.0F) << value;
  }
}

TEST(ZarrFields, ChunksOfSeveralTimesAreKept) {
  const auto path = (scratch_dir("zarr_times_in_chunks") / "a.zarr").string();
  SampleFile file;
  file.dimensions = {{"latitude", 2}, {"time", 5}, {"level", 2}, {"longitude", 3}};
  file.arrays = {
      {"latitude", {"latitude"}, {30, -30}, false, {}},
      {"time", {"time"}, {0, 6, 12, 18, 24}, false, {{"units", "hours since 2020-01-01"}}},
      {"level", {"level"}, {850, 500}, false, {}},
      {"longitude", {"longitude"}, {0, 120, 240}, false, {}},
      {"temperature", {"latitude", "time", "level", "longitude"}, std::vector<double>(60), true, {}}};
  std::iota(file.arrays.back().values.begin(), file.arrays.back().values.end(), 0.0);
  write_zarr_sample(path, file, {{"time", 2}, {"level", 1}});
  const auto channels =
      std::make_shared<const ChannelSet>(ChannelSet{{"temperature", 500}, {"temperature", 850}});
  FieldStoreOptions plain, keeping, too_small;
  keeping.chunk_cache = 1 << 20;
  too_small.chunk_cache = 40;  // a chunk of two times has 48 bytes
  ZarrFields expected(path, plain), kept(path, keeping), not_kept(path, too_small);
  EXPECT_EQ(expected.read(parse_time("2020-01-01T18"), channels).values[0], 51.0F);  // south comes first
  for (const std::size_t t : {0U, 1U, 2U, 3U, 4U, 0U, 3U}) {
    const Time time = expected.times()[t];
    EXPECT_EQ(kept.read(time, channels).values, expected.read(time, channels).values);
    EXPECT_EQ(not_kept.read(time, channels).values, expected.read(time, channels).values);
  }
}

}  // namespace
}  // namespace mosaic::test
