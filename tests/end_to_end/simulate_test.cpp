// Stores of the simulated atmosphere: the same bytes on any ranks and after any end; what is refused.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "base/error.hpp"
#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "stores/field_store.hpp"
#include "support/golden.hpp"
#include "support/python.hpp"
#include "world/world_fields.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

// Three realizations whose states are saved when the spin-up ends: most of the work is still to come then.
constexpr const char* arguments =
    " --start 2000-01-01 --end 2000-04-09 --step 12h --grid 48x24 --realizations 3 --spin-up 30d";
constexpr std::size_t times = 200;
constexpr std::size_t realizations = 3;

Job simulate(int ranks, const fs::path& out, const std::string& more = "--seed 5",
             const std::function<void(pid_t)>& meanwhile = {}) {
  return shell(
      launcher(ranks) + program("mosaic_data") + " simulate " + out.string() + arguments + " " + more,
      meanwhile);
}

std::map<std::string, std::string> files_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), folder)] = read_text(entry.path());
    }
  }
  return files;
}

/// Names of the files that differ or are in one folder only.
std::vector<std::string> differing(const fs::path& a, const fs::path& b) {
  std::vector<std::string> names;
  auto there = files_of(b);
  for (const auto& [name, bytes] : files_of(a)) {
    const auto found = there.extract(name);
    if (found.empty() || found.mapped() != bytes) {
      names.push_back(name);
    }
  }
  for (const auto& [name, bytes] : there) {
    names.push_back(name);
  }
  return names;
}

fs::path restart_file(const fs::path& out, std::size_t realization) {
  return out / ".simulation" / fmt::format("realization_{:04}.npz", realization);
}

/// Waits until all states have been saved and some times are written, a minute at most.
void wait_until_under_way(const fs::path& out) {
  const auto is_under_way = [&] {
    std::error_code not_there;
    for (std::size_t i = 0; i < realizations; ++i) {
      if (!fs::exists(restart_file(out, i), not_there)) {
        return false;
      }
    }
    return fs::exists(out / "geopotential/4.0.0.0", not_there);
  };
  for (int look = 0; look < 30000 && !is_under_way(); ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

class Simulation : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder() = scratch_dir("simulate");
    const Job job = simulate(0, whole());
    ASSERT_EQ(job.code, 0) << job.output;
    EXPECT_NE(job.output.find(whole().string() + ": 200 times of 14 channels, 3 realizations (0 resumed), "),
              std::string::npos)
        << job.output;
  }
  static void TearDownTestSuite() { fs::remove_all(folder()); }
  static fs::path& folder() {
    static fs::path path;
    return path;
  }
  static fs::path whole() { return folder() / "whole.zarr"; }

  /// Ends a run of `ranks` ranks (0: no launcher) in the middle, and goes on with `ranks_after`.
  static void end_and_resume(int ranks, int signal, int ranks_after, const std::vector<int>& codes) {
    const fs::path out = folder() / fmt::format("{}_{}.zarr", ranks, signal);
    const Job ended = simulate(ranks, out, "--seed 5", [&](pid_t job) {
      wait_until_under_way(out);
      kill(signal == SIGKILL ? -job : job, signal);
    });
    EXPECT_NE(std::find(codes.begin(), codes.end(), ended.code), codes.end()) << ended.code << ended.output;
    ASSERT_FALSE(fs::exists(out / ".zmetadata")) << "ended too late to show anything";
    EXPECT_THROW(open_field_store(out.string(), {}), Error) << "an unfinished store was read";
    if (codes == std::vector{75}) {
      EXPECT_NE(ended.output.find("of 200 times are in " + out.string() +
                                  " and the states of its realizations are saved; run the same command "
                                  "again to go on"),
                std::string::npos)
          << ended.output;
    }
    const Job again = simulate(ranks_after, out);
    ASSERT_EQ(again.code, 0) << again.output;
    EXPECT_NE(again.output.find("3 of 3 realizations go on from restart files"), std::string::npos)
        << again.output;
    EXPECT_NE(again.output.find("(3 resumed)"), std::string::npos) << again.output;
    EXPECT_EQ(differing(whole(), out), std::vector<std::string>{});
    fs::remove_all(out);
  }
};

TEST_F(Simulation, SameBytesOnAnyRanksAndThreads) {
  for (const int ranks : {1, 2, 5}) {
    const fs::path out = folder() / fmt::format("ranks{}.zarr", ranks);
    const Job job = simulate(ranks, out, fmt::format("--seed 5 --threads {}", 1 + ranks % 2));
    ASSERT_EQ(job.code, 0) << job.output;
    EXPECT_EQ(differing(whole(), out), std::vector<std::string>{}) << ranks;
    fs::remove_all(out);
  }
}

TEST_F(Simulation, KillOfALoneProgram) { end_and_resume(0, SIGKILL, 2, {-1}); }

TEST_F(Simulation, TerminationOfALoneProgram) { end_and_resume(0, SIGTERM, 0, {75}); }

TEST_F(Simulation, UserSignalToMpirun) { end_and_resume(2, SIGUSR1, 3, {75}); }

