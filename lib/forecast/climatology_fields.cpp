#include "forecast/climatology_fields.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "eval/normal_quantile.hpp"

namespace mosaic {

namespace {

ChannelSet with_mean(const ChannelSet& channels, const ClimatologyStore& store) {
  ChannelSet there;
  std::copy_if(channels.begin(), channels.end(), std::back_inserter(there),
               [&](const Channel& channel) { return store.has(channel, ClimatologyPart::mean); });
  return there;
}

}  // namespace

ClimatologyFieldsReader::ClimatologyFieldsReader(ClimatologyStore& store, const eval::ScoreOptions& score,
                                                 std::shared_ptr<const LatLonGrid> grid)
    : store_(store),
      thresholds_(score.thresholds),
      grid_(std::move(grid)),
      channels_(std::make_shared<const ChannelSet>(with_mean(score.channels, store))) {
  for (const Channel& channel : score.seeps.channels) {
    seeps_.emplace_back(store, channel.variable);
  }
}

eval::ClimatologyFields ClimatologyFieldsReader::read(Time valid) {
  const CalendarTime when = calendar(valid);
  eval::ClimatologyFields fields;
  fields.mean = {valid, grid_, channels_,
                 store_.read(when.day_of_year, when.hour, *channels_, ClimatologyPart::mean)};
  for (const eval::SeepsClimate& climate : seeps_) {
    fields.seeps.push_back(climate.at(valid));
  }
  for (const Channel& channel : thresholds_.channels) {
    if (thresholds_.kind == eval::ThresholdKind::gaussian) {
      append_gaussian(when, channel, fields.thresholds);
      continue;
    }
    for (const double quantile : thresholds_.quantiles) {
      const std::vector<float> values = store_.read_quantile(when.day_of_year, when.hour, channel, quantile);
      fields.thresholds.insert(fields.thresholds.end(), values.begin(), values.end());
    }
  }
  return fields;
}

void ClimatologyFieldsReader::append_gaussian(CalendarTime when, const Channel& channel,
                                              std::vector<double>& thresholds) {
  const auto mean = store_.read(when.day_of_year, when.hour, {channel}, ClimatologyPart::mean);
  const auto deviation = store_.read(when.day_of_year, when.hour, {channel}, ClimatologyPart::deviation);
  for (const double quantile : thresholds_.quantiles) {
    const double z = eval::normal_quantile(quantile);
    std::transform(mean.begin(), mean.end(), deviation.begin(), std::back_inserter(thresholds),
                   [z](double center, double width) { return center + z * width; });
  }
}

}  // namespace mosaic
