#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/forecast_store.hpp"
#include "stores/forecast_writer.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

const LatLonGrid grid = LatLonGrid::with_poles(12, 7);
const std::vector<Time> times = {parse_time("2020-02-28T12"), parse_time("2020-02-29T00")};
const std::vector<Duration> leads = {Duration::hours(6), Duration{5400}, Duration::days(10)};
constexpr int member_count = 3;

ChannelSet written() {
  return {parse_channel("2m_temperature"), parse_channel("geopotential_850"),
          parse_channel("geopotential_500"), parse_channel("specific_humidity_700")};
}

/// Bits that have no other reason than their place; some are denormal.
float value_at(Time time, Duration lead, int member, std::size_t channel, std::size_t point) {
  const auto place = static_cast<std::uint32_t>(time.seconds / 43200 + lead.seconds / 1800);
  const std::uint32_t bits =
      (place * 31U + static_cast<std::uint32_t>(member) * 7U + static_cast<std::uint32_t>(channel)) *
          2654435761U +
      static_cast<std::uint32_t>(point) * 97U;
  const std::uint32_t finite = bits & 0xbf7fffffU;  // the exponent is never all ones
  float value = 0;
  std::memcpy(&value, &finite, sizeof(value));
  return value;
}

ForecastWriterOptions options_for(const fs::path& folder, ForecastLayout layout, VariableNaming naming) {
  ForecastWriterOptions options;
  options.folder = folder.string();
  options.layout = layout;
  options.naming = naming;
  options.channels = written();
  options.leads = {leads[1], leads[0], leads[2]};
  options.first_member = 4;
  return options;
}

void write_forecasts(const ForecastWriterOptions& options) {
  ForecastWriter writer(options, grid, member_count, written());
  for (const Time time : times) {
    writer.begin(time);
    for (const Duration lead : options.leads) {
      std::vector<std::vector<float>> members;
      std::vector<const float*> pointers;
      for (int m = 0; m < member_count; ++m) {
        std::vector<float> state;
        for (std::size_t c = 0; c < written().size(); ++c) {
          for (std::size_t p = 0; p < grid.points(); ++p) {
            state.push_back(value_at(time, lead, m, c, p));
          }
        }
        members.push_back(std::move(state));
      }
      for (const auto& member : members) {
        pointers.push_back(member.data());
      }
      writer.push(lead, pointers);
    }
    writer.finish();
  }
}

void expect_written(ForecastStore& store, const std::vector<int>& members) {
  EXPECT_EQ(store.grid(), grid);
  EXPECT_EQ(store.initial_times(), times);
  EXPECT_EQ(store.leads(), (std::vector{leads[1], leads[0], leads[2]}));
  const ChannelSet wanted = {written()[3], written()[1], written()[0], written()[2]};
  const std::size_t channels[] = {3, 1, 0, 2};
  for (const Time time : times) {
    for (const Duration lead : leads) {
      std::vector<float> expected;
      for (const int m : members) {
        for (const std::size_t c : channels) {
          for (std::size_t p = 0; p < grid.points(); ++p) {
            expected.push_back(value_at(time, lead, m, c, p));
          }
        }
      }
      const auto values = store.read(time, lead, wanted);
      ASSERT_EQ(values.size(), expected.size());
      ASSERT_EQ(std::memcmp(values.data(), expected.data(), expected.size() * sizeof(float)), 0)
          << to_string(time) << " " << to_string(lead);
    }
  }
}

TEST(OwnForecasts, EveryLayoutAndNamingIsReadBitForBit) {
  for (const ForecastLayout layout : {ForecastLayout::ensemble, ForecastLayout::member}) {
    for (const VariableNaming naming : {VariableNaming::cf, VariableNaming::wb2}) {
      const fs::path run = scratch_dir("own_forecasts");
      fs::create_directories(run / "forecasts");
      auto options = options_for(run / "forecasts", layout, naming);
      options.mean = true;  // further variables or files, which are no members
      options.spread = true;
      write_forecasts(options);
      for (const std::string& path :
           {run.string(), (run / "forecasts").string(), (run / "forecasts/*.nc").string()}) {
        const auto store = open_forecast_store(path, {});
        EXPECT_EQ(store->member_numbers(), (std::vector<std::int64_t>{4, 5, 6}));
        expect_written(*store, {0, 1, 2});
      }
      ForecastStoreOptions some;
      some.members = {6, 4};
      expect_written(*open_forecast_store(run.string(), some), {2, 0});
    }
  }
}

TEST(OwnForecasts, TheEnsembleMeanAloneIsAForecast) {
  const fs::path folder = scratch_dir("own_mean");
  auto options = options_for(folder, ForecastLayout::member, VariableNaming::cf);
  options.members = false;
  options.mean = true;
  options.spread = true;
  write_forecasts(options);
  const auto store = open_forecast_store(folder.string(), {});
  EXPECT_EQ(store->members(), 1);
  EXPECT_EQ(store->initial_times(), times);
  EXPECT_NO_THROW(store->read(times[0], leads[0], written()));
}

/// A lost file of one member takes its initial time out, and the error says which.
TEST(OwnForecasts, AnAbsentMemberIsNamed) {
  const fs::path folder = scratch_dir("own_absent");
  write_forecasts(options_for(folder, ForecastLayout::member, VariableNaming::cf));
  fs::remove(folder / "forecast_2020-02-29T00_member005.nc");
  const auto store = open_forecast_store(folder.string(), {});
  EXPECT_EQ(store->initial_times(), times);
  EXPECT_TRUE(store->has_time(times[0], leads[0]));
  EXPECT_FALSE(store->has_time(times[1], leads[0]));
  std::string message;
  EXPECT_EQ(code_of([&] { store->read(times[1], leads[0], written()); }, &message), ExitCode::missing_input);
  EXPECT_NE(message.find("members 5 of initial time 2020-02-29T00, lead 6h"), std::string::npos) << message;
}

TEST(OwnForecasts, AForecastThatIsThereTwiceIsRefused) {
  const fs::path folder = scratch_dir("own_twice");
  for (const ForecastLayout layout : {ForecastLayout::ensemble, ForecastLayout::member}) {
    write_forecasts(options_for(folder, layout, VariableNaming::cf));
  }
  std::string message;
  EXPECT_EQ(code_of([&] { open_forecast_store(folder.string(), {}); }, &message), ExitCode::corrupt_input);
  for (const char* word : {"2020-02-28T12", "member 4", "forecast_2020-02-28T12.nc", "member004.nc"}) {
    EXPECT_NE(message.find(word), std::string::npos) << message;
  }
}

TEST(OwnForecasts, DamagedFilesAreRefused) {
  const fs::path folder = scratch_dir("own_damaged");
  write_forecasts(options_for(folder, ForecastLayout::ensemble, VariableNaming::cf));
  const std::string path = (folder / "forecast_2020-02-28T12.nc").string();
  const std::string good = read_text(path);
  write_text(path, good.substr(0, good.size() / 2));
  std::string message;
  EXPECT_EQ(code_of([&] { open_forecast_store(folder.string(), {}); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find(path), std::string::npos) << message;
  // A flipped bit in a chunk fails its checksum, and nothing else.
  std::string bad = good;
  bad[good.size() - 200] = static_cast<char>(bad[good.size() - 200] ^ 4);
  write_text(path, bad);
  const auto code = code_of([&] {
    const auto store = open_forecast_store(folder.string(), {});
    for (const Duration lead : leads) {
      store->read(times[0], lead, written());
    }
  });
  EXPECT_EQ(code, ExitCode::corrupt_input);
}

}  // namespace
}  // namespace mosaic::test
