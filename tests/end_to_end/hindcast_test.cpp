// mosaic_hindcast and mosaic_data as a user starts them.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "stores/netcdf_document.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

using test::expect_same_results;
using test::first_difference;
using test::hindcast;
using test::persistence;
using test::program;
using test::shell;

TEST(Hindcast, PersistenceIsTheSameForEveryRankCount) {
  const fs::path folder = test::scratch_dir("ranks");
  for (const int ranks : {0, 1, 2, 3, 4}) {
    const test::Job run = shell(hindcast(ranks, folder / std::to_string(ranks), persistence));
    ASSERT_EQ(run.code, 0) << run.output;
    expect_same_results(folder / "0", folder / std::to_string(ranks));
  }
  fs::remove_all(folder);
}

TEST(Hindcast, PersistenceOfAFrozenStateHasNoError) {
  const fs::path folder = test::scratch_dir("perfect");
  const test::Job run = shell(hindcast(0, folder / "out", persistence));
  ASSERT_EQ(run.code, 0) << run.output;
  const NetcdfDocument metrics = read_netcdf((folder / "out/metrics.nc").string());
  const auto& names = std::get<std::vector<std::string>>(metrics.variable("metric").values);
  const auto& values = std::get<std::vector<double>>(metrics.variable("2m_temperature").values);
  const std::size_t row = values.size() / names.size();
  const auto crps = static_cast<std::size_t>(std::find(names.begin(), names.end(), "crps") - names.begin());
  ASSERT_LT(crps, names.size());
  const double rounding = 330 * 4 * 0x1p-52;  // 4 equal members of at most 330 K, summed in double
  for (std::size_t i = crps * row; i < (crps + 1) * row; ++i) {
    EXPECT_NEAR(values[i], 0.0, rounding);
  }
  EXPECT_FALSE(fs::exists(folder / "out/sums/2011-10-11T00.nc")) << "single sums are merged at the end";
  fs::remove_all(folder);
}

TEST(Hindcast, TheSameCommandAgainContinues) {
  const fs::path folder = test::scratch_dir("resume");
  ASSERT_EQ(shell(hindcast(0, folder / "whole", persistence)).code, 0);
  ASSERT_EQ(shell(hindcast(0, folder / "cut", persistence)).code, 0);
  // What a killed run leaves: one committed initial time, a half-written file, nothing merged.
  fs::create_directories(folder / "cut/sums");
  ASSERT_EQ(shell(hindcast(0, folder / "one", persistence, "2011-10-11T00")).code, 0);
  fs::copy_file(folder / "one/sums.nc", folder / "cut/sums/2011-10-11T00.nc");
  for (const char* name : {"sums.nc", "metrics.nc", "spectra.nc"}) {
    fs::remove(folder / "cut" / name);
  }
  write_text_atomically((folder / "cut/sums/2011-10-11T12.nc.tmp99").string(), "half a file");
  // A rank that outlived its launcher may have written after this run has begun.
  const fs::path late = folder / "cut/sums.nc.tmp99";
  write_text(late, "half a file");
  fs::last_write_time(late, fs::file_time_type::clock::now() + std::chrono::hours(1));
  const test::Job again = shell(hindcast(2, folder / "cut", persistence));
  ASSERT_EQ(again.code, 0) << again.output;
  EXPECT_NE(again.output.find("(1 resumed)"), std::string::npos) << again.output;
  expect_same_results(folder / "whole", folder / "cut");
  EXPECT_FALSE(fs::exists(folder / "cut/sums/2011-10-11T12.nc.tmp99"));
  EXPECT_FALSE(fs::exists(late));
  fs::remove_all(folder);
}

TEST(Hindcast, AFolderOfAnotherRunIsRefused) {
  const fs::path folder = test::scratch_dir("foreign");
  ASSERT_EQ(shell(hindcast(0, folder / "out", persistence)).code, 0);
  const test::Job other = shell(hindcast(0, folder / "out", persistence + "--members 3"));
  EXPECT_EQ(other.code, 78) << other.output;
  EXPECT_NE(other.output.find("configuration.ensemble.members: 4 there, 3 here"), std::string::npos)
      << other.output;
  // Files that the new run will not write must not look like its own.
  const std::vector<std::string> stale = {"maps.nc", "seasons.nc", "thresholds.nc", "thresholds.csv"};
  for (const std::string& name : stale) {
    write_text(folder / "out" / name, "of the other run");
  }
  EXPECT_EQ(shell(hindcast(0, folder / "out", persistence + "--members 3 --overwrite")).code, 0);
  for (const std::string& name : stale) {
    EXPECT_FALSE(fs::exists(folder / "out" / name)) << name;
  }
  fs::remove_all(folder);
}

