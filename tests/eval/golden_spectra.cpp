#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <numbers>

#include "eval/init_time_scorer.hpp"
#include "eval/place_of_scores.hpp"
#include "eval/results.hpp"
#include "eval/spectra.hpp"
#include "kernels/zonal_spectrum/zonal_spectrum.hpp"
#include "support/golden.hpp"
#include "support/golden_store.hpp"

namespace mosaic::eval {
namespace {

using test::GoldenStore;

/// The golden spectra are means over the first 8 times of the truth store, or all if there are fewer.
std::size_t averaged_times(const GoldenStore& truth) { return std::min<std::size_t>(8, truth.times.size()); }

/// How far two transforms in double of the same floats may be apart in S_k. With L longitudes |dF_k| is at
/// most L eps rms(f) for each of them; C rms(f)^2 <= sum S. So |dS| <= 2 d sqrt(S sum S) + d^2 sum S with
/// d = 2 L eps. The mean over times and the factor C round relatively to S.
double tolerance(double value, double row_total, std::size_t longitudes) {
  const double eps = std::numeric_limits<double>::epsilon();
  const double d = 2.0 * static_cast<double>(longitudes) * eps;
  return 2.0 * d * std::sqrt(value * row_total) + d * d * row_total + 64.0 * eps * value;
}

using Spectrum = std::vector<double> (*)(std::span<const float> field, const LatLonGrid& grid);

std::vector<double> of_evaluator(std::span<const float> field, const LatLonGrid& grid) {
  return zonal_energy_spectrum(field, grid, 1);
}

/// The kernel's power with the factors of the definition: C for k = 0, 2 C for k > 0.
template <kernels::ZonalSpectrumBackend backend>
std::vector<double> of_kernel(std::span<const float> field, const LatLonGrid& grid) {
  const std::size_t wavenumbers = kernels::zonal_wavenumbers(grid.longitude.size());
  std::vector<double> spectrum(grid.latitude.size() * wavenumbers);
  kernels::zonal_spectrum({.field = field, .longitudes = grid.longitude.size(), .power = spectrum}, backend);
  for (std::size_t i = 0; i < spectrum.size(); ++i) {
    const double latitude = grid.latitude[i / wavenumbers] * std::numbers::pi / 180.0;
    spectrum[i] *= 2.0 * std::numbers::pi * 6'367'500.0 * std::cos(latitude) * (i % wavenumbers == 0 ? 1 : 2);
  }
  return spectrum;
}

std::vector<double> mean_over_times(const GoldenStore& truth, const Channel& channel, Spectrum spectrum) {
  std::vector<double> mean;
  const std::size_t times = averaged_times(truth);
  for (std::size_t t = 0; t < times; ++t) {
    const std::vector<double> one = spectrum(truth.read(channel, t), *truth.grid);
    mean.resize(one.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
      mean[i] += one[i] / static_cast<double>(times);
    }
  }
  return mean;
}

/// How many of the golden values [wavenumber, latitude] are not met by ours [latitude, wavenumber].
std::size_t count_wrong(const std::vector<double>& ours, const double* golden, const LatLonGrid& grid) {
  const std::size_t n_lat = grid.latitude.size();
  const std::size_t wavenumbers = ours.size() / n_lat;
  std::size_t wrong = 0;
  for (std::size_t j = 0; j < n_lat; ++j) {
    double total = 0.0;
    for (std::size_t k = 0; k < wavenumbers; ++k) {
      total += golden[k * n_lat + j];
    }
    for (std::size_t k = 0; k < wavenumbers; ++k) {
      const double wanted = golden[k * n_lat + j];
      const double allowed = tolerance(wanted, total, grid.longitude.size());
      wrong += std::abs(ours[j * wavenumbers + k] - wanted) <= allowed ? 0 : 1;
    }
  }
  return wrong;
}

class GoldenSpectra : public testing::TestWithParam<std::string> {};

TEST_P(GoldenSpectra, each_latitude_has_the_spectrum_of_weatherbench) {
  const std::string folder = "eval/" + GetParam();
  GOLDEN_OR_SKIP(store, folder + "/truth.zarr");
  GOLDEN_OR_SKIP(file, folder + "/expected/zonal_spectra.nc");
  const GoldenStore truth(store);
  const NetcdfDocument golden = read_netcdf(file.string());
  std::size_t compared = 0;
  for (const Channel& channel : truth.channels) {
    const auto found = std::find_if(golden.variables.begin(), golden.variables.end(),
                                    [&](const NetcdfVariable& v) { return v.name == channel.variable; });
    if (found == golden.variables.end()) {
      continue;
    }
    const double* values = std::get<std::vector<double>>(found->values).data();
    const std::size_t size = golden.dimension("zonal_wavenumber") * golden.dimension("latitude");
    if (channel.level) {
      const auto& levels = std::get<std::vector<std::int64_t>>(golden.variable("level").values);
      const auto level = std::find(levels.begin(), levels.end(), *channel.level);
      ASSERT_NE(level, levels.end()) << channel.name();
      values += static_cast<std::size_t>(level - levels.begin()) * size;
    }
    for (const Spectrum spectrum : {&of_evaluator, &of_kernel<kernels::ZonalSpectrumBackend::reference>,
                                    &of_kernel<kernels::ZonalSpectrumBackend::cpu>}) {
      const std::vector<double> ours = mean_over_times(truth, channel, spectrum);
      ASSERT_EQ(ours.size(), size);
      EXPECT_EQ(count_wrong(ours, values, *truth.grid), 0U) << channel.name() << " of " << size;
      ++compared;
    }
    // Must fail: a relative error of 1e-6 in every coefficient is noticed wherever the pole does not make
    // all of a row zero.
    std::vector<double> scaled = mean_over_times(truth, channel, &of_evaluator);
    std::for_each(scaled.begin(), scaled.end(), [](double& value) { value *= 1.0 + 1e-6; });
    EXPECT_GT(count_wrong(scaled, values, *truth.grid), size / 2);
  }
  EXPECT_GT(compared, 0U);
}

/// Spectra as the online scorer makes them, of a forecast that is the truth itself: [kind, band, K] by name.
NetcdfDocument scored_spectra(const GoldenStore& truth, const ChannelSet& channels) {
  const auto set = std::make_shared<ChannelSet>(channels);
  ScoreOptions options;
  options.spectra_channels = channels;
  options.leads = {Duration{0}};
  options.on_device = scores_on_device;
  InitTimeScorer scorer(options, truth.grid, set, 1);
  std::vector<InitTimeSums> sums;
  for (std::size_t t = 0; t < averaged_times(truth); ++t) {
    State state{truth.times[t], truth.grid, set, {}};
    for (const Channel& channel : channels) {
      const std::vector<float> field = truth.read(channel, t);
      state.values.insert(state.values.end(), field.begin(), field.end());
    }
    scorer.begin(state.time);
    scorer.add(0, std::vector<const float*>{state.values.data()}, state);
    sums.push_back(scorer.finish());
  }
  return spectra_document(time_mean(sums, options), options);
}

/// Golden mean over 30 < |latitude| < 60 weighted by cos(latitude); nothing if the set does not have it.
std::optional<std::vector<double>> golden_band(const nlohmann::json& bands, const std::string& variable,
                                               std::optional<int> level) {
  const std::string key = variable + "|30_60_strict|cos_weighted";
  if (!bands.contains(key)) {
    return std::nullopt;
  }
  nlohmann::json values = bands.at(key).at("values");
  if (level) {
    const auto levels = bands.at(key).at("level").get<std::vector<int>>();
    values =
        values.at(static_cast<std::size_t>(std::find(levels.begin(), levels.end(), *level) - levels.begin()));
  }
  return values.get<std::vector<double>>();
}

/// Of a kinetic energy the mean of the two winds.
std::optional<std::vector<double>> golden_band(const nlohmann::json& bands, const ChannelSet& channels,
                                               const SpectrumQuantity& quantity) {
  std::vector<double> mean;
  for (const std::size_t c : quantity.channels) {
    const auto one = golden_band(bands, channels[c].variable, channels[c].level);
    if (!one) {
      return std::nullopt;
    }
    mean.resize(one->size());
    for (std::size_t k = 0; k < mean.size(); ++k) {
      mean[k] += (*one)[k] / static_cast<double>(quantity.channels.size());
    }
  }
  return mean;
}

TEST_P(GoldenSpectra, scored_bands_are_those_of_weatherbench) {
  const std::string folder = "eval/" + GetParam();
  GOLDEN_OR_SKIP(store, folder + "/truth.zarr");
  GOLDEN_OR_SKIP(file, folder + "/expected/zonal_spectra_band.json");
  const GoldenStore truth(store);
  std::ifstream stream(file);
  const nlohmann::json bands = nlohmann::json::parse(stream);
  ChannelSet channels;
  for (const Channel& channel : truth.channels) {
    if (golden_band(bands, channel.variable, channel.level)) {
      channels.push_back(channel);
    }
  }
  const NetcdfDocument document = scored_spectra(truth, channels);
  const auto& names = std::get<std::vector<std::string>>(document.variable("latitude_band").values);
  const auto band =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), "mid-latitudes") - names.begin());
  ASSERT_LT(band, names.size());
  const std::size_t wavenumbers = document.dimension("zonal_wavenumber");
  std::size_t kinetic_energies = 0;
  for (const SpectrumQuantity& quantity : spectrum_quantities(channels)) {
    const std::vector<double> golden = *golden_band(bands, channels, quantity);
    ASSERT_EQ(golden.size(), wavenumbers);
    const NetcdfVariable& variable = document.variable(quantity.variable);
    const auto& values = std::get<std::vector<double>>(variable.values);
    std::size_t level = 0, levels = 1;
    if (quantity.level) {
      const auto& axis = std::get<std::vector<std::int32_t>>(document.variable("level").values);
      level = static_cast<std::size_t>(std::find(axis.begin(), axis.end(), *quantity.level) - axis.begin());
      levels = axis.size();
    }
    double total = 0.0;
    std::for_each(golden.begin(), golden.end(), [&](double value) { total += value; });
    for (std::size_t kind = 0; kind < document.dimension("kind"); ++kind) {
      const std::size_t row = ((kind * levels + level) * names.size() + band) * wavenumbers;
      for (std::size_t k = 0; k < wavenumbers; ++k) {
        EXPECT_NEAR(values[row + k], golden[k], tolerance(golden[k], total, truth.grid->longitude.size()))
            << quantity.variable << " kind " << kind << " wavenumber " << k;
      }
    }
    kinetic_energies += quantity.channels.size() == 2 ? 1 : 0;
  }
  EXPECT_GT(kinetic_energies, 0U);
}

INSTANTIATE_TEST_SUITE_P(stores, GoldenSpectra, testing::Values("small", "medium"));

}  // namespace
}  // namespace mosaic::eval
