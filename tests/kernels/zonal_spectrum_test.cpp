#include "kernels/zonal_spectrum/zonal_spectrum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.hpp"
#include "kernels/numbers.hpp"

namespace mosaic::kernels {
namespace {

std::vector<double> spectrum(const std::vector<float>& field, std::size_t longitudes,
                             ZonalSpectrumBackend backend, int threads = 1) {
  std::vector<double> power(field.size() / longitudes * zonal_wavenumbers(longitudes), std::nan(""));
  zonal_spectrum({field, longitudes, power, threads}, backend);
  return power;
}

constexpr ZonalSpectrumBackend backends[] = {ZonalSpectrumBackend::reference, ZonalSpectrumBackend::cpu};

/// F_k is a sum of L terms below the largest |f| / L each: L + 4 roundings of at most that maximum, so P_k is
/// off by 2 max |F| max |f| (L + 4) u, and |F| <= max |f|.
double limit_of(const std::vector<float>& field, std::size_t longitudes) {
  double largest = 0;
  for (const float x : field) {
    largest = std::max(largest, std::abs(static_cast<double>(x)));
  }
  return 2 * largest * largest * static_cast<double>(longitudes + 4) * 0x1p-52;
}

TEST(ZonalSpectrum, CpuFollowsReference) {
  for (const std::size_t longitudes : {1U, 2U, 3U, 4U, 7U, 8U, 9U, 64U, 240U, 241U}) {
    for (const std::size_t rows : {1U, 2U, 5U}) {
      const auto field = normal_numbers<float>(rows * longitudes, static_cast<unsigned>(longitudes), 100.0);
      const auto cpu = spectrum(field, longitudes, ZonalSpectrumBackend::cpu);
      const auto truth = spectrum(field, longitudes, ZonalSpectrumBackend::reference);
      for (std::size_t i = 0; i < cpu.size(); ++i) {
        EXPECT_NEAR(cpu[i], truth[i], limit_of(field, longitudes))
            << longitudes << " longitudes, value " << i;
      }
    }
  }
}

TEST(ZonalSpectrum, WavesInClosedForm) {
  for (const ZonalSpectrumBackend backend : backends) {
    for (const std::size_t longitudes : {8U, 9U, 240U}) {
      for (std::size_t wave = 0; wave < zonal_wavenumbers(longitudes); ++wave) {
        std::vector<float> field;
        for (std::size_t l = 0; l < longitudes; ++l) {
          const double angle =
              2 * std::numbers::pi * static_cast<double>(wave * l) / static_cast<double>(longitudes);
          field.push_back(static_cast<float>(3 * std::cos(angle)));
        }
        const auto power = spectrum(field, longitudes, backend);
        const bool real = wave == 0 || 2 * wave == longitudes;  // its own mirror image
        for (std::size_t k = 0; k < power.size(); ++k) {
          const double expected = k != wave ? 0.0 : real ? 9.0 : 2.25;
          EXPECT_NEAR(power[k], expected, 9 * 2 * 0x1p-23) << longitudes << " " << wave << " " << k;
        }
      }
    }
  }
}

TEST(ZonalSpectrum, Parseval) {
  for (const ZonalSpectrumBackend backend : backends) {
    for (const std::size_t longitudes : {7U, 240U}) {
      const auto field = normal_numbers<float>(longitudes, 5);
      const auto power = spectrum(field, longitudes, backend);
      double squares = 0, sum = 0;
      for (const float x : field) {
        squares += static_cast<double>(x) * x / static_cast<double>(longitudes);
      }
      for (std::size_t k = 0; k < power.size(); ++k) {
        sum += (k == 0 || 2 * k == longitudes ? 1 : 2) * power[k];
      }
      EXPECT_NEAR(sum, squares, static_cast<double>(longitudes) * limit_of(field, longitudes));
    }
  }
}

TEST(ZonalSpectrum, NanAndInfinityStayInTheirRow) {
  for (const ZonalSpectrumBackend backend : backends) {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
      auto field = normal_numbers<float>(3 * 8, 6);
      const auto clean = spectrum(field, 8, backend);
      field[11] = bad;
      const auto power = spectrum(field, 8, backend);
      for (std::size_t i = 0; i < power.size(); ++i) {
        if (i / 5 == 1) {
          EXPECT_TRUE(std::isnan(power[i])) << i;
        } else {
          EXPECT_EQ(power[i], clean[i]) << i;
        }
      }
    }
  }
}

TEST(ZonalSpectrum, BitsDoNotDependOnThreads) {
  const auto field = normal_numbers<float>(121 * 240, 7);
  const auto one = spectrum(field, 240, ZonalSpectrumBackend::cpu, 1);
  for (const int threads : {2, 3}) {
    EXPECT_EQ(spectrum(field, 240, ZonalSpectrumBackend::cpu, threads), one) << threads;
  }
}

TEST(ZonalSpectrum, InconsistentSizesAreErrors) {
  const std::vector<float> field(10);
  std::vector<double> power(3);
  EXPECT_THROW(zonal_spectrum({field, 0, power, 1}), Error);
  EXPECT_THROW(zonal_spectrum({field, 3, power, 1}), Error);
  EXPECT_THROW(zonal_spectrum({field, 5, power, 1}), Error);
}

}  // namespace
}  // namespace mosaic::kernels
