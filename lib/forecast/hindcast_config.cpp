#include "forecast/hindcast_config.hpp"

#include <charconv>
#include <functional>

#include "base/collect_problems.hpp"
#include "base/error.hpp"

namespace mosaic {

namespace {

void add_network_keys(ConfigSchema& schema, HindcastConfig& config) {
  auto& model = config.model;
  schema
      .key("model.preset", &model.preset,
           "Published model: step, history, neighbours; with a network of its own only the normalisation")
      .choices({"era5", "hres"});
  schema.key("model.network", &model.network,
             "published; demo, a small one; weights, as their metadata say; or a network file (YAML)");
  schema.key("model.weights", &model.weights,
             "Weights: .safetensors or a published .pt; formula:KEY gives untrained pseudo-random weights");
  schema.key(
      "model.assets", &model.assets,
      "Folder of normalisation statistics, static fields and neighbour tables (from the working folder)");
  schema.key("model.norm_stats", &model.norm_stats,
             "Normalisation statistics; empty = the preset's file in model.assets");
  schema
      .key("model.device", &model.device,
           "Where the network runs; cuda: rank r of a host takes the visible GPU r modulo their number")
      .choices({"cpu", "cuda"});
  schema
      .key("model.chunk", &model.chunk,
           "Members that a GPU computes at once, a divisor of ensemble.batch; 0 = as many as fit, 8 at most; "
           "changes no bits")
      .range(0, 1000);
  schema
      .key("model.precision", &model.precision,
           "Operands of the network's matrix products; auto: float32 on the CPU, float16 (GPUs only) with "
           "device: cuda; "
           "bfloat16 on the CPU: half the weights' memory, slow without its instructions (avx512_bf16, AMX)")
      .choices({"auto", "float32", "bfloat16", "float16"});
  schema
      .key("model.calendar", &model.calendar,
           "Time features after the first step: as the published forecasts, or by true time")
      .choices({"published", "exact"});
  schema
      .key("model.verify_weights", &model.verify_weights,
           "Compare weights with the checksum in their file, and those in memory before each initial time")
      .choices({"load", "each-initial-time"});
}

void add_model_keys(ConfigSchema& schema, HindcastConfig& config) {
  schema
      .key("model.name", &config.model.name,
           "Forecast model: the network, the newest initial state, or the simulated world (qg3.*)")
      .choices({"mosaic", "persistence", "qg3"});
  add_network_keys(schema, config);
  add_qg3_keys(schema, config.qg3);
}

void add_ensemble_keys(ConfigSchema& schema, HindcastConfig& config) {
  auto& ensemble = config.ensemble;
  schema.key("ensemble.members", &ensemble.members, "Ensemble members").range(1, 10000);
  schema
      .key("ensemble.first_member", &ensemble.first_member,
           "Number of the first member; each has the bits that it has in any other ensemble")
      .range(0, 1e6);
  schema.key("ensemble.batch", &ensemble.batch, "Members that the model is given at once; never changes bits")
      .range(1, 1000);
  schema.key("ensemble.seed", &ensemble.seed, "Seed of the members' noise").range(0, 9e15);
  schema.key("ensemble.noise_file", &ensemble.noise_file,
             "Draws instead of the seed: tensor `noise` [members, steps, width] in .safetensors or .npz");
  schema.key("forecast.lead_time", &config.lead_time, "Length of each forecast");
  schema
      .key(
          "forecast.step", &config.step,
          "Between lead times of qg3 (null = 12h; at each the fields are rounded to float32) and persistence "
          "(null = the step of model.preset)")
      .range(1, 8.64e6);
}

void add_time_keys(ConfigSchema& schema, HindcastConfig& config) {
  auto& times = config.times;
  schema.key("times.set", &times.set, "Named set of initial times: wb2-2020 (732) or first-720");
  schema.key("times.list", &times.list, "File with one initial time per line");
  schema.key("times.start", &times.start, "First initial time");
  schema.key("times.end", &times.end, "Last initial time, inclusive");
  schema.key("times.step", &times.step, "Between initial times");
}

void add_output_keys(ConfigSchema& schema, HindcastConfig& config) {
  auto& output = config.output;
  schema.key("output.folder", &output.folder, "Results folder").required();
  schema.key("output.forecasts", &output.forecasts, "Write forecast fields as NetCDF");
  schema.key("output.layout", &output.layout, "One file per initial time, or per initial time and member")
      .choices({"ensemble", "member"});
  schema
      .key("output.naming", &output.naming,
           "Names of variables: t2m, z, ... or 2m_temperature, geopotential, ...")
      .choices({"cf", "wb2"});
  schema.key("output.channels", &output.channels, "Channels to write; empty = all");
  schema.key("output.lead_times", &output.lead_times, "Lead times to write; empty = all");
  schema.key("output.products", &output.products, "What to write: members, mean, spread")
      .choices({"members", "mean", "spread"});
  schema.key("output.deflate", &output.deflate, "Compression level").range(0, 9);
  schema
      .key("output.quantize_digits", &output.quantize_digits,
           "Significant decimal digits that are kept, for smaller files; null = every bit")
      .range(1, 6);
  schema
      .key("output.queue", &output.queue,
           "Fields that may wait for the disk before the model waits [MiB]; never changes bits")
      .range(1, 1e6);
}

void add_run_keys(ConfigSchema& schema, HindcastConfig& config) {
  schema.key("parallel.threads", &config.threads, "Threads per rank; part of what fixes the bits")
      .range(1, 1024);
  schema.key("parallel.ranks_per_init", &config.ranks_per_init,
             "Ranks that share the members of an initial time: a number, or auto; never changes bits");
  schema
      .key("on_error", &config.on_error,
           "An initial time that fails ends the job, or is left out and listed (exit code 76)")
      .choices({"stop", "continue"});
  schema.key("log.interval", &config.log.interval, "Between progress lines where stderr is no terminal");
  schema.key("log.level", &config.log.level, "Least important messages on stderr")
      .choices({"debug", "info", "warning", "error"});
}

/// Keys of a section that were changed although nothing looks at them, found by their values: `unused`
/// declares only those keys.
void find_idle_keys(const std::function<void(ConfigSchema&, HindcastConfig&)>& unused,
                    const HindcastConfig& config, const std::string& reason,
                    std::vector<std::string>& problems) {
  HindcastConfig given = config;
  HindcastConfig untouched;
  ConfigSchema given_keys;
  ConfigSchema default_keys;
  unused(given_keys, given);
  unused(default_keys, untouched);
  const auto defaults = default_keys.values();
  for (const auto& [path, value] : given_keys.values()) {
    if (path != "output.folder" && path != "output.forecasts" && value != defaults.at(path)) {
      problems.push_back(path + " has no effect " + reason);
    }
  }
}

/// The model's keys with each other and with those that only another model looks at.
void check_model(const HindcastConfig& config, std::vector<std::string>& problems) {
  const std::string& name = config.model.name;
  const std::string of_model = "with model.name " + name;
  const auto refuse_if = [&](bool wrong, const std::string& text) {
    if (wrong) {
      problems.push_back(text);
    }
  };
  refuse_if(name == "mosaic" && config.model.weights.empty(),
            "model.weights (--weights) is missing: a .safetensors or .pt file, or formula:KEY for untrained "
            "weights");
  refuse_if(name == "persistence" && !config.model.weights.empty(),
            "model.weights has no effect " + of_model + ": leave it empty");
  const HindcastConfig::Model usual;
  refuse_if(name == "persistence" && config.model.precision != usual.precision,
            "model.precision has no effect " + of_model);
  refuse_if(name == "persistence" && config.model.device != usual.device,
            "model.device has no effect " + of_model);
  refuse_if(config.model.device == "cpu" && config.model.chunk != usual.chunk,
            "model.chunk has no effect with model.device: cpu");
  refuse_if(config.model.device == "cpu" && config.model.precision == "float16",
            "model.precision: float16 is for model.device: cuda");
  refuse_if(config.model.chunk > 0 && config.ensemble.batch % config.model.chunk != 0,
            fmt::format("model.chunk {} does not divide ensemble.batch {}", config.model.chunk,
                        config.ensemble.batch));
  refuse_if(
      config.model.device == "cuda" && config.model.verify_weights != usual.verify_weights,
      "model.verify_weights: each-initial-time looks at the host's memory: not with model.device: cuda");
  refuse_if(config.model.network == "weights" && config.model.weights.starts_with("formula:"),
            "model.network: weights needs a file of weights, not " + config.model.weights);
  const bool draws_noise = name == "mosaic" || (name == "qg3" && config.qg3.perturbation > 0);
  refuse_if(!draws_noise && !config.ensemble.noise_file.empty(),
            "ensemble.noise_file has no effect " + of_model +
                (name == "qg3" ? " and qg3.perturbation 0" : "") + ": leave it empty");
  refuse_if(name == "mosaic" && config.step.has_value(),
            "forecast.step has no effect " + of_model + ", which has a step of its own");
  refuse_if(name == "persistence" && config.step && config.model.preset != HindcastConfig{}.model.preset,
            "model.preset has no effect " + of_model + " and forecast.step");
  if (name == "qg3") {
    find_idle_keys(add_network_keys, config, of_model, problems);
    check_qg3(config.qg3, config.step.value_or(qg3_step), config.ensemble.seed, problems);
  } else {
    find_idle_keys([](ConfigSchema& schema, HindcastConfig& all) { add_qg3_keys(schema, all.qg3); }, config,
                   of_model, problems);
  }
}

}  // namespace

ScoreConfig default_scores() {
  ScoreConfig score;
  score.channels = {"geopotential_500",        "temperature_850",         "specific_humidity_700",
                    "u_component_of_wind_850", "v_component_of_wind_850", "2m_temperature",
                    "10m_u_component_of_wind", "10m_v_component_of_wind", "mean_sea_level_pressure"};
  score.spectra = {"u_component_of_wind_850", "v_component_of_wind_850", "geopotential_500"};
  return score;
}

void add_hindcast_keys(ConfigSchema& schema, HindcastConfig& config) {
  add_model_keys(schema, config);
  add_ensemble_keys(schema, config);
  add_time_keys(schema, config);
  add_fields_keys(schema, "input", config.input,
                  "Initial states: a Zarr v2 store in the WeatherBench2 layout, or NetCDF files");
  schema.key("input.check", &config.check_input,
             "Check units, level order and latitude order of the initial states");
  add_fields_keys(schema, "truth", config.truth, "Verifying states; empty = input.path");
  add_climatology_keys(schema, config.climatology);
  add_score_keys(schema, config.score,
                 "Channels to score; those that the model does not have are derived from its own");
  schema
      .key("score.device", &config.score_device,
           "Where statistics and spectra are made: auto, where the model computes (a GPU takes 64 members at "
           "most); or cpu")
      .choices({"auto", "cpu"});
  add_output_keys(schema, config);
  add_run_keys(schema, config);
}

void check_consistency(const HindcastConfig& config) {
  std::vector<std::string> problems;
  const auto expect = [&](bool ok, const std::string& text) {
    if (!ok) {
      problems.push_back(text);
    }
  };
  expect(!config.input.path.empty(), "input.path (--input) is missing: the store of initial states");
  check_model(config, problems);
  if (!config.output.forecasts) {
    find_idle_keys(add_output_keys, config, "without output.forecasts: true", problems);
  }
  if (config.truth.path.empty()) {
    const auto truth_keys = [](ConfigSchema& schema, HindcastConfig& all) {
      add_fields_keys(schema, "truth", all.truth, "");
    };
    find_idle_keys(truth_keys, config, "without truth.path: the truth is read as input.* says", problems);
  }
  expect(!config.times.end || config.times.start, "times.end has no effect without times.start");
  expect(config.times.step == InitialTimeSelection{}.step || config.times.start,
         "times.step has no effect without times.start");
  expect(!config.output.products.empty(), "output.products is empty: name members, mean or spread");
  expect(!config.score.channels.empty(), "score.channels is empty: name at least one channel");
  check_scores(config.score, config.climatology, problems);
  for (const std::string& name : config.output.channels) {
    collect_problems(problems, [&] { parse_channel(name); });
  }
  collect_problems(problems, [&] { initial_times(config.times); });
  collect_problems(problems, [&] { ranks_per_init(config); });
  require(problems.empty(), ExitCode::bad_configuration, "{}", fmt::join(problems, "\n"));
}

std::optional<int> ranks_per_init(const HindcastConfig& config) {
  const std::string& text = config.ranks_per_init;
  if (text == "auto") {
    return std::nullopt;
  }
  int ranks = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), ranks);
  require(problem == std::errc() && end == text.data() + text.size() && ranks > 0,
          ExitCode::bad_configuration, "parallel.ranks_per_init: '{}' is neither auto nor a positive number",
          text);
  return ranks;
}

std::vector<Duration> lead_times(const HindcastConfig& config, Duration step) {
  require(config.lead_time >= step && config.lead_time.seconds % step.seconds == 0,
          ExitCode::bad_configuration, "forecast.lead_time {} must be a multiple of the model's step {}",
          to_string(config.lead_time), to_string(step));
  std::vector<Duration> leads;
  for (Duration lead = step; lead <= config.lead_time; lead = lead + step) {
    leads.push_back(lead);
  }
  return leads;
}

}  // namespace mosaic
