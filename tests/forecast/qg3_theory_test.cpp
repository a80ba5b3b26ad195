// What theory says of an ensemble whose members and truth are draws of one distribution, asked of
// mosaic_hindcast as it stands: truth of the simulated world in a store, forecasts on two ranks, scores from
// the sums of each initial time. The initial times are independent: each year is a realisation of its own.
// Every tolerance follows from the spread over them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "end_to_end/hindcast_runs.hpp"
#include "eval/init_time_sums.hpp"
#include "forecast/jackknife.hpp"
#include "forecast/qg3_truth.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using eval::InitTimeSums;
using eval::SpectrumKind;
using kernels::Statistic;
using test::Estimate;

constexpr int years = 12;
const std::string z500 = "geopotential_500";
const std::string north = "northern-hemisphere";
const std::string globe = "global";

Duration days(int count) { return Duration::days(count); }

/// The runs: each is made once, when it is first asked for.
class Qg3Theory : public testing::Test {
 protected:
  using Run = std::vector<InitTimeSums>;

  static void SetUpTestSuite() {
#ifdef MOSAIC_SANITIZED
    return;
#endif
    folder_ = test::scratch_dir("qg3_theory");
    std::vector<Time> starts;
    std::ofstream list(folder_ / "times.txt");
    for (int year = 0; year < years; ++year) {
      starts.push_back(parse_time(std::to_string(2001 + year) + "-01-05"));
      list << to_string(starts.back()) << '\n';
    }
    std::vector<Duration> offsets;
    for (int day = 0; day <= 45; day += day < 10 ? 1 : 5) {
      offsets.push_back(days(day));
    }
    truth_ = test::simulate_windows(starts, offsets, days(60), 2);
    test::write_windows((folder_ / "truth.zarr").string(), truth_);
  }

  void SetUp() override {
#ifdef MOSAIC_SANITIZED
    GTEST_SKIP()
        << "4,000 days of members are too slow under sanitizers; qg3_model and qg3_program run there";
#endif
  }

  /// Sums of all initial times. The first score asked for is the one of z500.
  static const Run& run(const std::string& name, int members, int lead_days, const std::string& settings) {
    if (const auto found = runs_.find(name); found != runs_.end()) {
      return found->second;
    }
    const std::string out = (folder_ / name).string();
    const test::Job job = test::shell(
        test::launcher(2) + test::program("mosaic_hindcast") + " config/hindcast_qg3.yaml --input " +
        (folder_ / "truth.zarr").string() + " --set times.list=" + (folder_ / "times.txt").string() +
        " --set times.start=null --set times.end=null --set times.step=12h --members " +
        std::to_string(members) + " --set ensemble.batch=" + std::to_string(members) + " --lead-time " +
        std::to_string(lead_days) + "d --out " + out + " " + settings);
    if (job.code != 0) {
      throw std::runtime_error(job.output);
    }
    return runs_[name] = eval::all_from_netcdf(read_netcdf(out + "/sums.nc"));
  }

  static const Run& perfect() { return run("perfect", 8, 10, "--set qg3.step=24h"); }
  static const Run& without_analysis_error() {
    return run("same", 8, 3, "--set qg3.step=24h --set qg3.analysis_error=0");
  }
  static const Run& imperfect() {
    return run("imperfect", 8, 5, "--set qg3.step=24h --set qg3.drag_time=2d --set qg3.orography_factor=0.5");
  }
  static const Run& control() { return run("control", 1, 10, "--set qg3.step=24h --set qg3.perturbation=0"); }
  static const Run& long_range() { return run("long", 4, 45, "--set qg3.step=5d"); }

  static inline fs::path folder_;
  static inline std::vector<std::vector<State>> truth_;
  static inline std::map<std::string, Run> runs_;
};

double statistic(const InitTimeSums& sums, std::size_t lead, const std::string& region, Statistic which) {
  std::size_t channel = 0;
  while (sums.channels[channel].name() != z500) {
    ++channel;
  }
  std::size_t place = 0;
  while (sums.regions[place] != region) {
    ++place;
  }
  return at(sums.mean(lead, channel, place), which);
}

