// mosaic_hindcast with the simulated world: the bits do not depend on ranks, one member can be repeated
// alone, and input that does not fit is refused with a remedy.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "end_to_end/hindcast_runs.hpp"
#include "forecast/qg3_truth.hpp"
#include "stores/zarr_writer.hpp"
#include "support/golden.hpp"
#include "world/world_fields.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::Job;
using test::shell;

/// Two days of truth from two initial times.
class Qg3Program : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = test::scratch_dir("qg3_program");
    const auto windows = test::simulate_windows(
        {parse_time("2001-01-01"), parse_time("2001-01-04")},
        {Duration{}, Duration::hours(12), Duration::hours(24), Duration::hours(36), Duration::hours(48)},
        Duration::days(5), 1);
    test::write_windows((folder_ / "truth.zarr").string(), windows);
  }

  static std::string command(int ranks, const std::string& out, const std::string& more = "") {
    std::string text = test::launcher(ranks) + test::program("mosaic_hindcast") + " config/hindcast_qg3.yaml";
    for (const std::string& setting :
         {std::string("times.end=2001-01-04"), std::string("forecast.lead_time=2d"),
          std::string("ensemble.members=5"), std::string("ensemble.batch=2"),
          "input.path=" + (folder_ / "truth.zarr").string(), "output.folder=" + (folder_ / out).string()}) {
      text += " --set " + setting;
    }
    return text + " " + more;
  }

  static inline fs::path folder_;
};

TEST_F(Qg3Program, BitsDoNotDependOnRanksOrBatches) {
  const Job whole = shell(command(0, "whole", "--set output.forecasts=true"));
  ASSERT_EQ(whole.code, 0) << whole.output;
  EXPECT_NE(whole.output.find("the simulated world at T21"), std::string::npos) << whole.output;
  for (const char* changed :
       {"--set ensemble.batch=3", "--set parallel.ranks_per_init=1", "--set parallel.ranks_per_init=2"}) {
    const fs::path out = folder_ / "other";
    const Job job =
        shell(command(2, "other", std::string("--overwrite --set output.forecasts=true ") + changed));
    ASSERT_EQ(job.code, 0) << job.output;
    test::expect_same_results(folder_ / "whole", out);
  }
  const Job other = shell(command(2, "another", "--set output.forecasts=true --set qg3.analysis_seed=5"));
  ASSERT_EQ(other.code, 0) << other.output;
  EXPECT_NE(test::first_difference(folder_ / "whole/sums.nc", folder_ / "another/sums.nc"), "")
      << "the twin that must fail";
}

TEST_F(Qg3Program, OneMemberAloneHasItsBits) {
  const std::string members = "--set output.forecasts=true --set output.layout=member ";
  const Job many = shell(command(0, "many", members));
  ASSERT_EQ(many.code, 0) << many.output;
  const Job alone = shell(command(0, "alone",
                                  members + "--members 1 --set ensemble.first_member=3 --initial-time "
                                            "2001-01-04 --lead-time 1d"));
  ASSERT_EQ(alone.code, 0) << alone.output;
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "alone/forecasts")) {
    ++files;
    const auto few = read_netcdf(entry.path().string());
    const auto all = read_netcdf((folder_ / "many/forecasts" / entry.path().filename()).string());
    for (const NetcdfVariable& variable : few.variables) {
      const auto* values = std::get_if<std::vector<float>>(&variable.values);
      if (values == nullptr) {
        continue;
      }
      for (const NetcdfVariable& longer : all.variables) {
        if (longer.name == variable.name) {
          const auto& more = std::get<std::vector<float>>(longer.values);
          ASSERT_LE(values->size(), more.size());
          EXPECT_TRUE(std::equal(values->begin(), values->end(), more.begin())) << variable.name;
        }
      }
    }
  }
  EXPECT_EQ(files, 1U);
}

TEST_F(Qg3Program, PlansAndRunsBesidePersistenceWithTheSameLeads) {
  const Job plan = shell(command(0, "plan", "--plan"));
  EXPECT_EQ(plan.code, 0) << plan.output;
  for (const char* part : {"the simulated world at T21", "64 longitudes x 32 latitudes, 14 channels",
                           "lead times      4: 12h ... 2d"}) {
    EXPECT_NE(plan.output.find(part), std::string::npos) << part << " in\n" << plan.output;
  }
  EXPECT_FALSE(fs::exists(folder_ / "plan"));
  const Job persistence = shell(command(0, "plan", "--plan --set model.name=persistence"));
  EXPECT_EQ(persistence.code, 0) << persistence.output;
  EXPECT_NE(persistence.output.find("lead times      4: 12h ... 2d"), std::string::npos)
      << persistence.output;
}

void expect_refused(const Job& job, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(job.code, code) << job.output;
  for (const std::string& part : parts) {
    EXPECT_NE(job.output.find(part), std::string::npos) << part << " in\n" << job.output;
  }
}

TEST_F(Qg3Program, InputThatDoesNotFitIsRefused) {
  expect_refused(
      shell(command(0, "bad", "--set input.frozen_state=true --input config/demo/gfs_20111011.zarr")), 66,
      {"input.path", "u_component_of_wind_800", "mosaic_data simulate"});
  expect_refused(shell(command(0, "bad", "--set qg3.truncation=42")), 65,
                 {"input.path", "64 x 32", "qg3.truncation 42", "too coarse", "another grid"});
  expect_refused(shell(command(0, "bad", "--set qg3.truncation=31 --set model.preset=hres")), 78,
                 {"qg3.truncation", "model.preset has no effect"});
  expect_refused(shell(command(0, "bad", "--set qg3.perturbation=-1")), 78, {"qg3.perturbation"});
  expect_refused(shell(command(0, "bad", "--lead-time 25h")), 78, {"forecast.lead_time 25h", "12h"});
  EXPECT_FALSE(fs::exists(folder_ / "bad"));
}

}  // namespace
}  // namespace mosaic
