#include "eval/spectra_bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/machine.hpp"
#include "base/parallel_for.hpp"
#include "eval/bench_times.hpp"
#include "grid/harmonic_tables.hpp"
#include "kernels/harmonic_transform/harmonic_transform.hpp"
#include "kernels/real_fourier.hpp"

namespace mosaic::eval {
namespace {

/// The winds of the bench, their tables and room for spectra.
class Winds {
 public:
  Winds(const SpectraBenchOptions& options, const HarmonicTables& tables) : tables_(tables) {
    const std::size_t points = tables.latitudes * tables.longitudes;
    for (int i = 0; i < 2 * options.winds; ++i) {
      fields_.push_back(random_field(points, static_cast<unsigned>(i)));
      (i < options.winds ? u_ : v_).push_back(fields_.back().data());
    }
  }

  /// Kinetic energy by degree of the first `winds`: rotational, then divergent.
  std::vector<double> energy(std::size_t winds, int threads, kernels::Backend backend) const {
    const std::size_t size = winds * (tables_.lmax + 1);
    std::vector<double> spectra(2 * size);
    kernels::vector_harmonics<float>({.u = std::span(u_).first(winds),
                                      .v = std::span(v_).first(winds),
                                      .shape = {tables_.latitudes, tables_.longitudes, tables_.lmax},
                                      .slope = tables_.slope,
                                      .turning = tables_.turning,
                                      .rotational = std::span(spectra).first(size),
                                      .divergent = std::span(spectra).last(size),
                                      .threads = threads},
                                     backend);
    return spectra;
  }

  void fourier(int threads) const {
    constexpr std::size_t lanes = 16;
    const auto& plan = kernels::RealFourier::of(tables_.longitudes);
    parallel_for((fields_.size() + lanes - 1) / lanes, threads, [&](std::size_t tile) {
      std::vector<const float*> rows(std::min(lanes, fields_.size() - tile * lanes));
      std::vector<double> spectrum(plan.wavenumbers() * 2 * lanes);
      kernels::RealFourier::Workspace workspace;
      for (std::size_t j = 0; j < tables_.latitudes; ++j) {
        for (std::size_t f = 0; f < rows.size(); ++f) {
          rows[f] = fields_[tile * lanes + f].data() + j * tables_.longitudes;
        }
        plan.transform<float>(rows, lanes, spectrum.data(), workspace);
      }
    });
  }

 private:
  const HarmonicTables& tables_;
  std::vector<std::vector<float>> fields_;
  std::vector<const float*> u_, v_;
};

/// Largest difference of a degree relative to the sum over degrees, first wind.
double largest_difference(const std::vector<double>& ours, const std::vector<double>& truth) {
  double total = 0.0, largest = 0.0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    total += truth[i];
    largest = std::max(largest, std::abs(ours[i] - truth[i]));
  }
  return largest / total;
}

}  // namespace

double SpectraBenchReport::field_bytes() const {
  return 2.0 * sizeof(float) * options.winds * options.latitudes * options.longitudes;
}

double SpectraBenchReport::speed_up() const {
  return reference_seconds / (batch_seconds / options.winds) / options.threads;
}

double SpectraBenchReport::whole_rate() const { return operations * options.winds / batch_seconds; }

double SpectraBenchReport::product_rate() const {
  return operations * options.winds / (batch_seconds - fourier_seconds);
}

SpectraBenchReport run_spectra_bench(const SpectraBenchOptions& options) {
  const int smallest = std::min({options.longitudes, options.latitudes - 3, options.winds,
                                 options.reference_winds, options.threads, options.repeats});
  require(smallest >= 1, ExitCode::bad_configuration,
          "spectra bench: numbers must be at least 1, latitudes at least 4");
  SpectraBenchReport report;
  report.options = options;
  report.processor = machine_identity().at("cpu");
  report.load = load_average();
  const LatLonGrid grid = LatLonGrid::with_poles(options.longitudes, options.latitudes);
  HarmonicTables tables;
  report.tables_seconds = best_time(
      options.repeats, [&] { tables = make_harmonic_tables(grid, HarmonicMethod::exact, options.threads); });
  report.lmax = tables.lmax;
  report.table_bytes = static_cast<double>(3 * tables.scalar.size() * sizeof(double));
  report.operations = kernels::harmonic_operations({tables.latitudes, tables.longitudes, tables.lmax}, 2);
  const Winds winds(options, tables);
  const auto all = static_cast<std::size_t>(options.winds);
  const auto few = static_cast<std::size_t>(std::min(options.reference_winds, options.winds));
  std::vector<double> ours, truth;
  const BenchTimes batch =
      best_times(options.repeats, [&] { winds.energy(all, options.threads, kernels::Backend::cpu); });
  report.batch_seconds = batch.elapsed;
  report.batch_processor = batch.processor;
  report.fourier_seconds = best_time(options.repeats, [&] { winds.fourier(options.threads); });
  report.single_seconds = best_time(options.repeats, [&] { winds.energy(1, 1, kernels::Backend::cpu); });
  report.reference_seconds =
      best_time(1, [&] { truth = winds.energy(few, 1, kernels::Backend::reference); }) /
      static_cast<double>(few);
  report.largest_difference = largest_difference(winds.energy(few, 1, kernels::Backend::cpu), truth);
  report.copy_rate = copy_rate(options.threads, options.repeats);
  return report;
}

