// mosaic_evaluate: our own forecasts, real data, and everything that can be wrong with its input.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>

#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::Job;

const std::string demo = "config/demo/gfs_20111011.zarr";
const std::string demo_truth = "--truth " + demo + " --set truth.frozen_state=true ";

Job evaluate(const std::string& arguments, const fs::path& out, int ranks = 0) {
  return test::shell(test::launcher(ranks) + test::program("mosaic_evaluate") + " " + arguments + " --out " +
                     out.string());
}

/// One value of metrics.csv; NaN if the line is not there.
double csv_value(const fs::path& out, const std::string& key) {
  std::istringstream lines(read_text((out / "metrics.csv").string()));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key + ",")) {
      return std::stod(line.substr(key.size() + 1));
    }
  }
  return std::nan("");
}

class Evaluate : public testing::Test {
 protected:
  fs::path folder_ = test::scratch_dir("evaluate");
};

// Unquantised forecasts of a run, in both layouts and namings: the bits of its online scores.
TEST_F(Evaluate, OwnForecastsHaveTheBitsOfTheOnlineScores) {
  const std::string channels =
      "--set score.channels=2m_temperature,geopotential_500,u_component_of_wind_850,v_component_of_wind_850 "
      "--set score.spectra=u_component_of_wind_850,v_component_of_wind_850,geopotential_500 "
      "--set score.regions=global,europe_land,tropics_any_land,alps=43:49:5:17 ";
  for (const std::string layout : {"ensemble", "member"}) {
    const std::string files = "--set output.layout=" + layout +
                              " --set output.naming=" + (layout == "member" ? "wb2" : "cf") +
                              " --set output.channels=t2m,z_500,u_850,v_850 ";
    const fs::path online = folder_ / layout / "online";
    const Job run = test::shell(test::hindcast(0, online, test::persistence + channels + files));
    ASSERT_EQ(run.code, 0) << run.output;
    const fs::path offline = folder_ / layout / "offline";
    const Job job = evaluate("--forecast " + online.string() + " " + demo_truth + channels, offline, 2);
    ASSERT_EQ(job.code, 0) << job.output;
    for (const char* name : {"sums.nc", "metrics.nc", "spectra.nc", "ranks.nc"}) {
      EXPECT_EQ(test::first_difference(online / name, offline / name), "") << layout << " " << name;
    }
  }
}

// With a climatology, percentiles and derived variables: alone, members spread over a group, and offline.
TEST_F(Evaluate, OnlineScoresWithAClimatologyAreThoseOfAnEvaluation) {
  GOLDEN_OR_SKIP(truth, "eval/small/truth.zarr");
  GOLDEN_OR_SKIP(climatology, "eval/small/climatology.zarr");
  const std::string scores =
      "--climatology " + climatology.string() +
      " --set score.channels=2m_temperature,geopotential_500,wind_speed_500 "
      "--set score.spectra=vorticity_500 --set score.percentiles=10,50,90 "
      "--set score.regions=global,tropics_land,latitude-bins:60 --set score.seasons=true "
      "--set score.maps=2m_temperature,wind_speed_500 --set score.map_lead_times=72h "
      "--start 2020-02-24T00 --end 2020-02-27T00 --set times.step=36h ";
  const auto online = [&](int members, const std::string& out) {
    return fmt::format("{} {} --set score.missing_truth=per-lead --members {} --input {} {} --out {}",
                       test::program("mosaic_hindcast"), test::persistence_for("3d"), members, truth.string(),
                       scores, (folder_ / out).string());
  };
  const Job alone = test::shell(online(3, "alone"));
  ASSERT_EQ(alone.code, 0) << alone.output;
  EXPECT_NE(alone.output.find("no anomaly correlation for"), std::string::npos) << alone.output;
  const Job group = test::shell(test::launcher(3) + online(3, "group") + " --set parallel.ranks_per_init=3");
  ASSERT_EQ(group.code, 0) << group.output;
  test::expect_same_results(folder_ / "alone", folder_ / "group");
  EXPECT_TRUE(fs::exists(folder_ / "alone" / "thresholds.nc"));
  for (const char* name : {"seasons.nc", "maps.nc"}) {
    EXPECT_EQ(test::first_difference(folder_ / "alone" / name, folder_ / "group" / name), "") << name;
  }
  EXPECT_FALSE(std::isnan(csv_value(folder_ / "alone", "rmse,latitude_-90_-30,2m_temperature,,72")));
  EXPECT_FALSE(std::isnan(csv_value(folder_ / "alone", "acc,global,2m_temperature,,72")));
  EXPECT_TRUE(std::isnan(csv_value(folder_ / "alone", "acc,global,wind_speed,500,72")));
  const Job one = test::shell(online(1, "one"));
  ASSERT_EQ(one.code, 0) << one.output;
  const Job offline = evaluate(
      "--set forecast.kind=persistence --set forecast.lead_times=1d,2d,3d --set "
      "score.missing_truth=per-lead --truth " +
          truth.string() + " " + scores,
      folder_ / "offline", 2);
  ASSERT_EQ(offline.code, 0) << offline.output;
  test::expect_same_results(folder_ / "one", folder_ / "offline");
}

