// What theory says of long leads and of spectra: errors saturate at the climate, members keep the energy of
// the truth, the ensemble mean loses that of the small scales.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "forecast/jackknife.hpp"
#include "forecast/qg3_runs.hpp"

namespace mosaic {
namespace {

using eval::InitTimeSums;
using eval::SpectrumKind;
using kernels::Statistic;
using test::Estimate;
using test::mean_of;
using test::north;
using test::RunSums;
using test::sum_of;
using test::years;

class Qg3Climate : public test::Qg3Runs {};

/// [m4 s-4] variance over the years that take part, mean over the northern extratropics (20 ... 90 degrees).
double climatological_variance(const std::vector<std::vector<State>>& truth, const std::vector<bool>& taken,
                               std::size_t offset) {
  const State& any = truth.front().front();
  const auto channel = static_cast<std::size_t>(
      std::find(any.channels->begin(), any.channels->end(), Channel{"geopotential", 500}) -
      any.channels->begin());
  const std::vector<double> weights = area_weights(*any.grid);
  const std::size_t columns = any.grid->longitude.size();
  double sum = 0;
  double weight = 0;
  for (std::size_t point = 0; point < any.grid->points(); ++point) {
    if (any.grid->latitude[point / columns] < 20) {
      continue;
    }
    double count = 0;
    double mean = 0;
    double squares = 0;  // of differences from the mean, updated (Welford 1962)
    for (std::size_t k = 0; k < truth.size(); ++k) {
      if (taken[k]) {
        const double value = truth[k][offset].field(channel)[point];
        count += 1;
        const double step = value - mean;
        mean += step / count;
        squares += step * (value - mean);
      }
    }
    sum += weights[point / columns] * squares / (count - 1);
    weight += weights[point / columns];
  }
  return sum / weight;
}

/// Members at long leads are one more draw of the climate: their squared error is twice its variance, that of
/// the ensemble mean (without what a finite ensemble adds) once. Leads 30 ... 45 days, five days apart.
TEST_F(Qg3Climate, ErrorsSaturateAtTheClimate) {
  const auto ratio_of = [&](Statistic which) {
    return test::jackknife(years, [&](const std::vector<bool>& taken) {
      const auto count = static_cast<double>(std::count(taken.begin(), taken.end(), true));
      double error = 0;
      double variance = 0;
      for (std::size_t lead = 5; lead < 9; ++lead) {  // of 9, every 5 days; 10 days are offset 10
        error += sum_of(long_range(), taken, lead, north, which) / count;
        variance += climatological_variance(truth(), taken, lead + 9);
      }
      return std::sqrt(error / variance);
    });
  };
  for (std::size_t lead = 2; lead < 9; ++lead) {
    const std::vector<bool> all(years, true);
    std::printf("lead %zu: members %.3f, mean %.3f of the climate's standard deviation\n", lead,
                std::sqrt(mean_of(long_range(), lead, north, Statistic::squared_error) /
                          climatological_variance(truth(), all, lead + 9)),
                std::sqrt(mean_of(long_range(), lead, north, Statistic::debiased_squared_error) /
                          climatological_variance(truth(), all, lead + 9)));
  }
  const double bound = test::student_bound(years);
  const Estimate members = ratio_of(Statistic::squared_error);
  const Estimate mean = ratio_of(Statistic::debiased_squared_error);
  std::printf("saturation: members %.3f +- %.3f (sqrt 2 = 1.414), mean %.3f +- %.3f standard errors\n",
              members.value, members.error, mean.value, mean.error);
  EXPECT_NEAR(members.value, std::sqrt(2.0), bound * members.error);
  EXPECT_NEAR(mean.value, 1.0, bound * mean.error);
  EXPECT_LT(bound * members.error, 0.25) << "the interval says nothing";
  EXPECT_LT(bound * mean.error, 0.25) << "the interval says nothing";
  EXPECT_GT(std::abs(mean.value - std::sqrt(2.0)), bound * mean.error) << "the twin that must fail";
}

/// Kinetic energy at 500 hPa of the degrees first ... 21, over all initial times.
double energy(const RunSums& run, SpectrumKind kind, std::size_t lead, std::size_t first) {
  double sum = 0;
  for (const InitTimeSums& sums : run) {
    std::size_t quantity = 0;
    while (sums.by_degree.quantities[quantity].variable != "kinetic_energy") {
      ++quantity;
    }
    const std::size_t at = sums.degree_offset(kind, lead, quantity);
    for (std::size_t degree = first; degree <= 21; ++degree) {
      sum += sums.by_degree.values[at + degree];
    }
  }
  return sum;
}

double energy_ratio(const RunSums& run, SpectrumKind kind, std::size_t lead, std::size_t first) {
  return energy(run, kind, lead, first) / energy(run, SpectrumKind::truth, lead, first);
}

constexpr std::size_t small = 8;  ///< scales: degrees that the stationary flow has little of

TEST_F(Qg3Climate, MembersKeepTheSpectrumOfTheTruth) {
  for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
    for (const std::size_t first : {std::size_t{1}, small}) {
      const double ratio = energy_ratio(perfect(), SpectrumKind::member_mean, lead, first);
      std::printf("lead %zu: energy of members / truth from degree %zu on %.3f\n", lead, first, ratio);
      EXPECT_NEAR(ratio, 1, 0.03) << "lead " << lead;
    }
  }
  EXPECT_LT(energy_ratio(perfect(), SpectrumKind::ensemble_mean, 9, small), 0.97)
      << "the twin that must fail: the mean is no member";
}

/// Small scales first, and more with every lead until members know nothing of each other: then the mean of M
/// has 1 / M of a member's energy, and what is the same every year.
TEST_F(Qg3Climate, TheEnsembleMeanLosesSmallScalesWithLead) {
  double previous = 1;
  for (std::size_t lead = 0; lead < 5; ++lead) {  // 5 ... 25 days
    const double all = energy_ratio(long_range(), SpectrumKind::ensemble_mean, lead, 1);
    const double damped = energy_ratio(long_range(), SpectrumKind::ensemble_mean, lead, small);
    std::printf("lead %zu: energy of the mean / truth %.3f, of degrees 8 ... 21 %.3f\n", lead, all, damped);
    EXPECT_LT(damped, previous) << "lead " << lead;
    EXPECT_LT(damped, all) << "lead " << lead;
    previous = damped;
  }
  EXPECT_LT(previous, 0.5);
  EXPECT_GT(previous, 1.0 / long_range().front().members);
}

}  // namespace
}  // namespace mosaic
