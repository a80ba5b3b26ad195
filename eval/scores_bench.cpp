#include "eval/scores_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "eval/bench_times.hpp"
#include "eval/init_time_scorer.hpp"
#include "eval/regions.hpp"
#include "kernels/device/device.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::eval {
namespace {

/// Winds on three levels first, then other variables.
ChannelSet bench_channels(std::size_t count) {
  ChannelSet channels;
  for (const int level : {850, 500, 250}) {
    channels.push_back({"u_component_of_wind", level});
    channels.push_back({"v_component_of_wind", level});
  }
  for (const int level : {1000, 850, 500, 250}) {
    for (const char* variable : {"geopotential", "temperature", "specific_humidity", "vertical_velocity"}) {
      channels.push_back({variable, level});
    }
  }
  channels.resize(std::min(count, channels.size()));
  return channels;
}

/// Fields of the bench, lead by lead as forecasts lie in memory; a truth and a climatology for all.
class Ensembles {
 public:
  explicit Ensembles(const ScoresBenchOptions& options)
      : grid_(std::make_shared<LatLonGrid>(LatLonGrid::with_poles(options.longitudes, options.latitudes))),
        channels_(std::make_shared<ChannelSet>(bench_channels(static_cast<std::size_t>(options.channels())))),
        truth_(random_state(1)),
        climatology_{random_state(2), {}, {}},
        ranks_(kernels::rank_count_kinds * (static_cast<std::size_t>(options.members) + 1)) {
    const auto members = static_cast<std::size_t>(options.members);
    const auto fields = static_cast<std::size_t>(options.fields);
    for (std::size_t i = 0; i < fields; ++i) {
      const std::size_t channel = i % channels_->size();
      members_.emplace_back();
      for (std::size_t m = 0; m < members; ++m) {
        if (channel == 0) {
          const std::size_t here = std::min(channels_->size(), fields - i);
          states_.push_back(random_field(here * grid_->points(), static_cast<unsigned>(3 + i * members + m)));
        }
        members_.back().push_back(states_[i / channels_->size() * members + m].data() +
                                  channel * grid_->points());
      }
    }
    const auto regions = static_cast<std::size_t>(options.regions);
    score_options_.channels = *channels_;
    score_options_.regions.assign(known_regions().begin(),
                                  known_regions().begin() + static_cast<std::ptrdiff_t>(regions));
    score_options_.threads = options.threads;
    score_options_.climatology = true;
    score_options_.spectra_channels = bench_channels(std::min<std::size_t>(channels_->size(), 6));
    for (int lead = 0; lead < options.leads(); ++lead) {
      score_options_.leads.push_back(Duration::hours(6 * (lead + 1)));
    }
    for (const Region& region : score_options_.regions) {
      areas_.push_back(area_mask(region, *grid_, nullptr));
    }
    means_.resize(regions);
  }

  /// Statistics of the first `count` fields.
  void score(std::size_t count, bool energy, int threads, kernels::EnsembleStatisticsBackend backend) {
    for (std::size_t i = 0; i < count; ++i) {
      kernels::ensemble_statistics({.members = members_[i],
                                    .truth = truth_.values.data(),
                                    .latitudes = grid_->latitude.size(),
                                    .longitudes = grid_->longitude.size(),
                                    .areas = areas_,
                                    .means = means_,
                                    .threads = threads,
                                    .climatology = climatology_.mean.values.data(),
                                    .energy = energy,
                                    .ranks = ranks_},
                                   backend);
    }
  }

  /// Seconds for all scores of an initial time as hindcasts and evaluations make them, with the spectra of
  /// the winds; tables of the grid are there before.
  double score_initial_time(int repeats) {
    InitTimeScorer scorer(score_options_, grid_, channels_, static_cast<int>(members_[0].size()));
    return time_of(scorer, repeats,
                   [&](std::size_t lead) { return EnsembleFields(members_[lead * channels_->size()]); });
  }

