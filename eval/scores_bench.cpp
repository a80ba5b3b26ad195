#include "eval/scores_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "eval/bench_times.hpp"
#include "eval/regions.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::eval {
namespace {

/// Fields of the bench: [field][member], a truth and a climatology for all.
class Ensembles {
 public:
  explicit Ensembles(const ScoresBenchOptions& options)
      : grid_(LatLonGrid::with_poles(options.longitudes, options.latitudes)),
        truth_(random_field(grid_.points(), 1)),
        climatology_(random_field(grid_.points(), 2)),
        ranks_(kernels::rank_count_kinds * (static_cast<std::size_t>(options.members) + 1)) {
    for (int i = 0; i < options.fields; ++i) {
      members_.emplace_back();
      for (int m = 0; m < options.members; ++m) {
        fields_.push_back(random_field(grid_.points(), static_cast<unsigned>(3 + i * options.members + m)));
        members_.back().push_back(fields_.back().data());
      }
    }
    const auto regions = static_cast<std::size_t>(options.regions);
    for (std::size_t r = 0; r < regions; ++r) {
      areas_.push_back(area_mask(known_regions()[r], grid_, nullptr));
    }
    means_.resize(regions);
  }

  /// Statistics of the first `count` fields.
  void score(std::size_t count, bool energy, int threads, kernels::EnsembleStatisticsBackend backend) {
    for (std::size_t i = 0; i < count; ++i) {
      kernels::ensemble_statistics({.members = members_[i],
                                    .truth = truth_.data(),
                                    .latitudes = grid_.latitude.size(),
                                    .longitudes = grid_.longitude.size(),
                                    .areas = areas_,
                                    .means = means_,
                                    .threads = threads,
                                    .climatology = climatology_.data(),
                                    .energy = energy,
                                    .ranks = ranks_},
                                   backend);
    }
  }

 private:
  LatLonGrid grid_;
  std::vector<float> truth_, climatology_;
  std::vector<double> ranks_;
  std::vector<std::vector<float>> fields_;
  std::vector<std::vector<const float*>> members_;
  std::vector<kernels::AreaMask> areas_;
  std::vector<kernels::Statistics> means_;
};

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
  const nlohmann::ordered_json json = {
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
      {"reference_seconds_per_field", report.reference_seconds},
      {"read_rate", report.read_rate()},
      {"copy_rate", report.copy_rate},
  };
  return json.dump(2) + "\n";
}

}  // namespace mosaic::eval