TEST_F(Evaluate, ResumesAndRefusesAnotherConfiguration) {
  const std::string arguments =
      "--set forecast.kind=persistence --set forecast.lead_times=1d --start 2011-10-11 --set times.step=1d "
      "--set score.channels=2m_temperature --end 2011-10-13 " +
      demo_truth;
  const Job first = evaluate(arguments, folder_ / "out");
  ASSERT_EQ(first.code, 0) << first.output;
  EXPECT_TRUE(first.output.ends_with(
      fmt::format("results: {0}\nreport: {0}/report.html, once `mosaic_report {0}` has made it\n",
                  (folder_ / "out").string())))
      << first.output;
  const Job again = evaluate(arguments, folder_ / "out");
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.output.find("3 of 3 initial times (3 resumed)"), std::string::npos) << again.output;
  EXPECT_NE(again.output.find("time over all ranks: read 0.0 s (and 0.0 s while scoring)"),
            std::string::npos);
  const Job other = evaluate(arguments + "--set score.regions=arctic", folder_ / "out");
  EXPECT_EQ(other.code, 78);
  EXPECT_NE(other.output.find("score.regions"), std::string::npos) << other.output;
}

// Two lead times of 2 channels, 1 member and the truth on 240 x 121: what is scored and what is read
// meanwhile; and the two sources that the wind speed is made from.
TEST_F(Evaluate, ThePlanCountsWhatIsReadAhead) {
  const std::string arguments =
      "--set forecast.kind=persistence --set forecast.lead_times=1d,2d --start 2011-10-11 --plan "
      "--set score.channels=2m_temperature,";
  for (const auto& [channel, megabytes] :
       {std::pair{"geopotential_500", "0.9 MB"}, {"wind_speed_500", "1.3 MB"}}) {
    const Job plan = evaluate(arguments + channel + " " + demo_truth, folder_ / "planned");
    EXPECT_EQ(plan.code, 0) << plan.output;
    EXPECT_NE(plan.output.find(fmt::format("up to {} of fields (a lead time that is scored and one that is "
                                           "read meanwhile)",
                                           megabytes)),
              std::string::npos)
        << plan.output;
  }
  EXPECT_FALSE(fs::exists(folder_ / "planned"));
}

TEST_F(Evaluate, DerivesWhatAStoreDoesNotHave) {
  const Job job = evaluate(
      "--set forecast.kind=persistence --set forecast.lead_times=1d --start 2011-10-11 --set "
      "score.channels=wind_speed_500,vorticity_500,total_column_water_vapour,alps_box=1 " +
          demo_truth,
      folder_ / "wrong");
  EXPECT_EQ(job.code, 78) << job.output;
  const Job right = evaluate(
      "--set forecast.kind=persistence --set forecast.lead_times=1d --start 2011-10-11 --set "
      "score.channels=wind_speed_500,vorticity_500,total_column_water_vapour --set "
      "score.regions=global,alps=43:49:5:17,tropics_any_land " +
          demo_truth,
      folder_ / "right");
  EXPECT_EQ(right.code, 0) << right.output;
  EXPECT_EQ(csv_value(folder_ / "right", "rmse,alps,wind_speed,500,24"), 0.0);
  EXPECT_EQ(csv_value(folder_ / "right", "mae,tropics_any_land,total_column_water_vapour,,24"), 0.0);
}