TEST_F(Simulation, RestartFilesAreReadAndValidated) {
  const fs::path out = folder() / "restart.zarr";
  ASSERT_EQ(simulate(0, out, "--seed 5",
                     [&](pid_t job) {
                       wait_until_under_way(out);
                       kill(job, SIGINT);
                     })
                .code,
            75);
  const std::string right = read_text(restart_file(out, 1));
  const auto refused = [&](const std::string& bytes) {
    write_text(restart_file(out, 1), bytes);
    const Job job = simulate(2, out);
    EXPECT_EQ(job.code, static_cast<int>(ExitCode::corrupt_input)) << job.output;
    EXPECT_NE(job.output.find("realization_0001.npz"), std::string::npos) << job.output;
  };
  std::string changed = right;
  changed[changed.size() / 2] ^= 1;
  refused(changed);
  refused(right.substr(0, right.size() / 2));
  refused(read_text(restart_file(out, 0)));  // of another time
  fs::remove(restart_file(out, 1));
  const Job job = simulate(0, out);
  ASSERT_EQ(job.code, 0) << job.output;
  EXPECT_NE(job.output.find("(2 resumed)"), std::string::npos) << job.output;
  EXPECT_EQ(differing(whole(), out), std::vector<std::string>{});
}

/// Must differ: the comparisons above would notice.
TEST_F(Simulation, AnotherSeedGivesOtherBytes) {
  const fs::path out = folder() / "seed.zarr";
  ASSERT_EQ(simulate(0, out, "--seed 6").code, 0);
  const std::vector<std::string> names = differing(whole(), out);
  EXPECT_EQ(std::count(names.begin(), names.end(), "geopotential/0.0.0.0"), 1);
  EXPECT_EQ(std::count(names.begin(), names.end(), "land_sea_mask/0.0"), 0);
  // Realization 1 of seed 5 is realization 0 of seed 6, but for its date.
  EXPECT_EQ(std::count(names.begin(), names.end(), "geopotential/100.0.0.0"), 1);
}

TEST_F(Simulation, AFinishedStoreIsRecognised) {
  const auto before = fs::last_write_time(whole() / ".zmetadata");
  const Job job = simulate(2, whole());
  EXPECT_EQ(job.code, 0) << job.output;
  EXPECT_NE(job.output.find("is complete, 200 times of 3 realizations"), std::string::npos) << job.output;
  EXPECT_EQ(fs::last_write_time(whole() / ".zmetadata"), before);
  // Killed at the very end: what is left of the work goes.
  create_folder(whole() / ".simulation/locks");
  write_text(restart_file(whole(), 0), "left");
  const fs::path job_file = whole() / ".simulation/locks/host-1-1.job";
  write_text(job_file, "{}");
  fs::last_write_time(job_file, before - std::chrono::hours(1));
  EXPECT_EQ(simulate(0, whole()).code, 0);
  EXPECT_FALSE(fs::exists(whole() / ".simulation"));
}

TEST_F(Simulation, OtherStoresAreLeftAlone) {
  const auto before = files_of(whole());
  const Job job = simulate(2, whole(), "--seed 8 --truncation 42");
  EXPECT_EQ(job.code, static_cast<int>(ExitCode::bad_configuration)) << job.output;
  for (const char* words : {"seed: 5 there, 8 asked for", "truncation: T21 there, T42 asked for",
                            "remove it, choose another OUT, or ask for the same"}) {
    EXPECT_NE(job.output.find(words), std::string::npos) << words << "\n" << job.output;
  }
  EXPECT_EQ(files_of(whole()), before);
  const fs::path foreign = folder() / "foreign";
  create_folder(foreign.string());
  write_text((foreign / "notes").string(), "mine");
  const Job refused = simulate(0, foreign);
  EXPECT_EQ(refused.code, static_cast<int>(ExitCode::cannot_create)) << refused.output;
  EXPECT_EQ(files_of(foreign).size(), 1U);
}

TEST_F(Simulation, OneJobAtATime) {
  const fs::path out = folder() / "two_jobs.zarr";
  Job second;
  const Job first = simulate(0, out, "--seed 5", [&](pid_t) {
    wait_until_under_way(out);
    second = simulate(0, out);
  });
  EXPECT_EQ(first.code, 0) << first.output;
  EXPECT_EQ(differing(whole(), out), std::vector<std::string>{});
  // Refused, or the first was done before the second had looked for three seconds.
  if (second.code != 0) {
    EXPECT_EQ(second.code, static_cast<int>(ExitCode::bad_configuration)) << second.output;
    EXPECT_NE(second.output.find("is being written by process"), std::string::npos) << second.output;
  }
}

