#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/forecast_store.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"
#include "tensor_samples.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t members = 2;
constexpr std::size_t columns = 8;
constexpr std::size_t rows = 5;
constexpr std::size_t channel_count = 82;
const std::vector<std::int64_t> hours = {24, 48, 72};

float value(std::size_t file, std::size_t member, std::size_t step, std::size_t column, std::size_t row,
            std::size_t channel) {
  return static_cast<float>(
      ((((file * 2 + member) * 3 + step) * columns + column) * rows + row) * channel_count + channel);
}

std::string fields(std::size_t file) {
  std::vector<float> values;
  for (std::size_t m = 0; m < members; ++m) {
    for (std::size_t s = 0; s < hours.size(); ++s) {
      for (std::size_t i = 0; i < columns; ++i) {
        for (std::size_t j = 0; j < rows; ++j) {
          for (std::size_t c = 0; c < channel_count; ++c) {
            values.push_back(value(file, m, s, i, j, c));
          }
        }
      }
    }
  }
  return bytes_of_all(values);
}

std::string ucs4(const std::string& text) {
  std::string bytes;
  for (const char letter : text) {
    bytes += bytes_of(static_cast<std::uint32_t>(letter));
  }
  return bytes;
}

struct Items {
  std::string shape = "(2, 3, 8, 5, 82)";
  std::string fields_type = "<f4";
  std::string fields = mosaic::test::fields(0);
  std::string leads = npy_bytes("<i8", "(3,)", bytes_of_all(hours));
  std::string time = npy_bytes("<M8[ns]", "()", bytes_of<std::int64_t>(1'582'891'200'000'000'000));

  std::vector<ZipItem> list() const {
    return {{"forecasts.npy", npy_bytes(fields_type, shape, fields)},
            {"lead_time_hours.npy", leads},
            {"init_time.npy", time}};
  }
};

const Time first_time = parse_time("2020-02-28T12");

void expect_fields(ForecastStore& store, Time time, std::size_t file,
                   const std::vector<std::size_t>& chosen) {
  const ChannelSet wanted = {mosaic_channels()[81], mosaic_channels()[0], mosaic_channels()[40]};
  for (std::size_t s = 0; s < hours.size(); ++s) {
    const auto values = store.read(time, Duration::hours(hours[s]), wanted);
    std::size_t at = 0;
    for (const std::size_t m : chosen) {
      for (const std::size_t c : {81U, 0U, 40U}) {
        for (std::size_t j = 0; j < rows; ++j) {
          for (std::size_t i = 0; i < columns; ++i) {
            ASSERT_EQ(values.at(at++), value(file, m, s, i, j, c));
          }
        }
      }
    }
    EXPECT_EQ(at, values.size());
  }
}

TEST(NpzForecasts, StoredAndCompressedFilesAreRead) {
  const fs::path folder = scratch_dir("npz_forecasts");
  for (const ZipKind kind : {ZipKind::stored, ZipKind::deflated, ZipKind::zip64}) {
    const std::string path = write_bytes(folder / "one.npz", zip_bytes(Items().list(), kind));
    const auto store = open_forecast_store(path, {});
    EXPECT_EQ(store->initial_times(), std::vector{first_time});
    EXPECT_EQ(store->leads(), (std::vector{Duration::days(1), Duration::days(2), Duration::days(3)}));
    EXPECT_EQ(store->member_numbers(), (std::vector<std::int64_t>{0, 1}));
    EXPECT_EQ(store->grid(), LatLonGrid::with_poles(columns, rows));
    EXPECT_EQ(store->channels(), mosaic_channels());
    expect_fields(*store, first_time, 0, {0, 1});
  }
}

TEST(NpzForecasts, ManyFilesAndChosenMembers) {
  const fs::path folder = scratch_dir("npz_many");
  Items second;
  second.fields = fields(1);
  second.time = npy_bytes("<U19", "()", ucs4("2020-02-29T00:00:00"));
  write_bytes(folder / "b.npz", zip_bytes(Items().list()));
  write_bytes(folder / "a.npz", zip_bytes(second.list()));
  const Time second_time = parse_time("2020-02-29");
  ForecastStoreOptions options;
  options.members = {1, 0};
  const auto store = open_forecast_store(folder.string(), options);
  EXPECT_EQ(store->initial_times(), (std::vector{first_time, second_time}));
  expect_fields(*store, second_time, 1, {1, 0});
  expect_fields(*store, first_time, 0, {1, 0});
  EXPECT_FALSE(store->has_time(first_time, Duration::hours(6)));
  EXPECT_FALSE(store->has({"temperature", 875}));
}