/// Arguments, exit code, and what the message must say.
struct Mistake {
  std::string arguments;
  int code;
  std::string says;
};

TEST_F(Evaluate, MistakesAreNamed) {
  const std::string persistence =
      "--set forecast.kind=persistence --start 2011-10-11 --set score.channels=2m_temperature ";
  const std::string leads = "--set forecast.lead_times=1d ";
  for (const Mistake& mistake : {
           Mistake{"--forecast no_such_store " + demo_truth, 66, "no_such_store"},
           Mistake{"--forecast " + demo + " " + demo_truth, 66, ""},
           Mistake{demo_truth, 78, "forecast.path (--forecast) is missing"},
           Mistake{persistence + leads + "--truth " + demo, 66, "per-lead"},
           Mistake{persistence + demo_truth, 78, "forecast.lead_times"},
           Mistake{persistence + leads + demo_truth + "--set score.regions=atlantis", 78, "atlantis"},
           Mistake{persistence + leads + demo_truth + "--set score.regions=box=10:5:0:1", 78, "SOUTH"},
           Mistake{persistence + leads + demo_truth + "--set score.percentiles=10", 78, "climatology.path"},
           Mistake{persistence + leads + demo_truth + "--set score.maps=temperature_850", 78, "score.maps"},
           Mistake{persistence + leads + demo_truth + "--set score.percentile_values=gaussian", 78,
                   "no effect"},
           Mistake{persistence + leads + demo_truth + "--climatology no_such_climatology", 66,
                   "no_such_climatology"},
           Mistake{persistence + leads + demo_truth + "--set score.channels=sea_ice_cover", 66,
                   "sea_ice_cover"},
           Mistake{persistence + leads + demo_truth + "--set forecast.years=2001", 78, "no effect"},
           Mistake{persistence + leads + demo_truth + "--set scores.regions=global", 78, "score.regions"},
           Mistake{"--no-such-flag", 64, "no-such-flag"},
       }) {
    for (const int ranks : {0, 2}) {
      const Job job = evaluate(mistake.arguments, folder_ / "mistake", ranks);
      EXPECT_EQ(job.code, mistake.code) << mistake.arguments << "\n" << job.output;
      EXPECT_NE(job.output.find(mistake.says), std::string::npos) << mistake.arguments << "\n" << job.output;
      EXPECT_LT(job.seconds, test::soon);
    }
  }
}

// Another grid is refused with the remedy.
TEST_F(Evaluate, GridsMustBeTheSame) {
  GOLDEN_OR_SKIP(forecast, "eval/small/deterministic.zarr");
  GOLDEN_OR_SKIP(truth, "eval/small/truth.zarr");
  const fs::path coarse = folder_ / "coarse.zarr";
  const Job regrid = test::shell(test::program("mosaic_data") + " regrid " + truth.string() + " " +
                                 coarse.string() + " --grid 36x19");
  ASSERT_EQ(regrid.code, 0) << regrid.output;
  const Job refused =
      evaluate("--forecast " + forecast.string() + " --truth " + coarse.string(), folder_ / "out");
  EXPECT_EQ(refused.code, 65);
  EXPECT_NE(refused.output.find("mosaic_data regrid"), std::string::npos) << refused.output;
}

TEST_F(Evaluate, ARegriddedStoreIsScored) {
  const fs::path coarse = folder_ / "coarse.zarr";
  const Job regrid =
      test::shell(test::program("mosaic_data") + " regrid " + demo + " " + coarse.string() + " --grid 36x19");
  ASSERT_EQ(regrid.code, 0) << regrid.output;
  const Job job = evaluate(
      "--set forecast.kind=persistence --set forecast.lead_times=1d --start 2011-10-11 --set "
      "score.channels=2m_temperature --set score.spectra=2m_temperature --set truth.frozen_state=true "
      "--truth " +
          coarse.string(),
      folder_ / "out");
  EXPECT_EQ(job.code, 0) << job.output;
  EXPECT_EQ(csv_value(folder_ / "out", "rmse,global,2m_temperature,,24"), 0.0);
}

