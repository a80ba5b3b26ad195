#include "eval/init_time_sums.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "grid/harmonic_tables.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

namespace mosaic::eval {
namespace {

constexpr double not_scored = std::numeric_limits<double>::quiet_NaN();

void require_axis(bool same, const char* axis) {
  require(
      same, ExitCode::corrupt_input,
      "two sets of sums have different {} and cannot be combined: one of their files is damaged or belongs "
      "to another run",
      axis);
}

std::vector<std::pair<std::string, std::optional<int>>> names_of(
    const std::vector<SpectrumQuantity>& quantities) {
  std::vector<std::pair<std::string, std::optional<int>>> names;
  for (const SpectrumQuantity& quantity : quantities) {
    names.emplace_back(quantity.variable, quantity.level);
  }
  return names;
}

/// The numbers of [..., N] as one list.
template <class Number, class Tuples>
std::span<Number> flat(Tuples& tuples) {
  return tuples.empty() ? std::span<Number>()
                        : std::span<Number>(tuples.front().data(), tuples.size() * tuples.front().size());
}

template <class Number, class Sums>
std::vector<std::span<Number>> arrays_of(Sums& sums) {
  return {flat<Number>(sums.means),
          sums.ranks,
          sums.spectra,
          sums.by_degree.values,
          flat<Number>(sums.thresholds.means),
          sums.thresholds.reliability,
          sums.maps.values,
          flat<Number>(sums.seeps.means)};
}

}  // namespace

std::vector<std::span<double>> InitTimeSums::arrays() { return arrays_of<double>(*this); }
std::vector<std::span<const double>> InitTimeSums::arrays() const { return arrays_of<const double>(*this); }

std::size_t InitTimeSums::bytes() const {
  std::size_t total = 0;
  for (const std::span<const double> array : arrays()) {
    total += array.size_bytes();
  }
  return total;
}

void InitTimeSums::reset() {
  kernels::Statistics no_statistics;
  no_statistics.fill(not_scored);
  kernels::ThresholdScores no_scores;
  no_scores.fill(not_scored);
  const std::size_t lead_count = leads.size();
  scored.assign(lead_count, 0);
  means.assign(lead_count * channels.size() * regions.size(), no_statistics);
  ranks.assign(lead_count * channels.size() * rank_numbers(), not_scored);
  spectra.assign(spectrum_offset(SpectrumKind{spectrum_kind_names.size()}, 0, 0, 0), not_scored);
  by_degree.values.assign(degree_offset(SpectrumKind{spectrum_kind_names.size()}, 0, 0), not_scored);
  thresholds.means.assign(thresholds.mean_offset(lead_count, 0, 0, regions.size()), no_scores);
  constexpr SeepsMeans no_seeps = {not_scored, not_scored};
  seeps.means.assign(seeps.offset(lead_count, 0, regions.size()), no_seeps);
  maps.values.assign(maps.offset(maps.leads.size(), 0), not_scored);
  thresholds.reliability.assign(thresholds.reliability_offset(lead_count, 0, members), not_scored);
}

InitTimeSums empty_sums(const ScoreOptions& options, const LatLonGrid& grid, int members) {
  InitTimeSums sums;
  sums.members = members;
  sums.leads = options.leads;
  sums.channels = options.channels;
  sums.quantities = spectrum_quantities(options.spectra_channels);
  for (const Region& region : options.regions) {
    sums.regions.push_back(region.name);
  }
  for (const LatitudeBand& band : spectrum_bands()) {
    sums.bands.push_back(band.name);
  }
  sums.wavenumbers = kernels::zonal_wavenumbers(grid.longitude.size());
  if (options.spectra_by_degree && !sums.quantities.empty()) {
    sums.by_degree.quantities = degree_quantities(options.spectra_channels);
    sums.by_degree.degrees = largest_degree(grid, HarmonicMethod::exact) + 1;
  }
  if (!options.thresholds.channels.empty()) {
    sums.thresholds.quantiles = options.thresholds.quantiles;
    sums.thresholds.channels = options.thresholds.channels;
  }
  sums.seeps.channels = options.seeps.channels;
  if (!options.maps.channels.empty()) {
    sums.maps = {options.maps.channels, options.maps.leads, grid.latitude, grid.longitude, {}};
  }
  sums.reset();
  return sums;
}

void require_same_axes(const InitTimeSums& a, const InitTimeSums& b) {
  require_axis(a.members == b.members, "numbers of members");
  require_axis(a.leads == b.leads, "lead times");
  require_axis(a.channels == b.channels, "channels");
  require_axis(a.regions == b.regions, "regions");
  require_axis(names_of(a.quantities) == names_of(b.quantities), "spectra");
  require_axis(names_of(a.by_degree.quantities) == names_of(b.by_degree.quantities) &&
                   a.by_degree.degrees == b.by_degree.degrees,
               "spectra by degree");
  require_axis(a.quantities.empty() || (a.bands == b.bands && a.wavenumbers == b.wavenumbers),
               "latitude bands or wavenumbers");
  require_axis(
      a.thresholds.quantiles == b.thresholds.quantiles && a.thresholds.channels == b.thresholds.channels,
      "scores at quantiles");
  require_axis(a.seeps.channels == b.seeps.channels, "channels of SEEPS");
  require_axis(a.maps.channels == b.maps.channels && a.maps.leads == b.maps.leads &&
                   a.maps.latitude == b.maps.latitude && a.maps.longitude == b.maps.longitude,
               "maps");
}

}  // namespace mosaic::eval