std::string spectra_bench_text(const SpectraBenchReport& report) {
  const SpectraBenchOptions& options = report.options;
  std::string text = fmt::format(
      "# Kinetic energy by spherical-harmonic degree: {} winds on {} x {}, lmax {}, {} threads\n\n"
      "{}, load average {:.2f} at the start; best of {}\n\n",
      options.winds, options.longitudes, options.latitudes, report.lmax, options.threads, report.processor,
      report.load, options.repeats);
  const auto row = [&](const char* what, const std::string& value) {
    text += fmt::format("| {:<52} | {:>18} |\n", what, value);
  };
  row("quantity", "value");
  text += fmt::format("|{:-<54}|{:-<20}|\n", "", "");
  row("tables of the grid, once", fmt::format("{:.3f} s", report.tables_seconds));
  row("tables of the grid", fmt::format("{:.1f} MB", report.table_bytes * 1e-6));
  row("all winds", fmt::format("{:.3f} s", report.batch_seconds));
  row("all winds, processor time", fmt::format("{:.3f} s", report.batch_processor));
  row("Fourier transforms alone", fmt::format("{:.3f} s", report.fourier_seconds));
  row("per wind of the batch", fmt::format("{:.3f} ms", 1e3 * report.batch_seconds / options.winds));
  row("one wind alone, 1 thread", fmt::format("{:.3f} ms", 1e3 * report.single_seconds));
  row("reference body per wind, 1 thread", fmt::format("{:.1f} ms", 1e3 * report.reference_seconds));
  row("reference x threads / batch, per wind", fmt::format("{:.1f}", report.speed_up()));
  row("matrix products per wind", fmt::format("{:.2f} MFLOP", 1e-6 * report.operations));
  row("matrix products / all winds", fmt::format("{:.1f} GFLOP/s", 1e-9 * report.whole_rate()));
  row("matrix products / (all winds - Fourier transforms)",
      fmt::format("{:.1f} GFLOP/s", 1e-9 * report.product_rate()));
  row("copy bandwidth, read + written", fmt::format("{:.1f} GB/s", 1e-9 * report.copy_rate));
  row("fields read at that rate", fmt::format("{:.4f} s", report.floor_seconds()));
  row("all winds / fields read at that rate",
      fmt::format("{:.1f}", report.batch_seconds / report.floor_seconds()));
  row("cpu from reference, of the sum over degrees", fmt::format("{:.1e}", report.largest_difference));
  return text;
}

std::string spectra_bench_json(const SpectraBenchReport& report) {
  const nlohmann::ordered_json json = {
      {"longitudes", report.options.longitudes},
      {"latitudes", report.options.latitudes},
      {"lmax", report.lmax},
      {"winds", report.options.winds},
      {"threads", report.options.threads},
      {"repeats", report.options.repeats},
      {"processor", report.processor},
      {"load", report.load},
      {"tables_seconds", report.tables_seconds},
      {"table_bytes", report.table_bytes},
      {"batch_seconds", report.batch_seconds},
      {"batch_processor_seconds", report.batch_processor},
      {"fourier_seconds", report.fourier_seconds},
      {"single_seconds", report.single_seconds},
      {"reference_seconds_per_wind", report.reference_seconds},
      {"speed_up", report.speed_up()},
      {"operations_per_wind", report.operations},
      {"whole_rate", report.whole_rate()},
      {"product_rate", report.product_rate()},
      {"copy_rate", report.copy_rate},
      {"floor_seconds", report.floor_seconds()},
      {"largest_difference", report.largest_difference},
  };
  return json.dump(2) + "\n";
}

}  // namespace mosaic::eval
