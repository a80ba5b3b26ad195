#include "fake_hindcast/null_setup.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "fake_hindcast/hash_fields.hpp"
#include "fake_hindcast/null_model.hpp"
#include "stores/zarr_writer.hpp"

namespace mosaic::test {

namespace {

/// Every time between the oldest state of a history and the last valid time.
std::vector<Time> all_times(const HindcastConfig& config) {
  const std::vector<Time> initial = initial_times(config.times);
  std::vector<Time> times;
  const Time last = initial.back() + config.lead_time;
  for (Time time = initial.front() - NullModel::step; time <= last; time = time + NullModel::step) {
    times.push_back(time);
  }
  return times;
}

std::unique_ptr<FieldStore> open_fields(const FieldsConfig& fields, const HindcastConfig& config) {
  if (fields.path == "hash") {
    return std::make_unique<HashFields>(all_times(config));
  }
  FieldStoreOptions options;
  options.allow_missing_chunks = fields.allow_missing_chunks;
  return open_field_store(fields.path, options);
}

NullModelOptions model_options(const HindcastConfig& config, const NullRun& run) {
  const auto& ensemble = config.ensemble;
  const int batches = (ensemble.members + ensemble.batch - 1) / ensemble.batch;
  const std::int64_t steps = config.lead_time.seconds / NullModel::step.seconds;
  const std::vector<Time> times = initial_times(config.times);
  NullModelOptions options;
  options.batch = ensemble.batch;
  options.sleep = run.sleep / static_cast<double>(std::max<std::int64_t>(steps * batches, 1));
  options.fault = run.fault;
  options.leak = run.leak;
  options.first_unit_faulted = times[times.size() / 2];
  return options;
}

/// The model's variables at all of its levels: a store has the same levels for each.
std::shared_ptr<const ChannelSet> stored_channels() {
  const auto model_channels = hash_channels();
  ChannelSet channels;
  for (const Channel& channel : *model_channels) {
    for (const int level : {500, 700, 850}) {
      const Channel stored{channel.variable, channel.level ? std::optional(level) : std::nullopt};
      if (std::find(channels.begin(), channels.end(), stored) == channels.end()) {
        channels.push_back(stored);
      }
    }
  }
  return std::make_shared<const ChannelSet>(channels);
}

}  // namespace

HindcastConfig null_config(int initial_times, int leads) {
  HindcastConfig config;
  config.model.name = "persistence";  // the one of the known names that needs no weights
  config.times.start = parse_time("2020-01-01T00");
  config.times.end = *config.times.start + (initial_times - 1) * config.times.step;
  config.lead_time = leads * NullModel::step;
  config.ensemble.members = 4;
  config.ensemble.batch = 2;
  config.input.path = "hash";
  return config;
}

HindcastSetup set_up_null_hindcast(const HindcastConfig& config, const NullRun& run) {
  check_consistency(config);
  HindcastParts parts;
  parts.input = open_fields(config.input, config);
  parts.truth = open_fields(config.truth.path.empty() ? config.input : config.truth, config);
  parts.model = std::make_unique<NullModel>(model_options(config, run));
  return set_up_hindcast(config, std::move(parts));
}

void write_hash_store(const std::string& path, const HindcastConfig& config) {
  HashFields fields(all_times(config));
  const auto channels = stored_channels();
  ZarrWriter writer(path, hash_grid(), channels, fields.times());
  for (const Time time : fields.times()) {
    writer.write(fields.read(time, channels));
  }
  writer.close();
}

}  // namespace mosaic::test
