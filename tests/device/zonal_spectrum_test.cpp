#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "device/waves_case.hpp"
#include "fmt/format.h"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::size_t bands = 3;

/// [bands, J]: all rows, every second, the last only.
std::vector<double> band_weights(std::size_t latitudes) {
  std::vector<double> weights(bands * latitudes, 0.0);
  for (std::size_t j = 0; j < latitudes; ++j) {
    weights[j] = 0.1 + static_cast<double>(j % 7);
    weights[latitudes + j] = j % 2 == 0 ? 0.7 : 0.0;
  }
  weights.back() = 1.0;
  return weights;
}

/// [F, bands, K]
std::vector<double> device_spectra(const WavesCase& which) {
  const DeviceMemory waves = which.waves(), weights = upload_doubles(band_weights(which.latitudes));
  DeviceZonalSpectrumArgs args{.fields = static_cast<std::int64_t>(which.members.size() + 2),
                               .latitudes = static_cast<std::int64_t>(which.latitudes),
                               .longitudes = static_cast<std::int64_t>(which.longitudes),
                               .bands = bands,
                               .waves = waves.as<double>(),
                               .weights = weights.as<double>()};
  const auto wavenumbers = static_cast<std::int64_t>(zonal_wavenumbers(which.longitudes));
  const DeviceMemory power = poisoned_doubles(args.fields * args.bands * wavenumbers);
  args.power = power.as<double>();
  const Stream stream;
  zonal_spectrum(args, stream);
  stream.wait();
  return download_doubles(power);
}

/// Of a field, [bands, K].
std::vector<double> reference_spectra(const std::vector<float>& field, std::size_t longitudes) {
  const std::size_t latitudes = field.size() / longitudes, wavenumbers = zonal_wavenumbers(longitudes);
  std::vector<double> rows(latitudes * wavenumbers), power(bands * wavenumbers, 0.0);
  zonal_spectrum_reference({field, longitudes, rows});
  const auto weights = band_weights(latitudes);
  for (std::size_t b = 0; b < bands; ++b) {
    for (std::size_t j = 0; j < latitudes; ++j) {
      const double weight = weights[b * latitudes + j];
      for (std::size_t k = 0; weight > 0 && k < wavenumbers; ++k) {
        power[b * wavenumbers + k] += weight * rows[j * wavenumbers + k];
      }
    }
  }
  return power;
}

/// With |f| at most x, both parts of F_k are sums of L terms below x / L with two factors of a few roundings:
/// off by (L + 4) u x at most, in the definition as well, so that F_k differs by d = 2 sqrt(2) times as much.
/// A sum P of weighted |F_k|^2 then differs by 2 d sqrt(sum of weights) sqrt(P) (Cauchy and Schwarz), the
/// squares of d, and the roundings of J sums on both sides.
double limit_of(const WavesCase& which, std::size_t band, double power) {
  const auto weights = band_weights(which.latitudes);
  const double* first = weights.data() + band * which.latitudes;
  const double sum = std::accumulate(first, first + which.latitudes, 0.0);
  const auto latitudes = static_cast<double>(which.latitudes),
             longitudes = static_cast<double>(which.longitudes);
  const double d = 3 * (longitudes + 4) * 0x1p-53 * which.size();
  return 2 * d * std::sqrt(sum * power) + sum * d * d + 2 * (latitudes + 4) * 0x1p-53 * power;
}

/// Spectra of the device against the definition of `truth`; an empty text if they agree.
std::string difference(const std::vector<double>& ours, const WavesCase& truth) {
  const std::size_t wavenumbers = zonal_wavenumbers(truth.longitudes);
  const auto fields = truth.fields();
  for (std::size_t f = 0; f < fields.size(); ++f) {
    const auto expected = reference_spectra(fields[f], truth.longitudes);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double power = ours[f * expected.size() + i];
      const bool agrees = std::isnan(expected[i]) ? std::isnan(power)
                                                  : std::abs(power - expected[i]) <=
                                                        limit_of(truth, i / wavenumbers, expected[i]);
      if (!agrees) {
        return fmt::format("{} x {}, field {} of {}, band {}, wavenumber {}: {} instead of {}",
                           truth.longitudes, truth.latitudes, f, fields.size(), i / wavenumbers,
                           i % wavenumbers, power, expected[i]);
      }
    }
  }
  return "";
}

using DeviceZonalSpectrum = DeviceTest;

TEST_F(DeviceZonalSpectrum, FollowsReference) {
  for (const std::size_t members : {1U, 2U, 5U}) {
    for (const auto& [latitudes, longitudes] :
         {std::pair{1U, 1U}, {2U, 2U}, {3U, 5U}, {1U, 24U}, {13U, 24U}, {13U, 27U}, {32U, 64U}, {5U, 130U}}) {
      const WavesCase which(members, latitudes, longitudes, 1);
      EXPECT_EQ(difference(device_spectra(which), which), "") << members << " members";
    }
  }
}