/// Sum over the initial times that take part.
double sum_of(const std::vector<InitTimeSums>& run, const std::vector<bool>& taken, std::size_t lead,
              const std::string& region, Statistic which) {
  double sum = 0;
  for (std::size_t k = 0; k < run.size(); ++k) {
    sum += taken[k] ? statistic(run[k], lead, region, which) : 0;
  }
  return sum;
}

double mean_of(const std::vector<InitTimeSums>& run, std::size_t lead, const std::string& region,
               Statistic which) {
  return sum_of(run, std::vector<bool>(run.size(), true), lead, region, which) /
         static_cast<double>(run.size());
}

/// Logarithm of spread over error of the ensemble mean, with the factor for a finite ensemble (Fortin et al.
/// 2014): 0 is consistent.
Estimate log_spread_skill(const std::vector<InitTimeSums>& run, std::size_t lead, const std::string& region) {
  const double members = run.front().members;
  return test::jackknife(run.size(), [&](const std::vector<bool>& taken) {
    return 0.5 * std::log((members + 1) / members * sum_of(run, taken, lead, region, Statistic::variance) /
                          sum_of(run, taken, lead, region, Statistic::ensemble_mean_squared_error));
  });
}

bool is_consistent(const Estimate& log_ratio) {
  return std::abs(log_ratio.value) <= test::student_bound(years) * log_ratio.error;
}

TEST_F(Qg3Theory, SpreadIsTheErrorWithinItsConfidenceInterval) {
  for (const std::string& region : {north, globe}) {
    for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
      const Estimate ratio = log_spread_skill(perfect(), lead, region);
      std::printf(
          "%s, %s: spread / error %.3f, standard error %.3f; rmse of the mean %.1f m\n", region.c_str(),
          to_string(perfect().front().leads[lead]).c_str(), std::exp(ratio.value), ratio.error,
          std::sqrt(mean_of(perfect(), lead, region, Statistic::ensemble_mean_squared_error)) / 9.80665);
      EXPECT_TRUE(is_consistent(ratio)) << region << ", lead " << lead;
      EXPECT_LT(ratio.error, 0.1) << "the interval says nothing";
    }
  }
}

/// The twins that must fail: analyses without error, perturbations of twice the size.
TEST_F(Qg3Theory, SpreadThatIsNotTheErrorIsFound) {
  for (std::size_t lead = 0; lead < 3; ++lead) {
    const Estimate ratio = log_spread_skill(without_analysis_error(), lead, north);
    EXPECT_GT(ratio.value, std::log(2.0)) << "lead " << lead;
    EXPECT_FALSE(is_consistent(ratio)) << "lead " << lead;
  }
}

std::vector<std::vector<double>> ranks_of(const std::vector<InitTimeSums>& run, std::size_t lead) {
  std::vector<std::vector<double>> counts;
  for (const InitTimeSums& sums : run) {
    std::size_t channel = 0;
    while (sums.channels[channel].name() != z500) {
      ++channel;
    }
    const std::size_t width = static_cast<std::size_t>(sums.members) + 1;
    const auto kind = static_cast<std::size_t>(kernels::RankCount::ties_split);
    const auto first = sums.ranks.begin() +
                       static_cast<std::ptrdiff_t>(
                           (lead * sums.channels.size() + channel) * sums.rank_numbers() + kind * width);
    counts.emplace_back(first, first + static_cast<std::ptrdiff_t>(width));
  }
  return counts;
}

TEST_F(Qg3Theory, RankHistogramsAreFlat) {
  for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
    const test::Flatness ranks = test::flatness_of_ranks(ranks_of(perfect(), lead));
    std::printf("ranks, lead %zu: chi-square %.1f of %.1f degrees, bound %.1f\n", lead, ranks.chi_square,
                ranks.degrees, test::chi_square_bound(ranks.degrees));
    EXPECT_TRUE(ranks.flat()) << "lead " << lead;
  }
  const test::Flatness twin = test::flatness_of_ranks(ranks_of(without_analysis_error(), 0));
  EXPECT_FALSE(twin.flat()) << "the twin that must fail: " << twin.chi_square;
}