/// Folder of real data (MOSAIC_REAL_DATA); those tests are skipped without it.
class RealData : public Evaluate {
 protected:
  void SetUp() override {
    const char* chosen = std::getenv("MOSAIC_REAL_DATA");
    if (chosen == nullptr) {
      GTEST_SKIP() << "MOSAIC_REAL_DATA names no folder of real data";
    }
    real_ = chosen;
    std::ifstream file(real_ / "expected_scores.json");
    expected_ = nlohmann::json::parse(file);
  }

  void expect_near(const fs::path& out, const std::string& key, double expected) const {
    EXPECT_NEAR(csv_value(out, key), expected, 1e-6 * std::abs(expected) + 1e-8) << key;
  }

  fs::path real_;
  nlohmann::json expected_;
};

TEST_F(RealData, EnsembleOfDataAssimilationsAsForecast) {
  const auto& scores =
      expected_.at("era5_eda persistence: forecast = members 1..9 at t, truth = member 0 at t+lead");
  for (const char* name : {"era5_eda_3deg_20170101.zarr", "era5_eda_3deg_20170101.nc"}) {
    const std::string store = (real_ / name).string();
    const std::string common =
        "--set forecast.kind=persistence --forecast " + store + " --truth " + store +
        " --set truth.member=0 --set score.missing_truth=per-lead --set forecast.lead_times=12h,24h --start "
        "2017-01-01T00 --end 2017-01-02T12 --set score.regions=global --set "
        "score.channels=geopotential_500,geopotential_850,temperature_500,temperature_850 ";
    const fs::path ensemble = folder_ / name / "ensemble";
    const fs::path control = folder_ / name / "control";
    const Job job = evaluate(common + "--set forecast.members=1,2,3,4,5,6,7,8,9", ensemble, 2);
    ASSERT_EQ(job.code, 0) << job.output;
    ASSERT_EQ(evaluate(common + "--set forecast.members=0", control).code, 0);
    for (const auto& [field, values] : scores.items()) {
      const std::size_t level = field.find('_');
      const std::size_t lead = field.find("_lead");
      const std::string key = ",global," + field.substr(0, level) + "," +
                              field.substr(level + 1, lead - level - 1) + "," +
                              field.substr(lead + 5, field.size() - lead - 6);
      expect_near(ensemble, "ensemble_mean_rmse" + key, values.at("ensemble_mean_rmse"));
      expect_near(ensemble, "debiased_ensemble_mean_mse" + key, values.at("ensemble_mean_mse_unbiased"));
      expect_near(ensemble, "crps" + key, values.at("crps_fair"));
      expect_near(ensemble, "ensemble_stddev" + key, values.at("ensemble_spread"));
      expect_near(ensemble, "spread_skill_raw" + key, values.at("spread_skill"));
      expect_near(ensemble, "bias" + key, values.at("bias"));
      expect_near(control, "rmse" + key, values.at("control_persistence_rmse"));
    }
  }
}

TEST_F(RealData, PersistenceBetweenAnalyses) {
  const auto& scores = expected_.at("ifs_10deg analyses: persistence between the four analysis times");
  std::string channels;
  for (const auto& [field, values] : scores.items()) {
    channels += (channels.empty() ? "" : ",") + field;
  }
  const Job job =
      evaluate("--set forecast.kind=persistence --truth " + (real_ / "ifs_10deg_20240603.nc").string() +
                   " --set score.missing_truth=per-lead --set forecast.lead_times=12h,24h,36h --start "
                   "2024-06-03T00 --end 2024-06-04T12 --set score.regions=global --set score.channels=" +
                   channels,
               folder_ / "ifs");
  ASSERT_EQ(job.code, 0) << job.output;
  for (const auto& [field, values] : scores.items()) {
    const std::size_t level = field.rfind('_');
    for (const char* lead : {"12", "24", "36"}) {
      expect_near(folder_ / "ifs",
                  "rmse,global," + field.substr(0, level) + "," + field.substr(level + 1) + "," + lead,
                  values.at(std::string("persistence_rmse_") + lead + "h"));
    }
  }
}

}  // namespace
}  // namespace mosaic