  /// The same of members whose fields lie on this thread's GPU.
  double score_initial_time_on_device(int repeats) {
    const std::size_t members = members_[0].size(), state = channels_->size() * grid_->points();
    const kernels::Stream stream;
    std::vector<kernels::DeviceMemory> fields;
    for (std::size_t lead = 0; lead < score_options_.leads.size(); ++lead) {
      fields.emplace_back(members * state * sizeof(float));
      for (std::size_t m = 0; m < members; ++m) {
        kernels::copy_to_device(fields.back().as<float>() + m * state, states_[lead * members + m].data(),
                                state * sizeof(float), stream);
      }
      stream.wait();
    }
    ScoreOptions options = score_options_;
    options.on_device = true;
    const auto nothing = std::make_shared<const ChannelSet>();
    InitTimeScorer scorer(options, grid_, nothing, static_cast<int>(members), channels_.get());
    return time_of(scorer, repeats, [&](std::size_t lead) {
      return EnsembleFields(
          {}, DeviceMembers{fields[lead].as<float>(), static_cast<std::int64_t>(state), &stream});
    });
  }

 private:
  double time_of(InitTimeScorer& scorer, int repeats,
                 const std::function<EnsembleFields(std::size_t)>& fields_of) {
    return best_time(repeats, [&] {
      scorer.begin(Time{});
      for (std::size_t lead = 0; lead < score_options_.leads.size(); ++lead) {
        truth_.time = Time{} + score_options_.leads[lead];
        scorer.add(lead, fields_of(lead), truth_, &climatology_);
      }
      scorer.finish();
    });
  }

  State random_state(unsigned seed) const {
    return {Time{}, grid_, channels_, random_field(channels_->size() * grid_->points(), seed)};
  }

  std::shared_ptr<const LatLonGrid> grid_;
  std::shared_ptr<const ChannelSet> channels_;
  State truth_;
  ClimatologyFields climatology_;
  std::vector<double> ranks_;
  std::vector<std::vector<float>> states_;          // [leads, members] of [channels, lat, lon]
  std::vector<std::vector<const float*>> members_;  // [fields, members]
  ScoreOptions score_options_;
  std::vector<kernels::AreaMask> areas_;
  std::vector<kernels::Statistics> means_;
};

}  // namespace

namespace {

std::string choose_device() {
  std::string why;
  const auto devices = kernels::visible_devices(&why);
  require(!devices.empty(), ExitCode::bad_configuration, "scores bench: no GPU can be used: {}", why);
  kernels::use_device(devices[0].number);
  return devices[0].name;
}

}  // namespace

double ScoresBenchReport::bytes() const {
  return static_cast<double>(sizeof(float)) * options.fields * (options.members + 2) * options.latitudes *
         options.longitudes;
}

ScoresBenchReport run_scores_bench(const ScoresBenchOptions& options) {
  const int smallest =
      std::min({options.longitudes, options.latitudes - 3, options.members, options.fields, options.regions,
                options.reference_fields, options.threads, options.repeats});
  require(smallest >= 1, ExitCode::bad_configuration,
          "scores bench: numbers must be at least 1, latitudes at least 4");
  require(options.regions <= static_cast<int>(known_regions().size()), ExitCode::bad_configuration,
          "scores bench: there are {} regions, not {}", known_regions().size(), options.regions);
  ScoresBenchReport report;
  report.options = options;
  report.processor = machine_identity().at("cpu");
  report.load = load_average();
  if (options.on_device) {  // before minutes on the CPU
    report.device = {choose_device(), 0};
  }
  Ensembles ensembles(options);
  const auto all = static_cast<std::size_t>(options.fields);
  const auto few = static_cast<std::size_t>(std::min(options.reference_fields, options.fields));
  constexpr auto ours = kernels::EnsembleStatisticsBackend::kokkos;
  const BenchTimes times =
      best_times(options.repeats, [&] { ensembles.score(all, false, options.threads, ours); });
  report.seconds = times.elapsed;
  report.processor_seconds = times.processor;
  report.energy_seconds =
      best_time(options.repeats, [&] { ensembles.score(all, true, options.threads, ours); });
  report.initial_time_seconds = ensembles.score_initial_time(options.repeats);
  if (report.device) {
    report.device->seconds = ensembles.score_initial_time_on_device(options.repeats);
  }
  report.reference_seconds =
      best_time(1, [&] { ensembles.score(few, false, 1, kernels::EnsembleStatisticsBackend::reference); }) /
      static_cast<double>(few);
  report.copy_rate = copy_rate(options.threads, options.repeats);
  return report;
}

