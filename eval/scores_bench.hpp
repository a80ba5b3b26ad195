#pragma once

#include <algorithm>
#include <optional>
#include <string>

namespace mosaic::eval {

/// What `mosaic_bench scores` measures: the ensemble statistics of pseudo-random fields on a grid with both
/// poles, float32, all in memory.
struct ScoresBenchOptions {
  int longitudes = 240;
  int latitudes = 121;
  int members = 24;
  int fields = 200;          ///< channels x leads
  int regions = 4;           ///< of WeatherBench 2's boxes, in their order
  int reference_fields = 1;  ///< that the reference body gets
  int threads = 1;
  int repeats = 3;         ///< of everything but the reference; the best counts
  bool on_device = false;  ///< also on this thread's GPU, where the members' fields lie before

  /// At most 20, of which the first six are winds on three levels; the fields that are left over by whole
  /// leads only count as fields.
  int channels() const { return std::min(fields, 20); }
  int leads() const { return fields / channels(); }
};

struct ScoresBenchReport {
  ScoresBenchOptions options;
  std::string processor;
  double load = 0;               ///< load average of the machine when the bench began
  double seconds = 0;            ///< all fields: errors, spread, variance, anomalies, ranks
  double processor_seconds = 0;  ///< of them, in which other programs do not count
  double energy_seconds = 0;     ///< all fields, with the energy score
  double initial_time_seconds =
      0;  ///< all channels and leads through InitTimeScorer, with spectra of the winds
  /// The same on the GPU: truths and climatologies go there, sums come back.
  struct OnDevice {
    std::string name;
    double seconds = 0;
  };
  std::optional<OnDevice> device;
  double reference_seconds = 0;  ///< reference body, per field, one thread
  double copy_rate = 0;          ///< [bytes s-1] read and written by copies of a large array

  double bytes() const;  ///< of all members, truths and climatologies
  /// Of one member's field.
  double microseconds_per_member() const { return 1e6 * seconds / options.fields / options.members; }
  double read_rate() const { return bytes() / seconds; }
};

/// Errors: bad_configuration for numbers below 1 (latitudes 4), and without a GPU if one is asked for.
ScoresBenchReport run_scores_bench(const ScoresBenchOptions& options);

/// The report as a Markdown table, readable on a terminal.
std::string scores_bench_text(const ScoresBenchReport& report);

/// The report as one JSON object.
std::string scores_bench_json(const ScoresBenchReport& report);

}  // namespace mosaic::eval