TEST(NpzForecasts, InitialTimesInEveryForm) {
  const fs::path folder = scratch_dir("npz_times");
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"<M8[s]", bytes_of<std::int64_t>(1'582'891'200)},
      {"<M8[h]", bytes_of<std::int64_t>(1'582'891'200 / 3600)},
      {"<M8[us]", bytes_of<std::int64_t>(1'582'891'200'000'000)},
      {"<U13", ucs4("2020-02-28T12")},
      {"|S19", "2020-02-28 12:00:00"},
      {"<U29", ucs4("2020-02-28T12:00:00.000000000")}};
  for (const auto& [type, bytes] : forms) {
    SCOPED_TRACE(type);
    Items items;
    items.time = npy_bytes(type, "()", bytes);
    const auto store = open_forecast_store(write_bytes(folder / "one.npz", zip_bytes(items.list())), {});
    EXPECT_EQ(store->initial_times(), std::vector{first_time});
  }
}

void expect_refused(const std::string& path, ExitCode code, const std::vector<std::string>& words,
                    const ForecastStoreOptions& options = {}) {
  std::string message;
  EXPECT_EQ(code_of(
                [&] {
                  const auto store = open_forecast_store(path, options);
                  for (const Time time : store->initial_times()) {
                    store->read(time, store->leads().front(), {mosaic_channels()[3]});
                  }
                },
                &message),
            code)
      << message;
  for (const std::string& word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
  }
}

TEST(NpzForecasts, FilesOfAnotherShapeAreRefused) {
  const fs::path folder = scratch_dir("npz_shapes");
  const auto refused = [&](const Items& items, const std::vector<std::string>& words) {
    expect_refused(write_bytes(folder / "one.npz", zip_bytes(items.list())), ExitCode::corrupt_input, words);
  };
  Items items;
  items.shape = "(2, 3, 5, 8, 82)";  // latitude before longitude
  refused(items, {"one.npz", "forecasts", "[2, 3, 5, 8, 82]", "longitudes"});
  items.shape = "(3, 2, 8, 5, 82)";
  refused(items, {"2 steps", "lead_time_hours has 3"});
  items.shape = "(6, 8, 5, 82)";
  refused(items, {"forecasts"});
  items.shape = "(2, 3, 8, 10, 41)";
  refused(items, {"82"});
  items = {};
  items.fields_type = "<i4";
  refused(items, {"int32", "float32"});
  items = {};
  items.leads = npy_bytes("<i8", "(3,)", bytes_of_all<std::int64_t>({24, 48, 24}));
  refused(items, {"lead_time_hours", "24h twice"});
  items = {};
  items.time = npy_bytes("<i8", "()", bytes_of<std::int64_t>(5));
  refused(items, {"init_time", "datetime64"});
  items.time = npy_bytes("<U5", "()", ucs4("today"));
  refused(items, {"init_time", "today"});
}

TEST(NpzForecasts, EverythingElseThatCanBeWrong) {
  const fs::path folder = scratch_dir("npz_wrong");
  const std::string good = zip_bytes(Items().list());
  const std::string path = write_bytes(folder / "one.npz", good);
  ForecastStoreOptions options;
  options.members = {2};
  expect_refused(path, ExitCode::missing_input, {"member 2", "0 ... 1"}, options);
  options = {};
  options.rename = {{"a", "b"}};
  expect_refused(path, ExitCode::bad_configuration, {"rename"}, options);
  write_bytes(folder / "two.npz", good);
  expect_refused(folder.string(), ExitCode::corrupt_input, {"2020-02-28T12", "one.npz", "two.npz"});
  fs::remove(folder / "two.npz");
  write_bytes(path, zip_bytes({Items().list()[0], Items().list()[1]}));
  expect_refused(path, ExitCode::missing_input, {"init_time", "lead_time_hours.npy"});
  std::string flipped = good;
  flipped[good.size() / 3] = static_cast<char>(flipped[good.size() / 3] ^ 1);
  write_bytes(path, flipped);
  expect_refused(path, ExitCode::corrupt_input, {"one.npz", "forecasts"});
  write_bytes(path, good.substr(0, good.size() - 100));
  expect_refused(path, ExitCode::corrupt_input, {"one.npz"});
  Items other;
  other.shape = "(1, 3, 8, 5, 82)";
  other.fields.resize(other.fields.size() / 2);
  other.time = npy_bytes("<U10", "()", ucs4("2020-03-01"));
  write_bytes(path, good);
  write_bytes(folder / "two.npz", zip_bytes(other.list()));
  expect_refused(folder.string(), ExitCode::corrupt_input, {"two.npz", "first file"});
}

}  // namespace
}  // namespace mosaic::test
