// mosaic_hindcast and mosaic_data as a user starts them.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/files.hpp"
#include "stores/netcdf_document.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string text;  ///< stdout and stderr
};

Outcome shell(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> piece{};
  while (const std::size_t n = fread(piece.data(), 1, piece.size(), pipe)) {
    outcome.text.append(piece.data(), n);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::string program(const std::string& name) { return std::string(std::getenv("MOSAIC_BIN")) + "/" + name; }

/// The command of a hindcast of the demonstration's state with two initial times; 0 ranks: without a
/// launcher.
std::string hindcast(int ranks, const fs::path& out, const std::string& arguments,
                     const std::string& end = "2011-10-11T12") {
  const std::string launcher =
      ranks == 0 ? "" : MOSAIC_MPIEXEC " --oversubscribe --bind-to none -n " + std::to_string(ranks) + " ";
  return launcher + program("mosaic_hindcast") + " config/demo/hindcast_demo.yaml --end " + end + " --out " +
         out.string() + " " + arguments;
}

const char* const persistence = "--set model.name=persistence --set model.weights= --lead-time 2d ";

/// The first difference of two documents in values (bits, NaN included), or an empty text.
std::string first_difference(const NetcdfDocument& a, const NetcdfDocument& b) {
  if (a.variables.size() != b.variables.size()) {
    return "number of variables";
  }
  for (std::size_t i = 0; i < a.variables.size(); ++i) {
    const NetcdfVariable& left = a.variables[i];
    const NetcdfVariable& right = b.variables[i];
    const bool same =
        left.name == right.name && left.values.index() == right.values.index() &&
        std::visit(
            [&](const auto& values) {
              using Values = std::decay_t<decltype(values)>;
              const auto& others = std::get<Values>(right.values);
              if constexpr (std::is_same_v<Values, std::vector<std::string>>) {
                return values == others;
              } else {
                return values.size() == others.size() &&
                       std::memcmp(values.data(), others.data(), values.size() * sizeof(values[0])) == 0;
              }
            },
            left.values);
    if (!same) {
      return left.name;
    }
  }
  return "";
}

std::string first_difference(const fs::path& a, const fs::path& b) {
  return first_difference(read_netcdf(a.string()), read_netcdf(b.string()));
}

void expect_same_results(const fs::path& a, const fs::path& b) {
  for (const char* name : {"metrics.nc", "spectra.nc", "sums.nc"}) {
    EXPECT_EQ(first_difference(a / name, b / name), "") << name << " of " << b;
  }
  for (const auto& entry : fs::directory_iterator(a / "forecasts")) {
    EXPECT_EQ(first_difference(entry.path(), b / "forecasts" / entry.path().filename()), "") << entry.path();
  }
}

TEST(Hindcast, PersistenceIsTheSameForEveryRankCount) {
  const fs::path folder = test::scratch_dir("ranks");
  for (const int ranks : {0, 1, 2, 3, 4}) {
    const Outcome run = shell(hindcast(ranks, folder / std::to_string(ranks), persistence));
    ASSERT_EQ(run.code, 0) << run.text;
    expect_same_results(folder / "0", folder / std::to_string(ranks));
  }
  fs::remove_all(folder);
}

TEST(Hindcast, PersistenceOfAFrozenStateHasNoError) {
  const fs::path folder = test::scratch_dir("perfect");
  const Outcome run = shell(hindcast(0, folder / "out", persistence));
  ASSERT_EQ(run.code, 0) << run.text;
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
  const Outcome again = shell(hindcast(2, folder / "cut", persistence));
  ASSERT_EQ(again.code, 0) << again.text;
  EXPECT_NE(again.text.find("(1 resumed)"), std::string::npos) << again.text;
  expect_same_results(folder / "whole", folder / "cut");
  EXPECT_FALSE(fs::exists(folder / "cut/sums/2011-10-11T12.nc.tmp99"));
  fs::remove_all(folder);
}

TEST(Hindcast, AFolderOfAnotherRunIsRefused) {
  const fs::path folder = test::scratch_dir("foreign");
  ASSERT_EQ(shell(hindcast(0, folder / "out", persistence)).code, 0);
  const Outcome other = shell(hindcast(0, folder / "out", std::string(persistence) + "--members 3"));
  EXPECT_EQ(other.code, 78) << other.text;
  EXPECT_NE(other.text.find("configuration.ensemble.members: 4 there, 3 here"), std::string::npos)
      << other.text;
  EXPECT_EQ(shell(hindcast(0, folder / "out", std::string(persistence) + "--members 3 --overwrite")).code, 0);
  fs::remove_all(folder);
}

TEST(Hindcast, BadInputEndsWithItsCode) {
  const fs::path folder = test::scratch_dir("bad");
  const auto run = [&](const std::string& more) {
    return shell(hindcast(0, folder / "out", persistence + more));
  };
  EXPECT_EQ(run("--nonsense").code, 64);
  const Outcome typo = run("--set ensemble.member=3");
  EXPECT_EQ(typo.code, 78);
  EXPECT_NE(typo.text.find("ensemble.members"), std::string::npos) << typo.text;
  EXPECT_EQ(run("--input no/such/store.zarr").code, 66);
  EXPECT_EQ(run("--set input.frozen_state=false --set truth.frozen_state=false").code, 66);
  EXPECT_EQ(shell(hindcast(2, folder / "out", std::string(persistence) + "--input no/such/store.zarr")).code,
            66);
  EXPECT_FALSE(fs::exists(folder / "out"));
  fs::remove_all(folder);
}

TEST(Hindcast, PlanAndConfigurationArePrinted) {
  const Outcome plan = shell(hindcast(0, "unused", std::string(persistence) + "--plan"));
  EXPECT_EQ(plan.code, 0) << plan.text;
  EXPECT_NE(plan.text.find("initial times   2: 2011-10-11T00"), std::string::npos) << plan.text;
  const Outcome reference = shell(program("mosaic_hindcast") + " --print-reference");
  EXPECT_EQ(reference.code, 0);
  EXPECT_EQ(reference.text, read_text("config/reference.yaml")) << "config/reference.yaml is out of date";
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
  for (const int ranks : {2, 3}) {
    const Outcome run = shell(hindcast(ranks, folder / std::to_string(ranks), network));
    ASSERT_EQ(run.code, 0) << run.text;
    expect_same_results(folder / "0", folder / std::to_string(ranks));
  }
  const Outcome other = shell(hindcast(2, folder / "seed", network + "--set ensemble.seed=7"));
  ASSERT_EQ(other.code, 0) << other.text;
  EXPECT_NE(first_difference(folder / "0/sums.nc", folder / "seed/sums.nc"), "")
      << "another seed must be seen";
  fs::remove_all(folder);
}

TEST(Hindcast, CommonMembersAreTheSameForEveryMemberCount) {
  const fs::path folder = test::scratch_dir("members");
  const auto fields = [&](int members) {
    const fs::path out = folder / std::to_string(members);
    const Outcome run =
        shell(hindcast(2, out,
                       "--lead-time 24h --set output.channels=geopotential_500 --set ensemble.batch=4 "
                       "--members " +
                           std::to_string(members)));
    EXPECT_EQ(run.code, 0) << run.text;
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

#endif

}  // namespace
}  // namespace mosaic