TEST_F(DeviceZonalSpectrum, FollowsReferenceAtOneAndAHalfDegrees) {
  const WavesCase which(1, 121, 240, 2);
  EXPECT_EQ(difference(device_spectra(which), which), "");
}

/// Temperatures [K].
TEST_F(DeviceZonalSpectrum, SmallWavesOnALargeMean) {
  const WavesCase which(3, 13, 24, 3, 280);
  EXPECT_EQ(difference(device_spectra(which), which), "");
}

TEST_F(DeviceZonalSpectrum, TableHoldsZerosElsewhere) {
  const std::int64_t longitudes = 27;  // 28 columns of waves
  const auto table = wave_table(longitudes);
  ASSERT_EQ(table.size(), 32U * 32U);
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (i / 32 >= 28 || i % 32 >= 27) {
      EXPECT_EQ(table[i], 0.0) << i;
    }
  }
}

TEST_F(DeviceZonalSpectrum, MeanIsRoundedAsTheScoresDo) {
  WavesCase which(7, 3, 20, 4, 280);
  which.truth = which.fields()[7];
  const auto spectra = device_spectra(which);
  const std::size_t of_field = spectra.size() / 9;
  for (std::size_t i = 0; i < of_field; ++i) {
    EXPECT_EQ(spectra[7 * of_field + i], spectra[8 * of_field + i]) << i;
  }
}

TEST_F(DeviceZonalSpectrum, BitsDependNeitherOnOtherFieldsNorOnOrder) {
  const WavesCase which(5, 13, 27, 5);
  const auto all = device_spectra(which);
  WavesCase alone(1, 13, 27, 6);
  alone.members[0] = which.members[3];
  alone.truth = which.members[1];
  const auto few = device_spectra(alone);
  const std::size_t of_field = all.size() / 7;
  for (std::size_t i = 0; i < of_field; ++i) {
    EXPECT_EQ(few[i], all[3 * of_field + i]) << i;
    EXPECT_EQ(few[2 * of_field + i], all[of_field + i]) << i;
  }
  in_all_orders([&] { return device_spectra(which); });
}

TEST_F(DeviceZonalSpectrum, WhatIsNotFiniteStaysInItsRows) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    WavesCase which(3, 6, 20, 7);
    const auto clean = device_spectra(which);
    which.members[1][3 * 20 + 4] = bad;  // row 3 has no weight in the second and third band
    const auto spoilt = device_spectra(which);
    EXPECT_EQ(difference(spoilt, which), "");
    const std::size_t wavenumbers = 11, of_field = bands * wavenumbers;
    for (std::size_t i = 0; i < spoilt.size(); ++i) {
      const std::size_t field = i / of_field, band = i / wavenumbers % bands;
      const bool hit = (field == 1 || field == 3) && band == 0;  // of the member and of the mean
      EXPECT_TRUE(hit ? std::isnan(spoilt[i])
                      : spoilt[i] == clean[i] || (field == 3 && std::isfinite(spoilt[i])))
          << i << ": " << spoilt[i];
    }
  }
}

TEST_F(DeviceZonalSpectrum, MustFailTwins) {
  const WavesCase right(2, 13, 24, 8);
  WavesCase wrong = right;
  std::swap(wrong.members[0], wrong.members[1]);
  EXPECT_NE(difference(device_spectra(wrong), right), "");
  wrong = right;  // rows in the order of another grid
  std::rotate(wrong.truth.begin(), wrong.truth.begin() + 24, wrong.truth.end());
  EXPECT_NE(difference(device_spectra(wrong), right), "");
  wrong = right;
  wrong.truth[100] = std::nextafter(wrong.truth[100], 10.0F);
  EXPECT_NE(difference(device_spectra(wrong), right), "");
}

TEST_F(DeviceZonalSpectrum, RefusesOtherShapes) {
  MatrixProducts products;
  const auto waves = [&](std::int64_t members, std::int64_t latitudes) {
    return test::code_of([&] {
      zonal_waves({.members = members, .latitudes = latitudes, .longitudes = 8}, products, Stream());
    });
  };
  EXPECT_EQ(waves(0, 4), ExitCode::internal);
  EXPECT_EQ(waves(2, 0), ExitCode::internal);
  EXPECT_EQ(waves(65534, 4), ExitCode::internal);
  EXPECT_EQ(test::code_of([&] {
              zonal_spectrum({.fields = 1, .latitudes = 4, .longitudes = 8, .bands = 0}, Stream());
            }),
            ExitCode::internal);
}

}  // namespace
}  // namespace mosaic::kernels
