#pragma once

#include <string>

namespace mosaic::world {

/// What `mosaic_bench world` measures: steps of the simulated atmosphere, all in memory.
struct WorldBenchOptions {
  int truncation = 21;
  int members = 32;
  int threads = 1;
  int steps = 24;
  int repeats = 5;  ///< the median counts
};

struct WorldBenchReport {
  WorldBenchOptions options;
  std::string processor;
  double load = 0;                         ///< load average of the machine when the bench began
  double step_seconds = 0;                 ///< all members, median
  double best_seconds = 0;                 ///< the fastest
  double single_seconds = 0;               ///< one member, one thread, median
  double synthesis_seconds = 0;            ///< a synthesis of a field of 48 columns by the fast body
  double synthesis_reference_seconds = 0;  ///< by its definition
  double time_step = 0;                    ///< [s]

  double member_days_per_second() const;  ///< of all threads
};

/// Errors: bad_configuration for numbers below 1 or a truncation that the world has not.
WorldBenchReport run_world_bench(const WorldBenchOptions& options);

/// The report as a Markdown table, and as one JSON object.
std::string world_bench_text(const WorldBenchReport& report);
std::string world_bench_json(const WorldBenchReport& report);

}  // namespace mosaic::world
