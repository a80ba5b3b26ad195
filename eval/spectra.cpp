#include "eval/spectra.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "eval/earth.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

namespace mosaic::eval {
namespace {

struct WindPair {
  const char* u;
  const char* v;
  const char* kinetic_energy;
};
constexpr WindPair wind_pairs[] = {
    {"u_component_of_wind", "v_component_of_wind", "kinetic_energy"},
    {"10m_u_component_of_wind", "10m_v_component_of_wind", "10m_kinetic_energy"},
};

}  // namespace

std::vector<SpectrumQuantity> spectrum_quantities(const ChannelSet& channels) {
  const auto index_of = [&](const Channel& wanted) {
    return static_cast<std::size_t>(std::find(channels.begin(), channels.end(), wanted) - channels.begin());
  };
  std::vector<SpectrumQuantity> quantities;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const Channel& channel = channels[c];
    SpectrumQuantity quantity{channel.variable, channel.level, {c}};
    bool counted_with_u = false;
    for (const WindPair& pair : wind_pairs) {
      const std::size_t u = index_of({pair.u, channel.level});
      const std::size_t v = index_of({pair.v, channel.level});
      const bool complete = u < channels.size() && v < channels.size();
      if (complete && channel.variable == pair.u) {
        quantity = {pair.kinetic_energy, channel.level, {u, v}};
      }
      counted_with_u = counted_with_u || (complete && channel.variable == pair.v);
    }
    if (!counted_with_u) {
      quantities.push_back(quantity);
    }
  }
  return quantities;
}

std::vector<SpectrumQuantity> degree_quantities(const ChannelSet& channels) {
  std::vector<SpectrumQuantity> quantities;
  for (const SpectrumQuantity& quantity : spectrum_quantities(channels)) {
    quantities.push_back(quantity);
    for (const char* part : {"rotational_", "divergent_"}) {
      if (quantity.channels.size() == 2) {
        quantities.push_back({part + quantity.variable, quantity.level, quantity.channels});
      }
    }
  }
  return quantities;
}

std::vector<double> zonal_energy_spectrum(std::span<const float> field, const LatLonGrid& grid, int threads) {
  require_uniform_longitudes(grid, "zonal spectra");
  const std::size_t wavenumbers = kernels::zonal_wavenumbers(grid.longitude.size());
  std::vector<double> spectrum(grid.latitude.size() * wavenumbers);
  kernels::zonal_spectrum(
      {.field = field, .longitudes = grid.longitude.size(), .power = spectrum, .threads = threads});
  for (std::size_t j = 0; j < grid.latitude.size(); ++j) {
    const double circumference = 2.0 * std::numbers::pi * earth_radius * cos_degrees(grid.latitude[j]);
    for (std::size_t k = 0; k < wavenumbers; ++k) {
      spectrum[j * wavenumbers + k] *= (k == 0 ? 1.0 : 2.0) * circumference;
    }
  }
  return spectrum;
}

bool LatitudeBand::contains(double latitude) const {
  return lower < std::abs(latitude) && std::abs(latitude) < upper;
}

const std::vector<LatitudeBand>& spectrum_bands() {
  static const std::vector<LatitudeBand> bands = {
      {"global", -1.0, 91.0}, {"tropics", -1.0, 20.0}, {"mid-latitudes", 30.0, 60.0}};
  return bands;
}

std::vector<double> band_mean(std::span<const double> spectrum, const LatitudeBand& band,
                              const LatLonGrid& grid) {
  const std::size_t wavenumbers = kernels::zonal_wavenumbers(grid.longitude.size());
  std::vector<double> mean(wavenumbers, 0.0);
  double weights = 0.0;
  for (std::size_t j = 0; j < grid.latitude.size(); ++j) {
    if (!band.contains(grid.latitude[j])) {
      continue;
    }
    const double weight = cos_degrees(grid.latitude[j]);
    weights += weight;
    for (std::size_t k = 0; k < wavenumbers; ++k) {
      mean[k] += weight * spectrum[j * wavenumbers + k];
    }
  }
  for (double& value : mean) {
    value /= weights;
  }
  return mean;
}

}  // namespace mosaic::eval
