#include "forecast/qg3_config.hpp"

#include <fmt/ranges.h>

#include "base/collect_problems.hpp"
#include "base/error.hpp"
#include "forecast/qg3_model.hpp"
#include "world/world_fields.hpp"

namespace mosaic {

namespace {

constexpr double day = 86400;  // [s]

double days(Duration duration) { return static_cast<double>(duration.seconds) / day; }

}  // namespace

void add_qg3_keys(ConfigSchema& schema, Qg3Config& config) {
  schema.key("qg3.truncation", &config.truncation, "Spectral truncation of the simulated world: 21 or 42")
      .range(21, 42);
  schema
      .key("qg3.perturbation", &config.perturbation,
           "What each member's initial state differs by: rms streamfunction, random and balanced [m2 s-1]; "
           "1e6 are about 10 m of height")
      .range(0, 1e8);
  schema
      .key("qg3.analysis_error", &config.analysis_error,
           "The same for what all members' initial states differ by from the input; equal to perturbation, "
           "truth and members are alike [m2 s-1]")
      .range(0, 1e8);
  schema.key("qg3.analysis_seed", &config.analysis_seed, "Seed of the analysis error").range(0, 9e15);
  schema
      .key("qg3.relaxation_time", &config.relaxation_time,
           "Of the thicknesses to their equilibrium; null = the world's, otherwise the model is imperfect")
      .range(day, 1000 * day);
  schema.key("qg3.drag_time", &config.drag_time, "Of the wind's drag at 800 hPa; null = the world's")
      .range(0.1 * day, 1000 * day);
  schema
      .key("qg3.diffusion_time", &config.diffusion_time,
           "Of the diffusion of the smallest scale; null = the world's")
      .range(0.1 * day, 1000 * day);
  schema
      .key("qg3.orography_factor", &config.orography_factor,
           "On the mountains' height where they stretch vortices; 1 = the world's")
      .range(0, 2);
}

world::Parameters world_parameters(const Qg3Config& config) {
  world::Parameters parameters = world::parameters_of(config.truncation);
  const auto replace = [](double& value, const std::optional<Duration>& time) {
    value = time ? days(*time) : value;
  };
  replace(parameters.relaxation_days, config.relaxation_time);
  replace(parameters.drag_days, config.drag_time);
  replace(parameters.diffusion_days, config.diffusion_time);
  parameters.orography_factor *= config.orography_factor;
  return parameters;
}

void check_qg3(const Qg3Config& config, Duration step, std::int64_t noise_seed,
               std::vector<std::string>& problems) {
  const std::size_t before = problems.size();
  collect_problems(problems, [&] { world_parameters(config); });
  if (problems.size() != before) {
    problems.back() = fmt::format("qg3.truncation: {}", problems.back());
  } else {
    const Duration inner = world_parameters(config).time_step;
    if (step.seconds % inner.seconds != 0) {
      problems.push_back(fmt::format("forecast.step {} must be a multiple of the time step of T{}, {}",
                                     to_string(step), config.truncation, to_string(inner)));
    }
  }
  if (config.analysis_error == 0 && config.analysis_seed != Qg3Config{}.analysis_seed) {
    problems.push_back("qg3.analysis_seed has no effect without qg3.analysis_error");
  }
  if (config.analysis_error > 0 && config.perturbation > 0 && config.analysis_seed == noise_seed) {
    problems.push_back(fmt::format(
        "qg3.analysis_seed {} must differ from ensemble.seed: the first member's perturbation would be the "
        "analysis error once more",
        config.analysis_seed));
  }
}

std::unique_ptr<ForecastModel> load_qg3(const Qg3Config& config, Duration step, const FieldStore& input,
                                        int batch, int threads) {
  std::vector<std::string> missing;
  for (const Channel& channel : world::world_channels()) {
    if (!input.has(channel)) {
      missing.push_back(channel.name());
    }
  }
  require(missing.empty(), ExitCode::missing_input,
          "input.path: {} has no {}; model.name qg3 forecasts the simulated world only, of which mosaic_data "
          "simulate makes stores",
          input.path(), fmt::join(missing, ", "));
  Qg3Options options;
  options.parameters = world_parameters(config);
  options.step = step;
  options.perturbation = config.perturbation;
  options.analysis_error = config.analysis_error;
  options.analysis_seed = static_cast<std::uint64_t>(config.analysis_seed);
  options.batch = batch;
  options.threads = threads;
  options.grid = std::make_shared<const LatLonGrid>(input.grid());
  try {
    return make_qg3_model(options);
  } catch (const Error& problem) {
    if (problem.code() != ExitCode::corrupt_input) {
      throw;
    }
    fail(ExitCode::corrupt_input,
         "input.path: {} with qg3.truncation {}: {}; take a store on another grid or a smaller truncation",
         input.path(), config.truncation, problem.what());
  }
}

}  // namespace mosaic