TEST(Hindcast, BadInputEndsWithItsCode) {
  const fs::path folder = test::scratch_dir("bad");
  const auto run = [&](const std::string& more) {
    return shell(hindcast(0, folder / "out", persistence + more));
  };
  EXPECT_EQ(run("--nonsense").code, 64);
  const test::Job typo = run("--set ensemble.member=3");
  EXPECT_EQ(typo.code, 78);
  EXPECT_NE(typo.output.find("ensemble.members"), std::string::npos) << typo.output;
  EXPECT_EQ(run("--input no/such/store.zarr").code, 66);
  EXPECT_EQ(run("--set input.frozen_state=false --set truth.frozen_state=false").code, 66);
  const test::Job network = shell(hindcast(0, folder / "out", "--set model.network=publishd"));
  EXPECT_EQ(network.code, 66);
  EXPECT_NE(network.output.find("model.network: 'publishd' is neither published"), std::string::npos)
      << network.output;
  EXPECT_EQ(shell(hindcast(2, folder / "out", persistence + "--input no/such/store.zarr")).code, 66);
  EXPECT_FALSE(fs::exists(folder / "out"));
  fs::remove_all(folder);
}

TEST(Hindcast, PlanAndConfigurationArePrinted) {
  const test::Job plan = shell(hindcast(0, "unused", persistence + "--plan"));
  EXPECT_EQ(plan.code, 0) << plan.output;
  EXPECT_NE(plan.output.find("initial times   2: 2011-10-11T00"), std::string::npos) << plan.output;
  const test::Job reference = shell(program("mosaic_hindcast") + " --print-reference");
  EXPECT_EQ(reference.code, 0);
  EXPECT_EQ(reference.output, read_text("config/reference.yaml")) << "config/reference.yaml is out of date";
  const test::Job evaluation = shell(program("mosaic_evaluate") + " --print-reference");
  EXPECT_EQ(evaluation.code, 0);
  EXPECT_EQ(evaluation.output, read_text("config/reference_evaluate.yaml"))
      << "config/reference_evaluate.yaml is out of date";
}

// The last lines on stdout, and what they promise.
TEST(Hindcast, TheEndSaysWhereResultsAndReportAre) {
  const fs::path folder = test::scratch_dir("end");
  const std::string out = (folder / "out").string();
  const test::Job run =
      shell(hindcast(2, out, persistence + "--set output.channels=2m_temperature") + " 2>/dev/null");
  ASSERT_EQ(run.code, 0) << run.output;
  const std::string end =
      "results: " + out + "\nreport: " + out + "/report.html, once `mosaic_report " + out + "` has made it\n";
  EXPECT_TRUE(run.output.ends_with(end)) << run.output;
  for (const char* part : {"ensemble_mean_rmse", "read ", "compute ", "score ", "write ", "idle "}) {
    EXPECT_NE(run.output.find(part), std::string::npos) << part << "\n" << run.output;
  }
  const std::size_t command = run.output.rfind("mosaic_report ");
  const test::Job report =
      shell(program("mosaic_report") + run.output.substr(command + 13, run.output.rfind('`') - command - 13));
  EXPECT_EQ(report.code, 0) << report.output;
  EXPECT_TRUE(fs::exists(folder / "out/report.html"));
  const test::Job part = shell(hindcast(0, folder / "shard", persistence + "--shard 0/2") + " 2>/dev/null");
  EXPECT_EQ(part.code, 0) << part.output;
  EXPECT_TRUE(part.output.ends_with("results: " + (folder / "shard").string() + "\n")) << part.output;
  fs::remove_all(folder);
}

TEST(Data, ProgramChecksItsFlags) {
  EXPECT_EQ(shell(program("mosaic_data") + " --version").code, 0);
  EXPECT_EQ(shell(program("mosaic_data") + " inspect").code, 64);
  EXPECT_EQ(shell(program("mosaic_data") + " inspect no_such_file").code, 66);
  EXPECT_EQ(shell(program("mosaic_data") + " inspect config/demo/gfs_20111011.zarr").code, 0);
  EXPECT_EQ(shell(program("mosaic_data") + " inspect config/mosaic/static_vars.npz --json").code, 0);
}

#ifdef MOSAIC_HAVE_TORCH

TEST(Hindcast, NetworkIsTheSameForEveryRankCount) {
  const fs::path folder = test::scratch_dir("network");
  const std::string network = "--lead-time 2d --set output.channels=2m_temperature,geopotential_500 ";
  ASSERT_EQ(shell(hindcast(0, folder / "0", network)).code, 0);
  for (const int ranks : {2, 3, 4}) {
    const test::Job run = shell(hindcast(ranks, folder / std::to_string(ranks), network));
    ASSERT_EQ(run.code, 0) << run.output;
    expect_same_results(folder / "0", folder / std::to_string(ranks));
  }
  const test::Job other = shell(hindcast(2, folder / "seed", network + "--set ensemble.seed=7"));
  ASSERT_EQ(other.code, 0) << other.output;
  EXPECT_NE(first_difference(folder / "0/sums.nc", folder / "seed/sums.nc"), "")
      << "another seed must be seen";
  fs::remove_all(folder);
}