TEST_F(Simulation, BadFlagsAreRefusedTogether) {
  const fs::path out = folder() / "refused.zarr";
  const auto refused = [&](const std::string& flags, const std::vector<std::string>& words) {
    const Job job =
        shell(program("mosaic_data") + " simulate " + out.string() + " --start 2000-01-01T06 " + flags);
    EXPECT_EQ(job.code, static_cast<int>(ExitCode::usage)) << job.output;
    for (const std::string& word : words) {
      EXPECT_NE(job.output.find(word), std::string::npos) << word << "\n" << job.output;
    }
    EXPECT_FALSE(fs::exists(out));
  };
  refused("--end 2000-01-02 --step 90min --spin-up 100s",
          {"--step 90min: is no multiple of the model's time step 1h", "--spin-up 100s: is no multiple"});
  refused("--end 2000-01-01T00", {"--end 2000-01-01T00: is before --start 2000-01-01T06"});
  refused("--end 2000-01-02 --realizations 5", {"--realizations 5: each needs a time", "use 1 ... 4"});
  refused("--end soon --step 0h --grid 3", {"--end: 'soon'", "--grid: '3' is no grid"});
  refused("--end 2000-01-02 --step 0h", {"--step 0h"});
  refused("--end 2000-01-02 --truncation 63", {"--truncation"});
}

TEST_F(Simulation, OpensAsAnyStore) {
  const auto store = open_field_store(whole().string(), {});
  ASSERT_EQ(store->times().size(), times);
  const StoreContents contents = store->contents();
  EXPECT_EQ(contents.channels.size(), world::world_channels().size());
  EXPECT_EQ(contents.statics, (std::vector<std::string>{"geopotential_at_surface", "land_sea_mask"}));
  EXPECT_EQ(store->read_static("geopotential_at_surface"), world::surface_geopotential(store->grid()));
  EXPECT_EQ(store->read_static("land_sea_mask"), world::land_sea_mask(store->grid()));
  const Job inspected = shell(program("mosaic_data") + " inspect " + whole().string());
  EXPECT_NE(inspected.output.find("  geopotential  [200, 500, 800] hPa\n"), std::string::npos)
      << inspected.output;
  EXPECT_NE(inspected.output.find("  upper_layer_temperature\n"), std::string::npos) << inspected.output;
}

TEST_F(Simulation, ClimatologyAndStatisticsRunOnIt) {
  const fs::path climatology = folder() / "climatology.zarr";
  const Job made = shell(program("mosaic_data") + " climatology " + whole().string() + " " +
                         climatology.string() + " --allow-missing");
  EXPECT_EQ(made.code, 0) << made.output;
  const Job statistics = shell(program("mosaic_data") + " statistics " + whole().string() + " " +
                               (folder() / "stats.npz").string() + " --step 24h");
  EXPECT_EQ(statistics.code, 0) << statistics.output;
  // Of 198 pairs a day apart two lie across each of the two seams.
  EXPECT_NE(statistics.output.find("14 channels, 200 times, 194 differences"), std::string::npos)
      << statistics.output;
}

TEST_F(Simulation, ForecastsAreNotVerifiedAcrossSeams) {
  const auto plan = [&](const std::string& lead_time) {
    return shell(program("mosaic_hindcast") + " --plan --input " + whole().string() + " --out " +
                 (folder() / "run").string() +
                 " --start 2000-02-01T12 --end 2000-02-07T12 --members 1 --lead-time " + lead_time +
                 " --set times.step=2d --set model.name=persistence --set forecast.step=12h"
                 " --set score.channels=geopotential_500 --set score.spectra=");
  };
  const Job across = plan("3d");  // the seam is 2000-02-03T12; 12 h earlier the last state before it
  EXPECT_EQ(across.code, static_cast<int>(ExitCode::corrupt_input)) << across.output;
  EXPECT_NE(across.output.find("1 forecasts would be verified across a seam"), std::string::npos)
      << across.output;
  EXPECT_NE(across.output.find("those of 2000-02-01T12;"), std::string::npos) << across.output;
  EXPECT_EQ(plan("36h").code, 0) << "ends before the seam: " << plan("36h").output;
}

TEST_F(Simulation, XarrayReadsIt) {
  PYTHON_OR_SKIP("xarray, zarr");
  const Job job = run_python(R"(
import sys, xarray
d = xarray.open_zarr(sys.argv[1])
assert dict(d.sizes) == {"time": 200, "level": 3, "longitude": 48, "latitude": 24}, d.sizes
assert list(d.level.values) == [200, 500, 800]
assert str(d.time.values[-1])[:13] == "2000-04-09T12"
assert "not observations" in d.attrs["title"] and d.attrs["dataset"] == "qg3"
assert d.attrs["seams"] == "2000-02-03T12 2000-03-08T00", d.attrs["seams"]
assert d.geopotential.dims == ("time", "level", "longitude", "latitude")
z = d.geopotential.sel(level=500).load()
assert not z.isnull().any() and 44000 < z.min() and z.max() < 61000
# Cold poles, and a jump at the seam that no day has.
assert (z.isel(latitude=12) - z.isel(latitude=23)).mean() > 3000
steps = ((z - z.shift(time=1)) ** 2).mean(("longitude", "latitude"))
assert steps.isel(time=[67, 134]).min() > 2 * steps.isel(time=slice(1, 67)).max(), steps.values
)",
                             {whole().string()});
  EXPECT_EQ(job.code, 0) << job.output;
}

}  // namespace
}  // namespace mosaic::test
