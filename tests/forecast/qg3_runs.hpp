#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "fields/state.hpp"

namespace mosaic::test {

inline constexpr int years = 12;
inline const std::string north = "northern-hemisphere";  ///< 20 ... 90 degrees
inline const std::string globe = "global";

using RunSums = std::vector<eval::InitTimeSums>;  ///< by initial time, ascending

/// Truth of the simulated world in a store and hindcasts of it by mosaic_hindcast, each run once when it is
/// first asked for, on two ranks unless it says otherwise. Initial times: 5 January of each year, which is a
/// realisation of its own; so they are independent.
class Qg3Runs : public testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;

  /// Perfect model, errors of 2 m of height, which grow linearly for days: 8 members, every day of ten.
  static const RunSums& perfect();
  static const RunSums& perfect_on_one_rank();  ///< the first two initial times
  static const RunSums& without_analysis_error();
  static const RunSums& twice_perturbed();
  static const RunSums& imperfect();  ///< drag of 66 h in place of 72 h
  static const RunSums& control();    ///< one member that is the analysis
  /// Errors of 10 m, which are those of the climate after a month: 4 members, every five days of 45.
  static const RunSums& long_range();

  /// Truth by year at days 0, 1, ... 10, 15, ... 45.
  static const std::vector<std::vector<State>>& truth() { return truth_; }

 private:
  static std::string times_file(int count);
  static const RunSums& run(const std::string& name, int members, int days, const std::string& settings,
                            int ranks = 2, int initial_times = years);

  static inline std::filesystem::path folder_;
  static inline std::vector<std::vector<State>> truth_;
  static inline std::map<std::string, RunSums> runs_;
};

/// Of the geopotential at 500 hPa [m2 s-2 or its square], summed over the initial times that take part.
double sum_of(const RunSums& run, const std::vector<bool>& taken, std::size_t lead, const std::string& region,
              kernels::Statistic which);
double mean_of(const RunSums& run, std::size_t lead, const std::string& region, kernels::Statistic which);

}  // namespace mosaic::test
