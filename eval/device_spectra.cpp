#include "eval/device_spectra.hpp"

#include <algorithm>
#include <functional>
#include <numbers>

#include "base/error.hpp"
#include "eval/earth.hpp"
#include "eval/spectra_sums.hpp"
#include "kernels/harmonic_transform/harmonic_transform.hpp"

namespace mosaic::eval {

using kernels::DeviceMemory;
using kernels::Stream;

namespace {

/// cos(latitude) times the length of the latitude's circle in a band, 0 outside: [bands, lat].
std::vector<double> band_weights(const LatLonGrid& grid) {
  std::vector<double> weights;
  for (const LatitudeBand& band : spectrum_bands()) {
    for (const double latitude : grid.latitude) {
      const double cosine = cos_degrees(latitude);
      const double circumference = 2.0 * std::numbers::pi * earth_radius * cosine;
      weights.push_back(band.contains(latitude) ? cosine * circumference : 0.0);
    }
  }
  return weights;
}

std::vector<double> cosines_of_bands(const LatLonGrid& grid) {
  std::vector<double> sums;
  for (const LatitudeBand& band : spectrum_bands()) {
    sums.push_back(0.0);
    for (const double latitude : grid.latitude) {
      sums.back() += band.contains(latitude) ? cos_degrees(latitude) : 0.0;
    }
  }
  return sums;
}

DeviceMemory doubles(std::int64_t count) {
  return DeviceMemory(static_cast<std::size_t>(count) * sizeof(double));
}

}  // namespace

DeviceSpectra::DeviceSpectra(const DeviceScoresArgs& args,
                             const std::function<std::int64_t(const Channel&)>& place_of,
                             ChannelSet& truth_channels, const Stream& stream)
    : band_weight_(cosines_of_bands(args.grid)),
      wavenumbers_(kernels::zonal_wavenumbers(args.grid.longitude.size())),
      by_degree_(args.degree_spectra != nullptr) {
  require_uniform_longitudes(args.grid, "zonal spectra");
  const auto latitudes = static_cast<std::int64_t>(args.grid.latitude.size()),
             longitudes = static_cast<std::int64_t>(args.grid.longitude.size());
  for (const SpectrumQuantity& quantity : spectrum_quantities(args.options.spectra_channels)) {
    quantities_.emplace_back();
    for (const std::size_t c : quantity.channels) {
      const Channel& channel = args.options.spectra_channels[c];
      const auto found = std::find(truth_channels.begin(), truth_channels.end(), channel);
      quantities_.back().components.push_back(
          {place_of(channel), static_cast<std::size_t>(found - truth_channels.begin())});
      if (found == truth_channels.end()) {
        truth_channels.push_back(channel);
      }
    }
  }
  wave_table_ = upload<double>(kernels::wave_table(longitudes), stream);
  band_weights_ = upload<double>(band_weights(args.grid), stream);
  waves_args_.members = args.members;
  waves_args_.latitudes = zonal_args_.latitudes = latitudes;
  waves_args_.longitudes = zonal_args_.longitudes = longitudes;
  waves_args_.table = wave_table_.as<double>();
  rows_ = doubles(waves_args_.row_numbers());
  waves_args_.rows = rows_.as<double>();
  for (DeviceMemory& waves : waves_) {
    waves = doubles(waves_args_.wave_numbers());
  }
  zonal_args_.fields = waves_args_.fields();
  zonal_args_.bands = static_cast<std::int64_t>(spectrum_bands().size());
  zonal_args_.weights = band_weights_.as<double>();
  if (by_degree_) {
    load_harmonics(*args.degree_spectra, stream);
  }
  results_ = Transfer<double>(place_results());
}

void DeviceSpectra::load_harmonics(const DegreeSpectra& spectra, const Stream& stream) {
  const HarmonicTables& tables = spectra.tables();
  shape_ = {.latitudes = tables.latitudes, .longitudes = tables.longitudes, .lmax = tables.lmax};
  const auto table = [&](const std::vector<double>& values) {
    return upload<double>(kernels::harmonic_table(shape_, values), stream);
  };
  scalar_ = table(tables.scalar);
  slope_ = table(tables.slope);
  turning_ = table(tables.turning);
  scalar_args_.fields = vector_args_.fields = waves_args_.fields();
  scalar_args_.shape = vector_args_.shape = shape_;
  harmonic_rows_ = doubles(std::max(scalar_args_.row_numbers(), vector_args_.row_numbers()));
  coefficients_ = doubles(std::max(scalar_args_.coefficient_numbers(), vector_args_.coefficient_numbers()));
  scalar_args_.waves = vector_args_.u_waves = waves_[0].as<double>();
  vector_args_.v_waves = waves_[1].as<double>();
  scalar_args_.scalar = scalar_.as<double>();
  vector_args_.slope = slope_.as<double>();
  vector_args_.turning = turning_.as<double>();
  scalar_args_.rows = vector_args_.rows = harmonic_rows_.as<double>();
  scalar_args_.coefficients = vector_args_.coefficients = coefficients_.as<double>();
}

/// Returns how many numbers there are.
std::size_t DeviceSpectra::place_results() {
  std::size_t numbers = 0;
  for (Quantity& quantity : quantities_) {
    const std::size_t parts = quantity.components.size();
    quantity.zonal = numbers;
    numbers += parts * fields() * band_weight_.size() * wavenumbers_;
    quantity.degree = numbers;
    numbers += parts * fields() * degrees();
  }
  return numbers;
}

void DeviceSpectra::queue(const DeviceMembers& members, const DeviceTruth& truth, const Stream& stream) {
  for (const Quantity& quantity : quantities_) {
    double* zonal = results_.device() + quantity.zonal;
    for (std::size_t i = 0; i < quantity.components.size(); ++i) {
      queue_waves(quantity.components[i], i, members, truth.truth(quantity.components[i].truth), stream);
      zonal_args_.waves = waves_[i].as<double>();
      zonal_args_.power = zonal;
      kernels::zonal_spectrum(zonal_args_, stream);
      zonal += fields() * band_weight_.size() * wavenumbers_;
    }
    if (by_degree_) {
      queue_harmonics(quantity, stream);
    }
  }
  results_.receive(stream);
}

void DeviceSpectra::queue_waves(const Component& component, std::size_t which, const DeviceMembers& members,
                                const float* truth, const Stream& stream) {
  waves_args_.forecast = members.first + component.place;
  waves_args_.member_stride = members.stride;
  waves_args_.truth = truth;
  waves_args_.waves = waves_[which].as<double>();
  kernels::zonal_waves(waves_args_, products_, stream);
}

void DeviceSpectra::queue_harmonics(const Quantity& quantity, const Stream& stream) {
  double* power = results_.device() + quantity.degree;
  if (quantity.components.size() == 1) {
    scalar_args_.power = power;
    kernels::scalar_harmonics(scalar_args_, products_, stream);
  } else {
    vector_args_.rotational = power;
    vector_args_.divergent = power + fields() * degrees();
    kernels::vector_harmonics(vector_args_, products_, stream);
  }
}

void DeviceSpectra::collect(std::size_t lead, InitTimeSums& sums) const {
  std::size_t next = 0;
  for (std::size_t q = 0; q < quantities_.size(); ++q) {
    collect_zonal(lead, q, sums);
    if (by_degree_) {
      collect_degrees(lead, quantities_[q], next, sums);
    }
  }
}

/// Kinetic energy is the mean of the two components' spectra.
void DeviceSpectra::collect_zonal(std::size_t lead, std::size_t q, InitTimeSums& sums) const {
  const Quantity& quantity = quantities_[q];
  const double share = 1.0 / static_cast<double>(quantity.components.size());
  const std::size_t members = fields() - 2;
  const double* power = results_.host().data() + quantity.zonal;
  std::vector<double> mean(wavenumbers_);
  begin_zonal_spectra(sums, lead, q);
  for (std::size_t field = 0; field < quantity.components.size() * fields(); ++field) {
    const std::size_t row = field % fields();
    const auto kind = row < members    ? SpectrumKind::member_mean
                      : row == members ? SpectrumKind::ensemble_mean
                                       : SpectrumKind::truth;
    const double factor = row < members ? share / static_cast<double>(members) : share;
    for (std::size_t band = 0; band < band_weight_.size(); ++band, power += wavenumbers_) {
      for (std::size_t k = 0; k < wavenumbers_; ++k) {
        mean[k] = (k == 0 ? 1.0 : 2.0) * power[k] / band_weight_[band];
      }
      add_band_mean(sums, kind, lead, q, band, factor, mean);
    }
  }
}

/// Of winds total, rotational and divergent part; `next` is the first of them among the quantities by degree.
void DeviceSpectra::collect_degrees(std::size_t lead, const Quantity& quantity, std::size_t& next,
                                    InitTimeSums& sums) const {
  const std::size_t count = fields() * degrees();
  const auto part = [&](std::size_t i) {
    const auto from = results_.host().subspan(quantity.degree + i * count, count);
    std::vector<double> power(from.begin(), from.end());
    kernels::mark_undefined(power, degrees());
    return power;
  };
  const std::vector<double> first = part(0);
  if (quantity.components.size() == 1) {
    store_degree_spectra(sums, lead, next++, first);
    return;
  }
  const std::vector<double> divergent = part(1);
  std::vector<double> total(count);
  std::transform(first.begin(), first.end(), divergent.begin(), total.begin(), std::plus<>());
  store_degree_spectra(sums, lead, next++, total);
  store_degree_spectra(sums, lead, next++, first);
  store_degree_spectra(sums, lead, next++, divergent);
}

}  // namespace mosaic::eval
