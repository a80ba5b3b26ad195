#pragma once

#include <cstddef>
#include <string>

namespace mosaic::eval {

/// What `mosaic_bench spectra` measures: kinetic-energy spectra by degree of pseudo-random winds on a grid
/// with both poles, float32, all in memory.
struct SpectraBenchOptions {
  int longitudes = 240;
  int latitudes = 121;
  int winds = 780;          ///< (u, v) pairs in a batch; 24 members x 3 levels x 10 leads, and truths
  int reference_winds = 1;  ///< pairs that the reference body gets
  int threads = 1;
  int repeats = 3;  ///< of everything but the reference; the best counts
};

struct SpectraBenchReport {
  SpectraBenchOptions options;
  std::string processor;
  std::size_t lmax = 0;
  double load = 0;                ///< load average of the machine when the bench began
  double tables_seconds = 0;      ///< to make the tables of the grid, once
  double table_bytes = 0;         ///< scalars and winds
  double batch_seconds = 0;       ///< all winds
  double batch_processor = 0;     ///< processor seconds of them, in which other programs do not count
  double fourier_seconds = 0;     ///< their Fourier transforms alone
  double single_seconds = 0;      ///< one wind, one thread
  double reference_seconds = 0;   ///< reference body, per wind, one thread
  double operations = 0;          ///< [FLOP] of one wind's matrix products over latitudes
  double copy_rate = 0;           ///< [bytes s-1] read and written by copies of a large array
  double largest_difference = 0;  ///< of cpu from reference, relative to the sum over degrees

  double field_bytes() const;  ///< of the winds
  double floor_seconds() const { return field_bytes() / copy_rate; }
  /// Reference time per wind x threads over batch time per wind.
  double speed_up() const;
  double whole_rate() const;    ///< [FLOP s-1] matrix products over the time of the batch
  double product_rate() const;  ///< the same over the time that the Fourier transforms leave
};

/// Errors: bad_configuration for numbers below 1 (latitudes 4).
SpectraBenchReport run_spectra_bench(const SpectraBenchOptions& options);

/// The report as a Markdown table, readable on a terminal.
std::string spectra_bench_text(const SpectraBenchReport& report);

/// The report as one JSON object.
std::string spectra_bench_json(const SpectraBenchReport& report);

}  // namespace mosaic::eval