std::string scores_bench_text(const ScoresBenchReport& report) {
  const ScoresBenchOptions& options = report.options;
  std::string text = fmt::format(
      "# Ensemble statistics: {} fields of {} members on {} x {}, {} regions, {} threads\n\n"
      "{}, load average {:.2f} at the start; best of {}\n\n",
      options.fields, options.members, options.longitudes, options.latitudes, options.regions,
      options.threads, report.processor, report.load, options.repeats);
  const auto row = [&](const char* what, const std::string& value) {
    text += fmt::format("| {:<52} | {:>18} |\n", what, value);
  };
  row("quantity", "value");
  text += fmt::format("|{:-<54}|{:-<20}|\n", "", "");
  row("all fields", fmt::format("{:.3f} s", report.seconds));
  row("all fields, processor time", fmt::format("{:.3f} s", report.processor_seconds));
  row("per member and field", fmt::format("{:.1f} us", report.microseconds_per_member()));
  row("all fields, with the energy score", fmt::format("{:.3f} s", report.energy_seconds));
  row(fmt::format("everything of {} channels x {} leads, wind spectra", options.channels(), options.leads())
          .c_str(),
      fmt::format("{:.3f} s", report.initial_time_seconds));
  if (report.device) {
    row(fmt::format("the same on {}", report.device->name).c_str(),
        fmt::format("{:.4f} s", report.device->seconds));
    row("per lead", fmt::format("{:.2f} ms", 1e3 * report.device->seconds / options.leads()));
  }
  row("reference body per member and field, 1 thread",
      fmt::format("{:.1f} us", 1e6 * report.reference_seconds / options.members));
  row("reference x threads / ours",
      fmt::format("{:.1f}", report.reference_seconds * options.fields / report.seconds / options.threads));
  row("fields read", fmt::format("{:.2f} GB/s", 1e-9 * report.read_rate()));
  row("copy bandwidth, read + written", fmt::format("{:.1f} GB/s", 1e-9 * report.copy_rate));
  row("fields read / copy bandwidth", fmt::format("{:.0f} %", 100 * report.read_rate() / report.copy_rate));
  return text;
}

std::string scores_bench_json(const ScoresBenchReport& report) {
  nlohmann::ordered_json json = {
      {"longitudes", report.options.longitudes},
      {"latitudes", report.options.latitudes},
      {"members", report.options.members},
      {"fields", report.options.fields},
      {"regions", report.options.regions},
      {"threads", report.options.threads},
      {"repeats", report.options.repeats},
      {"processor", report.processor},
      {"load", report.load},
      {"seconds", report.seconds},
      {"processor_seconds", report.processor_seconds},
      {"microseconds_per_member", report.microseconds_per_member()},
      {"energy_seconds", report.energy_seconds},
      {"channels", report.options.channels()},
      {"leads", report.options.leads()},
      {"initial_time_seconds", report.initial_time_seconds},
      {"reference_seconds_per_field", report.reference_seconds},
      {"read_rate", report.read_rate()},
      {"copy_rate", report.copy_rate},
  };
  if (report.device) {
    json["device"] = {{"name", report.device->name}, {"initial_time_seconds", report.device->seconds}};
  }
  return json.dump(2) + "\n";
}

}  // namespace mosaic::eval