TEST_F(Qg3Theory, FairCrpsIsBelowTheDeterministicError) {
  for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
    const double crps = mean_of(perfect(), lead, globe, Statistic::absolute_error) -
                        0.5 * mean_of(perfect(), lead, globe, Statistic::spread);
    const double error = mean_of(control(), lead, globe, Statistic::absolute_error);
    std::printf("lead %zu: fair CRPS %.2f m, deterministic MAE %.2f m\n", lead, crps / 9.80665,
                error / 9.80665);
    EXPECT_GT(crps, 0);
    EXPECT_LT(crps, 0.85 * error) << "lead " << lead;  // a normal distribution has 1 / sqrt(2) of it
  }
}

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
TEST_F(Qg3Theory, ErrorsSaturateAtTheClimate) {
  const auto ratio_of = [&](Statistic which) {
    return test::jackknife(years, [&](const std::vector<bool>& taken) {
      const auto count = static_cast<double>(std::count(taken.begin(), taken.end(), true));
      double error = 0;
      double variance = 0;
      for (std::size_t lead = 5; lead < 9; ++lead) {  // of 9, every 5 days; 10 days are offset 10
        error += sum_of(long_range(), taken, lead, north, which) / count;
        variance += climatological_variance(truth_, taken, lead + 9);
      }
      return std::sqrt(error / variance);
    });
  };
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
double energy(const std::vector<InitTimeSums>& run, SpectrumKind kind, std::size_t lead, std::size_t first) {
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

/// Members keep the energy of the truth at all scales; the mean loses that of the small ones first.
TEST_F(Qg3Theory, MembersKeepTheSpectrumOfTheTruthTheMeanDoesNot) {
  constexpr std::size_t small = 8;
  double previous = 1.01;
  for (std::size_t lead = 0; lead < perfect().front().leads.size(); ++lead) {
    const auto ratio = [&](SpectrumKind kind, std::size_t first) {
      return energy(perfect(), kind, lead, first) / energy(perfect(), SpectrumKind::truth, lead, first);
    };
    const double damped = ratio(SpectrumKind::ensemble_mean, small);
    std::printf("lead %zu: energy of members / truth %.3f, of degrees 8 ... 21 %.3f; of the mean %.3f %.3f\n",
                lead, ratio(SpectrumKind::member_mean, 1), ratio(SpectrumKind::member_mean, small),
                ratio(SpectrumKind::ensemble_mean, 1), damped);
    EXPECT_NEAR(ratio(SpectrumKind::member_mean, 1), 1, 0.03) << "lead " << lead;
    EXPECT_NEAR(ratio(SpectrumKind::member_mean, small), 1, 0.03) << "lead " << lead;
    EXPECT_LT(damped, previous) << "lead " << lead;
    EXPECT_LE(damped, ratio(SpectrumKind::ensemble_mean, 1) + 0.01) << "lead " << lead;
    previous = damped;
  }
  EXPECT_LT(previous, 0.8);
}

TEST_F(Qg3Theory, AnImperfectModelHasLargerErrorsThanItsSpread) {
  for (std::size_t lead = 1; lead < imperfect().front().leads.size(); ++lead) {
    const Estimate ratio = log_spread_skill(imperfect(), lead, north);
    const double error = mean_of(imperfect(), lead, north, Statistic::ensemble_mean_squared_error);
    const double least = mean_of(perfect(), lead, north, Statistic::ensemble_mean_squared_error);
    std::printf("imperfect, lead %zu: spread / error %.3f, error %.2f of the perfect model's\n", lead,
                std::exp(ratio.value), std::sqrt(error / least));
    EXPECT_GT(error, least) << "lead " << lead;
    EXPECT_LT(ratio.value, 0) << "lead " << lead;
    EXPECT_FALSE(is_consistent(ratio)) << "lead " << lead;
  }
}

}  // namespace
}  // namespace mosaic
