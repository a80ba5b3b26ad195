#include "forecast/qg3_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/noise.hpp"
#include "base/sha256.hpp"
#include "world/world.hpp"
#include "world/world_analysis.hpp"
#include "world/world_fields.hpp"

namespace mosaic {

namespace {

constexpr std::size_t draws = world::perturbation_draws;

std::string identity_of(const Qg3Options& options) {
  Sha256 sum;
  const auto add = [&](const std::string& name, const std::string& value) {
    sum.add(fmt::format("{}={}\n", name, value));
  };
  add("model", "qg3");
  for (const auto& [name, value] : world::named_values(options.parameters)) {
    add(name, value);
  }
  add("step", std::to_string(options.step.seconds));
  add("perturbation", fmt::format("{}", options.perturbation));
  add("analysis_error", fmt::format("{}", options.analysis_error));
  add("analysis_seed", std::to_string(options.analysis_seed));
  add("grid", to_string(*options.grid));
  return sum.hex();
}

std::string description_of(const Qg3Options& options) {
  return fmt::format(
      "qg3: the simulated world at T{}, {} steps; perturbations of {:g}, analysis errors of {:g} m2 s-1",
      options.parameters.truncation, to_string(options.parameters.time_step), options.perturbation,
      options.analysis_error);
}

/// Mean and standard deviation that a value is never 30 times away from, whatever the season.
std::pair<double, double> climate_of(const Channel& channel) {
  if (channel.variable == "geopotential") {
    constexpr double scale = 7800;  // [m] of one e-folding of pressure
    return {world::gravity * scale * std::log(1000.0 / channel.level.value_or(1000)), 3000};
  }
  return channel.variable.ends_with("temperature") ? std::pair{250.0, 20.0} : std::pair{0.0, 20.0};
}

ModelInfo info_of(const Qg3Options& options) {
  ModelInfo info;
  info.name = "qg3";
  info.description = description_of(options);
  info.step = options.step;
  info.history_spacing = options.step;
  info.noise_width = options.perturbation > 0 ? static_cast<int>(draws) : 0;
  info.batch = options.batch;
  info.channels = std::make_shared<const ChannelSet>(world::world_channels());
  info.grid = options.grid;
  for (const Channel& channel : *info.channels) {
    const auto [mean, deviation] = climate_of(channel);
    info.channel_mean.push_back(mean);
    info.channel_std.push_back(deviation);
  }
  info.identity = identity_of(options);
  return info;
}

class Qg3Model : public ForecastModel {
 public:
  explicit Qg3Model(const Qg3Options& options)
      : options_(options),
        info_(info_of(options)),
        world_(options.parameters),
        analysis_(world_, options.grid, *info_.channels),
        fields_(options.parameters, options.grid) {
    require(options.step.seconds % options.parameters.time_step.seconds == 0,
            "qg3: a step of {} is no multiple of {}", to_string(options.step),
            to_string(options.parameters.time_step));
  }

  const ModelInfo& info() const override { return info_; }

  void advance(const AdvanceArgs& args) override {
    const auto batch = static_cast<std::size_t>(info_.batch);
    const std::size_t size = info_.channels->size() * info_.grid->points();
    require(args.history.size() == batch * size, "qg3: history of {} values, expected {} members x {}",
            args.history.size(), batch, size);
    std::vector<float*> members;
    for (std::size_t member = 0; member < batch; ++member) {
      members.push_back(args.history.data() + member * size);
    }
    const Time valid = args.initial_time + args.step * info_.step;
    world::WorldState state = analysis_.analyse(std::vector<const float*>(members.begin(), members.end()),
                                                std::vector<Time>(batch, valid));
    if (args.step == 0) {
      perturb(args, state);
    }
    world_.advance(state, options_.step.seconds / options_.parameters.time_step.seconds, options_.threads);
    fields_.synthesize(world_, state, members, options_.threads);
  }

 private:
  void perturb(const AdvanceArgs& args, world::WorldState& state) const {
    if (options_.analysis_error > 0) {
      std::vector<float> shared(state.members() * draws);
      fill_normal_noise(options_.analysis_seed, args.initial_time, 0, 0, std::span(shared).first(draws));
      for (std::size_t member = 1; member < state.members(); ++member) {
        std::copy_n(shared.begin(), draws, shared.begin() + static_cast<std::ptrdiff_t>(member * draws));
      }
      world::add_perturbations(world_, shared, options_.analysis_error, state);
    }
    if (options_.perturbation > 0) {
      require(args.noise.size() == state.members() * draws, "qg3: {} draws for {} members", args.noise.size(),
              state.members());
      world::add_perturbations(world_, args.noise, options_.perturbation, state);
    }
  }

  Qg3Options options_;
  ModelInfo info_;
  world::World world_;
  world::WorldAnalysis analysis_;
  world::WorldFields fields_;
};

}  // namespace

std::unique_ptr<ForecastModel> make_qg3_model(const Qg3Options& options) {
  return std::make_unique<Qg3Model>(options);
}

}  // namespace mosaic
