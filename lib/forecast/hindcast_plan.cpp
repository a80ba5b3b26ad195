#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "campaign/rank_groups.hpp"
#include "forecast/ensemble_rollout.hpp"
#include "forecast/forecast_output.hpp"
#include "forecast/hindcast.hpp"

namespace mosaic {

namespace {

namespace fs = std::filesystem;

std::string size_text(double bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(units)) {
    bytes /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g} {}", bytes, units[unit]);
}

/// Uncompressed bytes of the forecast files of one initial time, and their number.
std::pair<double, std::size_t> forecast_size(const HindcastSetup& setup) {
  if (!setup.config.output.forecasts) {
    return {0, 0};
  }
  const ForecastWriterOptions options =
      forecast_writer_options(setup.config, setup.model->info(), setup.leads, "");
  const auto members = static_cast<std::size_t>(setup.config.ensemble.members);
  const std::size_t fields =
      (options.members ? members : 0) + (options.mean ? 1 : 0) + (options.spread ? 1 : 0);
  const double field = static_cast<double>(setup.model->info().grid->points() * sizeof(float));
  const double bytes = field * static_cast<double>(options.channels.size() * options.leads.size() * fields);
  return {bytes, options.layout == ForecastLayout::member ? fields : 1};
}

double free_bytes(const std::string& folder) {
  fs::path place = fs::absolute(folder);
  while (!fs::exists(place) && place.has_parent_path()) {
    place = place.parent_path();
  }
  std::error_code problem;
  const auto space = fs::space(place, problem);
  return problem ? 0 : static_cast<double>(space.available);
}

/// Of a run on GPUs: where its scores are made.
std::string place_of_scores(const HindcastSetup& setup) {
  if (!setup.score.on_device) {
    const bool too_many = setup.config.score_device == "auto";
    return too_many ? fmt::format("on the processor: a GPU takes {} members at most",
                                  eval::most_members_on_device())
                    : "on the processor (score.device: cpu)";
  }
  const bool some_on_host = !eval::InitTimeScorer::host_channels(setup.score).empty();
  return fmt::format("statistics and spectra on the GPU{}",
                     some_on_host ? "; maps, SEEPS and quantiles on the processor" : "");
}

}  // namespace

std::string hindcast_plan(const HindcastSetup& setup, int ranks, const Shard& shard) {
  const ModelInfo& model = setup.model->info();
  const auto& config = setup.config;
  const std::size_t count = setup.initial_times.size();
  const double state = static_cast<double>(model.channels->size() * model.grid->points() * sizeof(float));
  const int batches = batch_count({config.ensemble.first_member, config.ensemble.members}, model.batch);
  const std::size_t own_count = times_of_shard(setup.initial_times, shard).size();
  const int groups = number_of_groups(ranks, ranks_per_init(config), own_count, batches);
  const int group_size = ranks / groups;
  const double ensemble =
      state * model.history * model.batch * ((batches + group_size - 1) / group_size);  // of one rank
  const auto [bytes, files] = forecast_size(setup);
  const double all_bytes = bytes * static_cast<double>(own_count);
  const double available = free_bytes(config.output.folder);
  std::string text;
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{:<16}{}\n", name, value);
  };
  line("model", model.description);
  line("grid", fmt::format("{} longitudes x {} latitudes, {} channels", model.grid->longitude.size(),
                           model.grid->latitude.size(), model.channels->size()));
  line("initial times", fmt::format("{}: {} ... {}", count, to_string(setup.initial_times.front()),
                                    to_string(setup.initial_times.back())));
  line("lead times", fmt::format("{}: {} ... {}", setup.leads.size(), to_string(setup.leads.front()),
                                 to_string(setup.leads.back())));
  line("members", fmt::format("{} in batches of {}", config.ensemble.members, model.batch));
  if (shard.count > 1) {
    line("shard", fmt::format("{}/{}: {} initial times", shard.index, shard.count, own_count));
  }
  line("ranks",
       fmt::format("{} on {}, groups: {}, {} threads each{}", ranks,
                   model.device ? "GPUs, rank r of a host on the visible one of number r modulo their count"
                                : "the CPU",
                   groups, config.threads,
                   static_cast<std::size_t>(groups) > own_count
                       ? "; more groups than initial times: some stay idle"
                       : ""));
  if (model.device) {
    line("GPU", fmt::format("{} ({}): {}", model.device->number, model.device->name, model.device->plan));
    line("scores", place_of_scores(setup));
  }
  line("memory", fmt::format("{} of ensemble states per rank{}", size_text(ensemble),
                             model.device ? ", on the GPU" : ", beside the model"));
  line("input", setup.input->path() + ": everything needed is there");
  line("truth",
       setup.truth->path() + (config.score.missing_truth == "error" ? ": everything needed is there"
                                                                    : ": leads without truth are left out"));
  line("forecast files",
       files == 0 ? "none (output.forecasts: false)"
                  : fmt::format("{} files, {} before compression", files * own_count, size_text(all_bytes)));
  const eval::InitTimeSums sums = eval::empty_sums(setup.score, *model.grid, config.ensemble.members);
  const auto maps = static_cast<double>(sums.maps.values.size() * sizeof(double));
  const double sum_bytes = static_cast<double>(sums.bytes()) * static_cast<double>(own_count);
  line("sums", fmt::format("{} per initial time, {} in all{}", size_text(static_cast<double>(sums.bytes())),
                           size_text(sum_bytes),
                           maps > 0 ? fmt::format(", of which maps take {} until the end",
                                                  size_text(maps * static_cast<double>(own_count)))
                                    : ""));
  line("free disk", fmt::format("{} at {}{}", size_text(available), config.output.folder,
                                all_bytes + sum_bytes > available ? "; NOT ENOUGH without compression" : ""));
  return text;
}

}  // namespace mosaic
