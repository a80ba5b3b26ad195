#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "stores/climatology_store.hpp"
#include "stores/forecast_store.hpp"
#include "support/golden.hpp"
#include "support/golden_store.hpp"

namespace mosaic {
namespace {

/// The same bits, NaN included.
bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

/// Channel c of [M, C, points] as [M, points].
std::vector<float> channel_of(const std::vector<float>& values, std::size_t channels, std::size_t channel,
                              std::size_t points) {
  std::vector<float> result;
  for (std::size_t field = channel; field < values.size() / points; field += channels) {
    result.insert(result.end(), values.begin() + static_cast<std::ptrdiff_t>(field * points),
                  values.begin() + static_cast<std::ptrdiff_t>((field + 1) * points));
  }
  return result;
}

void expect_plain_reads(const std::filesystem::path& path, int threads) {
  const test::GoldenStore golden(path);
  ForecastStoreOptions options;
  options.threads = threads;
  const auto store = open_forecast_store(path.string(), options);
  EXPECT_EQ(store->grid(), *golden.grid);
  EXPECT_EQ(store->initial_times(), golden.times);
  EXPECT_EQ(store->leads(), golden.leads);
  EXPECT_EQ(static_cast<std::size_t>(store->members()), golden.members);
  EXPECT_EQ(store->channels().size(), golden.channels.size());
  const std::size_t points = golden.grid->points();
  for (std::size_t t = 0; t < golden.times.size(); ++t) {
    for (std::size_t l = 0; l < golden.leads.size(); ++l) {
      ASSERT_TRUE(store->has_time(golden.times[t], golden.leads[l]));
      const auto values = store->read(golden.times[t], golden.leads[l], golden.channels);
      for (std::size_t c = 0; c < golden.channels.size(); ++c) {
        ASSERT_TRUE(store->has(golden.channels[c]));
        ASSERT_TRUE(same(channel_of(values, golden.channels.size(), c, points),
                         golden.read(golden.channels[c], t, l)))
            << golden.channels[c].name() << " " << to_string(golden.times[t]);
      }
    }
  }
}

TEST(ForecastGolden, SmallEnsembleIsWhatPlainReadsGive) {
  GOLDEN_OR_SKIP(path, "eval/small/ensemble.zarr");
  expect_plain_reads(path, 1);
  expect_plain_reads(path, 3);
}

TEST(ForecastGolden, SmallDeterministicIsWhatPlainReadsGive) {
  GOLDEN_OR_SKIP(path, "eval/small/deterministic.zarr");
  expect_plain_reads(path, 2);
}

TEST(ForecastGolden, MediumEnsembleIsWhatPlainReadsGive) {
  GOLDEN_OR_SKIP(path, "eval/medium/ensemble.zarr");
  expect_plain_reads(path, 2);
}

TEST(ForecastGolden, ChosenMembersComeInTheirOrder) {
  GOLDEN_OR_SKIP(path, "eval/small/ensemble.zarr");
  const auto all = open_forecast_store(path.string(), {});
  ForecastStoreOptions options;
  const auto& numbers = all->member_numbers();
  ASSERT_GE(numbers.size(), 3U);
  options.members = {numbers[2], numbers[0]};
  const auto some = open_forecast_store(path.string(), options);
  EXPECT_EQ(some->member_numbers(), options.members);
  EXPECT_NE(some->identity(), all->identity());
  const ChannelSet channels = {all->channels().back(), all->channels().front()};
  const std::size_t block = channels.size() * all->grid().points();
  const auto whole = all->read(all->initial_times().back(), all->leads().back(), channels);
  const auto part = some->read(all->initial_times().back(), all->leads().back(), channels);
  const auto block_of = [&](std::size_t member) {
    return std::vector<float>(whole.begin() + static_cast<std::ptrdiff_t>(member * block),
                              whole.begin() + static_cast<std::ptrdiff_t>((member + 1) * block));
  };
  std::vector<float> expected = block_of(2);
  const std::vector<float> first = block_of(0);
  expected.insert(expected.end(), first.begin(), first.end());
  EXPECT_TRUE(same(part, expected));
}

/// One (day, hour) field by plain reads; dimensions hour, dayofyear, [level], longitude, latitude.
std::vector<float> plain_field(const ZarrStore& zarr, const std::string& variable, std::size_t hour,
                               std::size_t day, std::size_t inner, const LatLonGrid& grid) {
  const ZarrArray& array = zarr.array(variable);
  ZarrBox box{std::vector<std::size_t>(array.shape.size(), 0),
              std::vector<std::size_t>(array.shape.size(), 1)};
  for (std::size_t d = 0; d < array.shape.size(); ++d) {
    const std::string& name = array.dimensions[d];
    box.start[d] = name == "hour"                              ? hour
                   : name == "dayofyear"                       ? day
                   : name == "longitude" || name == "latitude" ? 0
                                                               : inner;
    box.count[d] = name == "longitude" || name == "latitude" ? array.shape[d] : 1;
  }
  const std::vector<float> stored = zarr.read_float(variable, box, 1);
  std::vector<float> field(stored.size());
  const std::size_t rows = grid.latitude.size();
  for (std::size_t p = 0; p < field.size(); ++p) {
    field[p % rows * grid.longitude.size() + p / rows] = stored[p];
  }
  return field;
}

/// Mean fields of a day and hour, channel by channel.
std::vector<float> plain_means(const ZarrStore& zarr, const ChannelSet& channels, std::size_t hour,
                               std::size_t day, const LatLonGrid& grid) {
  std::vector<float> expected;
  for (const Channel& channel : channels) {
    std::size_t level = 0;
    if (channel.level) {
      const std::vector<std::int64_t> levels = zarr.read_int64("level");
      level =
          static_cast<std::size_t>(std::find(levels.begin(), levels.end(), *channel.level) - levels.begin());
    }
    const auto field = plain_field(zarr, channel.variable, hour, day, level, grid);
    expected.insert(expected.end(), field.begin(), field.end());
  }
  return expected;
}

TEST(ClimatologyGolden, FieldsAreWhatPlainReadsGive) {
  GOLDEN_OR_SKIP(path, "eval/small/climatology.zarr");
  const ZarrStore zarr(path.string());
  ClimatologyStore store(path.string(), {});
  ASSERT_FALSE(store.hours().empty());
  ChannelSet channels = store.channels(ClimatologyPart::mean);
  std::reverse(channels.begin(), channels.end());
  ASSERT_FALSE(channels.empty());
  std::size_t finite = 0;
  std::size_t missing = 0;
  for (std::size_t d = 0; d < store.days_of_year().size(); d += 6) {
    for (std::size_t h = 0; h < store.hours().size(); ++h) {
      const int day = store.days_of_year()[d];
      const int hour = store.hours()[h];
      const auto values = store.read(day, hour, channels, ClimatologyPart::mean);
      ASSERT_TRUE(same(values, plain_means(zarr, channels, h, d, store.grid()))) << day;
      (std::isfinite(values.front()) ? finite : missing) += 1;
      for (const Channel& channel : store.channels(ClimatologyPart::deviation)) {
        ASSERT_TRUE(same(store.read(day, hour, {channel}, ClimatologyPart::deviation),
                         plain_field(zarr, channel.variable + "_std", h, d, 0, store.grid())));
      }
      for (std::size_t q = 0; q < store.quantiles().size(); ++q) {
        for (const Channel& channel : store.channels(ClimatologyPart::quantile)) {
          ASSERT_TRUE(same(store.read_quantile(day, hour, channel, store.quantiles()[q] + 0.004),
                           plain_field(zarr, channel.variable + "_quantile", h, d, q, store.grid())));
        }
      }
    }
  }
  EXPECT_GT(finite, 0U);
  EXPECT_GT(missing, 0U) << "days of absent chunks are missing values";
}

/// Must fail: another day's field is noticed by the comparison above.
TEST(ClimatologyGolden, AnotherHourIsAnotherField) {
  GOLDEN_OR_SKIP(path, "eval/small/climatology.zarr");
  const ZarrStore zarr(path.string());
  ClimatologyStore store(path.string(), {});
  ASSERT_GT(store.hours().size(), 1U);
  const ChannelSet channels = {store.channels(ClimatologyPart::mean).front()};
  for (std::size_t d = 0; d < store.days_of_year().size(); ++d) {
    const auto field = store.read(store.days_of_year()[d], store.hours()[1], channels, ClimatologyPart::mean);
    if (std::isfinite(field.front())) {
      EXPECT_FALSE(same(field, plain_means(zarr, channels, 0, d, store.grid())));
      return;
    }
  }
  ADD_FAILURE() << "no day has values";
}

}  // namespace
}  // namespace mosaic
