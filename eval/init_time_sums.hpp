#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "eval/map_sums.hpp"
#include "eval/regions.hpp"
#include "eval/seeps_sums.hpp"
#include "eval/spectra.hpp"
#include "eval/threshold_sums.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

/// How area means of several initial times become one number.
enum class TimeMeanKind {
  initial_times,  ///< each initial time counts 1, however much of the area was valid: WeatherBench 2
  pooled,         ///< all valid cells of all initial times count by their weights: WeatherBench-X
};

/// What is scored.
struct ScoreOptions {
  ChannelSet channels;          ///< of the scores
  std::vector<Region> regions;  ///< regions_by_name()
  std::vector<Duration> leads;
  ChannelSet spectra_channels;  ///< of the spectra; u and v of a level give its kinetic energy
  int threads = 1;
  std::shared_ptr<const std::vector<float>> land_mask =
      nullptr;                    ///< [lat, lon] fraction of land, for land regions
  bool spectra_by_degree = true;  ///< besides zonal ones
  bool on_device = false;         ///< statistics and spectra on this thread's GPU (eval/device_scores.hpp)
  bool climatology = false;       ///< whether add() gets a climatology: anomaly correlations
  MapOptions maps = {};
  SeepsOptions seeps = {};           ///< needs a climatology
  ThresholdOptions thresholds = {};  ///< need a climatology
  kernels::MissingValues missing = kernels::MissingValues::propagate;
  TimeMeanKind time_mean = TimeMeanKind::initial_times;
  bool seasons = false;  ///< whether results are also given by season
  std::string grid;      ///< in words, for the results
};

/// Of what a spectrum is: the mean over members of their spectra, the spectrum of the ensemble mean (another
/// curve), the spectrum of the truth.
enum class SpectrumKind : std::size_t { member_mean, ensemble_mean, truth };
inline constexpr std::array<const char*, 3> spectrum_kind_names = {"member_mean", "ensemble_mean", "truth"};

/// Spectra by spherical-harmonic degree, exact up to the largest that the grid holds
/// (eval/degree_spectra.hpp).
struct SpectraByDegree {
  std::vector<SpectrumQuantity> quantities;  ///< D (channels are empty when read from a file)
  std::size_t degrees = 0;                   ///< lmax + 1
  std::vector<double> values;                ///< [3 kinds, L, D, degrees]
};

/// Everything of one initial time from which scores follow, in double. Axes are carried along, so that a file
/// of sums can be read without the configuration that made it.
struct InitTimeSums {
  Time initial_time;
  int members = 0;
  std::vector<Duration> leads;       // L
  ChannelSet channels;               // C
  std::vector<std::string> regions;  // R
  std::vector<SpectrumQuantity>
      quantities;                  // Q (variable and level; channels are empty when read from a file)
  std::vector<std::string> bands;  // B
  std::size_t wavenumbers = 0;     // K

  std::vector<std::uint8_t> scored;        // [L] 0 for a lead without truth; its values are NaN
  std::vector<kernels::Statistics> means;  // [L, C, R] area means
  std::vector<double> spectra;             // [3 kinds, L, Q, B, K] zonal energy spectra
  SpectraByDegree by_degree;
  std::vector<double> ranks;  // [L, C, 3, M + 1] kernels::RankCount, whole grid
  ThresholdSums thresholds;
  MapSums maps;
  SeepsSums seeps;

  /// Makes every value NaN, as many as the axes ask for.
  void reset();
  /// Every number, array by array in a fixed order: means, ranks, zonal spectra, spectra by degree, scores at
  /// thresholds, reliability, maps, SEEPS.
  std::vector<std::span<double>> arrays();
  std::vector<std::span<const double>> arrays() const;
  /// Of all arrays.
  std::size_t bytes() const;

  const kernels::Statistics& mean(std::size_t lead, std::size_t channel, std::size_t region) const {
    return means[(lead * channels.size() + channel) * regions.size() + region];
  }
  /// Where the degrees of a spectrum begin.
  std::size_t degree_offset(SpectrumKind kind, std::size_t lead, std::size_t quantity) const {
    const std::size_t row = static_cast<std::size_t>(kind) * leads.size() + lead;
    return (row * by_degree.quantities.size() + quantity) * by_degree.degrees;
  }
  /// How many numbers the ranks of a channel have.
  std::size_t rank_numbers() const {
    return kernels::rank_count_kinds * (static_cast<std::size_t>(members) + 1);
  }
  /// Where the K values of a spectrum begin.
  std::size_t spectrum_offset(SpectrumKind kind, std::size_t lead, std::size_t quantity,
                              std::size_t band) const {
    const std::size_t row = static_cast<std::size_t>(kind) * leads.size() + lead;
    return ((row * quantities.size() + quantity) * bands.size() + band) * wavenumbers;
  }
};

/// The axes of what `options` ask for, nothing scored, every value NaN.
InitTimeSums empty_sums(const ScoreOptions& options, const LatLonGrid& grid, int members);

/// Sums come from files. Errors: corrupt_input, naming the axis in which the two differ (channels, regions,
/// leads, members, spectra).
void require_same_axes(const InitTimeSums& a, const InitTimeSums& b);

/// The sums of one initial time as a file with an init_time dimension of 1. Errors: internal if they do not
/// belong to `options`.
NetcdfDocument to_netcdf(const InitTimeSums& sums, const ScoreOptions& options);

/// Errors: corrupt_input naming what is absent or does not fit; also if there are several initial times.
InitTimeSums from_netcdf(const NetcdfDocument& document);

/// All initial times of a file of sums, as they stand in it. Errors: as from_netcdf().
std::vector<InitTimeSums> all_from_netcdf(const NetcdfDocument& document);

/// One document with every initial time, ascending. Errors: corrupt_input if axes differ, an initial time
/// occurs twice, or there is none.
NetcdfDocument merge_sums(std::vector<InitTimeSums> sums);

}  // namespace mosaic::eval
