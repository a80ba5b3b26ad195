#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/zarr_test_store.hpp"
#include "support/python.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

TEST(ZarrWriter, RoundTripIsExact) {
  for (const BloscCompressor compressor : {BloscCompressor::lz4, BloscCompressor::zstd}) {
    const SampleStore sample = write_sample("round_trip", compressor);
    ZarrFields store(sample.path, {});
    EXPECT_EQ(store.times(), sample.times);
    EXPECT_EQ(store.grid(), *sample.grid);
    for (const Time time : sample.times) {
      const State state = store.read(time, sample.channels);
      EXPECT_EQ(state.time, time);
      EXPECT_EQ(state.values, sample_state(sample, time).values);
    }
    EXPECT_EQ(store.read_static("land_sea_mask"), sample_static(sample));
  }
}

TEST(ZarrWriter, OneFilePerVariableAndTime) {
  const SampleStore sample = write_sample("files", BloscCompressor::lz4);
  EXPECT_TRUE(fs::exists(sample.path + "/geopotential/1.0.0.0"));
  EXPECT_TRUE(fs::exists(sample.path + "/2m_temperature/1.0.0"));
  EXPECT_TRUE(fs::exists(sample.path + "/.zmetadata"));
}

TEST(ZarrWriter, NotANumberAndExtremesSurvive) {
  SampleStore sample = describe_sample("extremes");
  State state = sample_state(sample, sample.times.front());
  state.values[0] = std::numeric_limits<float>::quiet_NaN();
  state.values[1] = -std::numeric_limits<float>::infinity();
  state.values[2] = std::numeric_limits<float>::denorm_min();
  ZarrWriter writer(sample.path, sample.grid, sample.channels, sample.times);
  writer.write(state);
  writer.close();
  const State read = ZarrFields(sample.path, {}).read(state.time, sample.channels);
  EXPECT_TRUE(std::isnan(read.values[0]));
  EXPECT_EQ(read.values[1], state.values[1]);
  EXPECT_EQ(read.values[2], state.values[2]);
}

TEST(ZarrWriter, RefusesAnExistingFolderAndForeignStates) {
  const SampleStore sample = write_sample("refusals", BloscCompressor::lz4);
  try {
    ZarrWriter(sample.path, sample.grid, sample.channels, sample.times);
    FAIL() << "an existing store was overwritten";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::cannot_create);
  }
  SampleStore other = describe_sample("refusals_other");
  const ZarrWriter writer(other.path, other.grid, other.channels, other.times);
  State state = sample_state(other, other.times.front());
  state.time = other.times.back() + Duration::hours(1);
  EXPECT_THROW(writer.write(state), Error);
}

std::string bytes_of(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), folder)] = read_text(entry.path());
    }
  }
  std::string bytes;
  for (const auto& [name, text] : files) {
    bytes += name + "\n" + text;
  }
  return bytes;
}

TEST(ZarrWriter, GoesOnWithAnUnfinishedStore) {
  const SampleStore whole = write_sample("whole", BloscCompressor::lz4);
  const SampleStore parts = describe_sample("parts");
  ZarrWriterOptions options;
  options.existing = ExistingStore::go_on;
  options.sync = ChunkSync::caller;
  for (std::size_t run = 0; run < parts.times.size(); ++run) {
    ZarrWriter writer(parts.path, parts.grid, parts.channels, parts.times, options);
    writer.write(sample_state(parts, parts.times[run]));
    writer.write_static("land_sea_mask", sample_static(parts), {{"units", "1"}});
    EXPECT_THROW(ZarrFields(parts.path, {}), Error) << "an unfinished store was read";
    if (run + 1 == parts.times.size()) {
      sync_file_system(parts.path);
      writer.close();
    }
  }
  EXPECT_TRUE(bytes_of(parts.path) == bytes_of(whole.path));
}

TEST(ZarrWriter, GoesOnWithNoOtherStore) {
  const SampleStore sample = write_sample("other", BloscCompressor::lz4);
  const std::string before = bytes_of(sample.path);
  const auto refused = [&](std::vector<Time> times, ZarrWriterOptions options) {
    options.existing = ExistingStore::go_on;
    try {
      ZarrWriter(sample.path, sample.grid, sample.channels, std::move(times), options);
      FAIL() << "went on with another store";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_configuration) << error.what();
    }
    EXPECT_TRUE(bytes_of(sample.path) == before);
  };
  refused({sample.times.begin(), sample.times.end() - 1}, {});
  ZarrWriterOptions options;
  options.attributes = {{"title", "another"}};
  refused(sample.times, options);
  options = {};
  options.compressor = BloscCompressor::zstd;
  refused(sample.times, options);
}

TEST(ZarrWriter, RefusesVariablesWithUnequalLevels) {
  SampleStore sample = describe_sample("unequal_levels");
  const auto channels = std::make_shared<const ChannelSet>(
      ChannelSet{{"geopotential", 500}, {"geopotential", 850}, {"temperature", 850}});
  EXPECT_THROW(ZarrWriter(sample.path, sample.grid, channels, sample.times), Error);
}

/// The public readers of the format open what was written. Skips where xarray with zarr is not installed.
TEST(ZarrWriter, XarrayReadsTheSame) {
  PYTHON_OR_SKIP("xarray, zarr");
  const SampleStore sample = write_sample("xarray", BloscCompressor::zstd);
  const std::size_t row = 1;
  const std::size_t column = 2;
  const State state = sample_state(sample, sample.times[1]);
  const std::size_t point = row * sample.grid->longitude.size() + column;
  const std::string script = fmt::format(
      "import xarray; d = xarray.open_zarr('{}'); "
      "assert str(d.time.values[1])[:13] == '{}'; "
      "assert float(d['geopotential'].isel(time=1, longitude={}, latitude={}).sel(level=850)) == {}; "
      "assert d['geopotential'].dims == ('time', 'level', 'longitude', 'latitude')",
      sample.path, to_string(sample.times[1]), column, row, state.field(2)[point]);
  const Job job = run_python(script);
  EXPECT_EQ(job.code, 0) << script << "\n" << job.output;
}

}  // namespace
}  // namespace mosaic::test
