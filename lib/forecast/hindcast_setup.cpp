#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/machine.hpp"
#include "base/version.hpp"
#include "forecast/ensemble_rollout.hpp"
#include "forecast/forecast_output.hpp"
#include "forecast/hindcast.hpp"
#include "forecast/score_channels.hpp"
#include "model/checkpoint.hpp"
#include "model/mosaic_model.hpp"
#include "stores/netcdf_probe.hpp"
#include "stores/seams.hpp"

namespace mosaic {

namespace {

/// Of channels that the input does not have the model keeps the sources.
std::unique_ptr<ForecastModel> load_persistence(const HindcastConfig& config, const FieldStore& input) {
  ModelInfo info;
  info.step = config.step.value_or(published_description(config.model.preset).step);
  info.history_spacing = info.step;
  info.batch = config.ensemble.batch;
  info.grid = std::make_shared<const LatLonGrid>(input.grid());
  const DerivedChannels derived(
      parse_channels({&config.score.channels, &config.score.spectra, &config.output.channels}), info.grid,
      [&](const Channel& channel) { return input.has(channel); }, [](const Channel&) { return true; },
      levels_of(mosaic_channels()));
  ChannelSet channels = derived.to_read();
  for (const std::string& absent : derived.missing()) {  // to be reported with all else that is missing
    channels.push_back(parse_channel(absent));
  }
  info.channels = std::make_shared<const ChannelSet>(std::move(channels));
  return make_persistence(info);
}

NetworkDescription network_description(const HindcastConfig::Model& model) {
  if (model.network == "published") {
    return published_description(model.preset);
  }
  if (model.network == "demo") {
    NetworkDescription small = published_description(model.preset);
    const NetworkConfig published = small.network;
    small.network = demo_network();
    small.network.history = published.history;
    small.network.neighbours = published.neighbours;
    return small;
  }
  if (model.network == "weights") {
    const auto stored = stored_description(*open_tensor_file(model.weights));
    require(stored.has_value(), ExitCode::bad_configuration,
            "model.network: {} does not say which network it holds; name a network file, or convert it with "
            "mosaic_data convert --network",
            model.weights);
    return *stored;
  }
  require(std::filesystem::exists(model.network), ExitCode::missing_input,
          "model.network: '{}' is neither published, demo or weights nor a network file that is there",
          model.network);
  return parse_network_file(read_text(model.network), model.network);
}

/// The published neighbour tables, where they fit; else empty: the rule of grid/neighbours.hpp.
std::string neighbour_file(const std::string& assets, const NetworkConfig& network, const LatLonGrid& grid) {
  const bool published = network.stages.front().nside == 64 && grid == LatLonGrid::with_poles(240, 121) &&
                         (network.neighbours == 20 || network.neighbours == 24);
  return published ? fmt::format("{}/neighbours_k{}.npz", assets, network.neighbours) : "";
}

std::unique_ptr<ForecastModel> load_mosaic(const HindcastConfig& config, const LatLonGrid& grid,
                                           const DevicePlace& place) {
  const auto& model = config.model;
  MosaicModelOptions options;
  options.description = network_description(model);
  options.weights = model.weights;
  options.norm_stats =
      model.norm_stats.empty() ? model.assets + "/norm_stats_" + model.preset + ".npz" : model.norm_stats;
  options.static_vars = model.assets + "/static_vars.npz";
  options.neighbours = neighbour_file(model.assets, options.description.network, grid);
  options.calendar = model.calendar == "exact" ? Calendar::exact : Calendar::published;
  const int batches =
      batch_count({config.ensemble.first_member, config.ensemble.members}, config.ensemble.batch);
  options.device = {model.device == "cuda" ? DeviceKind::cuda : DeviceKind::cpu, place.rank_on_node,
                    place.sharing, model.chunk, batches * config.ensemble.batch};  // of a rank that is alone
  options.precision = parse_precision(model.precision != "auto" ? model.precision
                                      : model.device == "cuda"  ? "float16"
                                                                : "float32");
  options.verify_weights =
      model.verify_weights == "load" ? VerifyWeights::load : VerifyWeights::each_initial_time;
  options.batch = config.ensemble.batch;
  options.threads = config.threads;
  options.grid = grid;
  return make_mosaic_model(options);
}

std::unique_ptr<ForecastModel> load_model(const HindcastConfig& config, const FieldStore& input,
                                          const DevicePlace& place) {
  if (config.model.name == "persistence") {
    return load_persistence(config, input);
  }
  if (config.model.name == "qg3") {
    return load_qg3(config.qg3, config.step.value_or(qg3_step), input, config.ensemble.batch, config.threads);
  }
  return load_mosaic(config, input.grid(), place);
}

/// What the model or the scores need and a store does not have.
void find_missing(const FieldStore& store, const std::string& key, const ChannelSet& channels,
                  const std::vector<Time>& times, bool any_time, std::vector<std::string>& missing) {
  for (const Channel& channel : channels) {
    if (!store.has(channel)) {
      missing.push_back(fmt::format("{}: {} has no {}", key, store.path(), channel.name()));
    }
  }
  std::vector<std::string> absent;
  for (const Time time : times) {
    if (!any_time && !store.has_time(time)) {
      absent.push_back(to_string(time));
    }
  }
  if (!absent.empty()) {
    constexpr std::size_t shown = 10;
    const std::size_t count = absent.size();
    absent.resize(std::min(shown, count));
    missing.push_back(fmt::format("{}: {} has no state at {} times: {}{}", key, store.path(), count,
                                  fmt::join(absent, ", "), count > shown ? ", ..." : ""));
  }
}

/// A simulated store of several realizations: a forecast must not be compared with another one than its own.
void check_seams(const HindcastSetup& setup) {
  const ModelInfo& info = setup.model->info();
  const auto of_input = seams_of(setup.config.input.path), of_truth = seams_of(setup.config.truth.path);
  const Duration history = (info.history - 1) * info.history_spacing;
  std::vector<std::string> across;
  for (const Time time : setup.initial_times) {
    if (crosses_seam(of_input, time - history, time) ||
        crosses_seam(of_truth, time, time + setup.leads.back())) {
      across.push_back(to_string(time));
    }
  }
  constexpr std::size_t shown = 10;
  const std::size_t count = across.size();
  across.resize(std::min(shown, count));
  require(count == 0, ExitCode::corrupt_input,
          "truth.path: {}: {} forecasts would be verified across a seam, where another realization begins "
          "(attribute seams): those of {}{}; choose other initial times or simulate with --realizations 1",
          setup.config.truth.path, count, fmt::join(across, ", "), count > shown ? ", ..." : "");
}

void check_stores(const HindcastSetup& setup) {
  const ModelInfo& info = setup.model->info();
  std::vector<Time> input_times;
  std::vector<Time> truth_times;
  for (const Time time : setup.initial_times) {
    for (int age = 0; age < info.history; ++age) {
      input_times.push_back(time - age * info.history_spacing);
    }
    for (const Duration lead : setup.leads) {
      truth_times.push_back(time + lead);
    }
  }
  for (auto* times : {&input_times, &truth_times}) {
    std::sort(times->begin(), times->end());
    times->erase(std::unique(times->begin(), times->end()), times->end());
  }
  std::vector<std::string> missing;
  find_missing(*setup.input, "input.path", *info.channels, input_times, setup.config.input.frozen_state,
               missing);
  const DerivedChannels of_truth = channels_of_truth(setup, scored_channels(setup.score));
  for (const std::string& name : of_truth.missing()) {
    missing.push_back(
        fmt::format("truth.path: {} has neither {} nor what it is made of", setup.truth->path(), name));
  }
  find_missing(*setup.truth, "truth.path", of_truth.to_read(), truth_times,
               setup.config.score.missing_truth == "per-lead", missing);
  require(missing.empty(), ExitCode::missing_input, "{}", fmt::join(missing, "\n"));
  require(setup.truth->grid() == *info.grid, ExitCode::corrupt_input,
          "truth.path: {} is on another grid ({} x {}) than the forecast ({} x {})", setup.truth->path(),
          setup.truth->grid().longitude.size(), setup.truth->grid().latitude.size(),
          info.grid->longitude.size(), info.grid->latitude.size());
}

void check_forecast_channels(const HindcastSetup& setup) {
  const auto missing = channels_of_forecast(setup, scored_channels(setup.score)).missing();
  require(missing.empty(), ExitCode::bad_configuration,
          "score.channels, score.spectra: the forecast has neither {} nor what they are made of; remove them "
          "from the scores",
          fmt::join(missing, ", "));
}

/// Once for each store.
void warn_of_frozen_states(const HindcastSetup& setup) {
  std::vector<std::string> named;
  for (const auto& [fields, store] : {std::pair{&setup.config.input, setup.input.get()},
                                      std::pair{&setup.config.truth, setup.truth.get()}}) {
    if (!fields->frozen_state || std::find(named.begin(), named.end(), store->path()) != named.end()) {
      continue;
    }
    named.push_back(store->path());
    log_warning(
        "{}: the state of {} stands for every time (frozen_state): a demonstration, not a forecast case",
        store->path(), to_string(store->times().front()));
  }
}

enum class Owner { forecast, truth };

DerivedChannels derived_channels(const HindcastSetup& setup, const ChannelSet& wanted, Owner owner) {
  const ModelInfo& info = setup.model->info();
  const auto forecast_has = [&](const Channel& channel) {
    return std::find(info.channels->begin(), info.channels->end(), channel) != info.channels->end();
  };
  const auto truth_has = [&](const Channel& channel) { return setup.truth->has(channel); };
  const std::vector<int> levels = levels_of(*info.channels);
  return owner == Owner::forecast ? DerivedChannels(wanted, info.grid, forecast_has, truth_has, levels)
                                  : DerivedChannels(wanted, info.grid, truth_has, forecast_has, levels);
}

RunIdentity identity_of(const HindcastSetup& setup) {
  ConfigSchema schema;
  HindcastConfig config = setup.config;
  add_hindcast_keys(schema, config);
  RunIdentity identity;
  for (const auto& [path, value] : schema.values()) {
    const bool changes_bits = !path.starts_with("log.") && path != "output.folder" &&
                              path != "output.queue" && path != "model.chunk" &&
                              path != "parallel.ranks_per_init" && path != "on_error" &&
                              path != "score.device" && path.find(".verify_") == std::string::npos;
    if (changes_bits) {
      identity["configuration." + path] = value;
    }
  }
  identity["model"] = setup.model->info().identity;
  identity["input"] = setup.input->identity();
  identity["truth"] = setup.truth->identity();
  if (setup.climatology != nullptr) {
    identity["climatology"] = setup.climatology->identity();
  }
  if (!setup.config.ensemble.noise_file.empty()) {
    identity["noise_file"] = sha256_of_file(setup.config.ensemble.noise_file);
  }
  identity["program"] = version_text();
  for (const auto& [name, value] : machine_identity()) {
    identity["machine." + name] = value;
  }
  if (const auto& device = setup.model->info().device) {
    identity["machine.gpu"] = device->name;
    identity["scores"] = setup.score.on_device ? "on the GPU" : "on the CPU";
  }
  return identity;
}

}  // namespace

DerivedChannels channels_of_forecast(const HindcastSetup& setup, const ChannelSet& wanted) {
  return derived_channels(setup, wanted, Owner::forecast);
}

DerivedChannels channels_of_truth(const HindcastSetup& setup, const ChannelSet& wanted) {
  return derived_channels(setup, wanted, Owner::truth);
}

void probe_hindcast_input(const HindcastConfig& config) {
  probe_netcdf(config.input.path, store_options(config.input, 1));
  if (config.truth.path != config.input.path) {
    probe_netcdf(config.truth.path, store_options(config.truth, 1));
  }
  if (!config.climatology.path.empty()) {
    probe_climatology(config.climatology.path, climatology_options(config.climatology, 1));
  }
}

HindcastSetup set_up_hindcast(const HindcastConfig& config, const DevicePlace& place) {
  check_consistency(config);
  const FieldsConfig& truth = config.truth.path.empty() ? config.input : config.truth;
  HindcastParts parts;
  parts.input = open_field_store(config.input.path, store_options(config.input, config.threads));
  parts.truth = open_field_store(truth.path, store_options(truth, config.threads));
  parts.model = load_model(config, *parts.input, place);
  parts.climatology = open_climatology(config.climatology, config.threads);
  return set_up_hindcast(config, std::move(parts));
}

HindcastSetup set_up_hindcast(const HindcastConfig& config, HindcastParts parts) {
  check_consistency(config);
  HindcastSetup setup;
  setup.config = config;
  if (setup.config.truth.path.empty()) {
    setup.config.truth = setup.config.input;
  }
  setup.initial_times = initial_times(config.times);
  setup.score = score_options(config.score, config.threads);
  setup.input = std::move(parts.input);
  setup.truth = std::move(parts.truth);
  setup.model = std::move(parts.model);
  setup.climatology = std::move(parts.climatology);
  warn_of_frozen_states(setup);
  setup.score.land_mask = land_mask_for(setup.score.regions, *setup.truth);
  setup.score.grid = to_string(*setup.model->info().grid);
  setup.score.on_device = setup.model->info().device && config.score_device == "auto" &&
                          config.ensemble.members <= eval::most_members_on_device();
  setup.leads = lead_times(config, setup.model->info().step);
  setup.score.leads = setup.leads;
  add_maps(setup.score, config.score);
  if (setup.climatology != nullptr) {
    add_climatology(setup.score, config.score, *setup.climatology, *setup.model->info().grid);
  }
  check_forecast_channels(setup);
  check_stores(setup);
  check_seams(setup);
  if (setup.input->has(Channel{"geopotential_at_surface", std::nullopt})) {
    setup.orography = setup.input->read_static("geopotential_at_surface");
  }
  if (config.output.forecasts) {
    forecast_writer_options(config, setup.model->info(), setup.leads, "");  // its errors belong here
  }
  setup.identity = identity_of(setup);
  return setup;
}

}  // namespace mosaic