TEST(Hindcast, PrecisionIsPartOfTheRun) {
  const fs::path folder = test::scratch_dir("precision");
  const std::string network = "--lead-time 1d --set output.forecasts=false ",
                    rounded = network + "--set model.precision=bfloat16 ";
  ASSERT_EQ(shell(hindcast(0, folder / "single", network, "2011-10-11T00")).code, 0);
  const test::Job refused = shell(hindcast(0, folder / "single", rounded, "2011-10-11T00"));
  EXPECT_EQ(refused.code, 78) << refused.output;
  EXPECT_NE(refused.output.find("configuration.model.precision: auto there, bfloat16 here"),
            std::string::npos)
      << refused.output;
  for (const char* ranks : {"0", "3"}) {
    const test::Job run = shell(hindcast(std::stoi(ranks), folder / ranks, rounded, "2011-10-11T00"));
    ASSERT_EQ(run.code, 0) << run.output;
    EXPECT_NE(read_text(folder / ranks / "run.json").find("parameters, bfloat16"), std::string::npos);
  }
  EXPECT_EQ(first_difference(folder / "0/sums.nc", folder / "3/sums.nc"), "");
  EXPECT_NE(first_difference(folder / "0/sums.nc", folder / "single/sums.nc"), "");
  fs::remove_all(folder);
}

TEST(Hindcast, CommonMembersAreTheSameForEveryMemberCount) {
  const fs::path folder = test::scratch_dir("members");
  const auto fields = [&](int members) {
    const fs::path out = folder / std::to_string(members);
    const test::Job run =
        shell(hindcast(2, out,
                       "--lead-time 24h --set output.channels=geopotential_500 --set ensemble.batch=4 "
                       "--members " +
                           std::to_string(members)));
    EXPECT_EQ(run.code, 0) << run.output;
    const NetcdfDocument file = read_netcdf((out / "forecasts/forecast_2011-10-11T00.nc").string());
    return std::get<std::vector<float>>(file.variable("z").values);
  };
  const auto four = fields(4);
  const auto nine = fields(9);
  const auto twelve = fields(12);
  ASSERT_GT(nine.size(), four.size());
  EXPECT_EQ(std::memcmp(four.data(), nine.data(), four.size() * sizeof(float)), 0);
  EXPECT_EQ(std::memcmp(nine.data(), twelve.data(), nine.size() * sizeof(float)), 0);
  EXPECT_NE(std::memcmp(four.data(), four.data() + four.size() / 4, four.size()), 0) << "members must differ";
  fs::remove_all(folder);
}

/// The command that a run prints at its end computes one member at one lead time, with the same bits.
TEST(Hindcast, ThePrintedCommandRepeatsOneMember) {
  const fs::path folder = test::scratch_dir("repeat");
  const test::Job whole =
      shell(hindcast(2, folder / "whole", "--lead-time 2d --set output.channels=geopotential_500"));
  ASSERT_EQ(whole.code, 0) << whole.output;
  const std::string mark = "to repeat one of them: mosaic_hindcast ";
  const std::size_t at = whole.output.find(mark) + mark.size();
  std::string arguments = whole.output.substr(at, whole.output.find('\n', at) - at);
  arguments.replace(arguments.find("FOLDER"), 6, (folder / "alone").string());
  EXPECT_NE(arguments.find("--initial-time 2011-10-11T00 --lead-time 24h"), std::string::npos) << arguments;
  const test::Job alone = shell(program("mosaic_hindcast") + " " + arguments);
  ASSERT_EQ(alone.code, 0) << alone.output;
  const auto fields = [&](const std::string& name) {
    const NetcdfDocument file = read_netcdf((folder / name / "forecasts/forecast_2011-10-11T00.nc").string());
    return std::get<std::vector<float>>(file.variable("z").values);
  };
  const std::vector<float> of_all = fields("whole");  // [2 lead times, 4 members, ...]
  const std::vector<float> of_one = fields("alone");  // the last member at the first lead time
  ASSERT_EQ(of_all.size(), 8 * of_one.size());
  EXPECT_TRUE(std::equal(of_one.begin(), of_one.end(),
                         of_all.begin() + static_cast<std::ptrdiff_t>(3 * of_one.size())));
  EXPECT_FALSE(std::equal(of_one.begin(), of_one.end(), of_all.begin())) << "members must differ";
  const test::Job other =
      shell(program("mosaic_hindcast") + " " + arguments + " --set model.weights=formula:other --overwrite");
  EXPECT_EQ(other.code, 78) << other.output;
  EXPECT_NE(other.output.find("cannot be repeated bit for bit here"), std::string::npos) << other.output;
  fs::remove_all(folder);
}

#else

TEST(Hindcast, WithoutTorchTheNetworkIsRefusedWithAReason) {
  const fs::path folder = test::scratch_dir("without_torch");
  const test::Job run = shell(hindcast(0, folder / "out", ""));
  EXPECT_EQ(run.code, 78) << run.output;
  EXPECT_NE(run.output.find("not in this build"), std::string::npos) << run.output;
  EXPECT_NE(run.output.find("model.name=persistence"), std::string::npos) << run.output;
  EXPECT_FALSE(fs::exists(folder / "out"));
  fs::remove_all(folder);
}

#endif

}  // namespace
}  // namespace mosaic
