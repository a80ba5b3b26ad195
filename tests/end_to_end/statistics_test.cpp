#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.hpp"
#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "eval/state_statistics.hpp"
#include "stores/netcdf_document.hpp"
#include "stores/tensor_file.hpp"
#include "support/golden.hpp"
#include "support/python.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t times = 101;
constexpr std::size_t points = 12;

/// 101 times 6 hours apart, but for the 50th; temperature around 280 with a NaN, geopotential around 55 000
/// and 15 000 with deviations of 1.
std::string write_states(const std::string& name) {
  std::vector<std::int64_t> hours;
  std::vector<float> temperature, geopotential;
  for (std::size_t t = 0; t < times; ++t) {
    hours.push_back(static_cast<std::int64_t>(6 * (t < 50 ? t : t + 1)));
    for (std::size_t k = 0; k < 3 * points; ++k) {
      const auto wave = static_cast<float>(std::sin(static_cast<double>(t * 37 + k * k)));
      const bool missing = t == 7 && k == 3;
      (k < points ? temperature : geopotential)
          .push_back(missing          ? std::numeric_limits<float>::quiet_NaN()
                     : k < points     ? 280.0F + 0.1F * static_cast<float>(t) + 10.0F * wave
                     : k < 2 * points ? 55000.0F + wave
                                      : 15000.0F + wave);
    }
  }
  NetcdfDocument file;
  file.dimensions = {{"time", times}, {"level", 2}, {"latitude", 3}, {"longitude", 4}};
  file.variables = {
      {"time", {"time"}, hours, {{"units", std::string("hours since 2020-01-01")}}},
      {"level", {"level"}, std::vector<std::int64_t>{500, 850}, {{"units", std::string("hPa")}}},
      {"latitude", {"latitude"}, std::vector<double>{-60, 0, 60}, {}},
      {"longitude", {"longitude"}, std::vector<double>{0, 90, 180, 270}, {}},
      {"2m_temperature", {"time", "latitude", "longitude"}, temperature, {}},
      {"geopotential", {"time", "level", "latitude", "longitude"}, geopotential, {}}};
  const std::string path = (scratch_dir("statistics_" + name) / "states.nc").string();
  write_netcdf(path, file);
  return path;
}

Job make(int ranks, const std::string& input, const std::string& output, const std::string& arguments = "") {
  return shell(launcher(ranks) + program("mosaic_data") + " statistics " + input + " " + output + " " +
               arguments);
}

// Ours are doubles of a stable sum; numpy's of float64 arrays in two passes.
constexpr const char* comparison = R"(
import sys, numpy as np, xarray as xr
states = xr.open_dataset(sys.argv[1]).load().astype("f8")
made = np.load(sys.argv[2])
names = [name.decode() for name in made["channels"]]
assert set(names) == {"2m_temperature", "geopotential_500", "geopotential_850"}, names
for i, name in enumerate(names):
    x = states["2m_temperature"] if name[0] == "2" else states["geopotential"].sel(level=int(name[-3:]))
    later = x.assign_coords(time=x.time - np.timedelta64(24, "h"))
    step = (later - x).values
    for key, truth in (("state_mean", np.nanmean(x)), ("state_std", np.nanstd(x)),
                       ("residual_mean", np.nanmean(step)), ("residual_std", np.nanstd(step))):
        assert made[key].dtype == np.float64 and made[key].shape == (3,)
        assert abs(made[key][i] - truth) <= 1e-12 * np.nanmax(np.abs(x)), (name, key, made[key][i], truth)
)";

TEST(StatisticsProgram, FollowsNumpyWithTheSameBytesOnAnyRanks) {
  const std::string input = write_states("numpy");
  const Job job = make(0, input, input + ".0.npz", "--step 24h");
  ASSERT_EQ(job.code, 0) << job.output;
  // 102 - 4 pairs of places in time, two of them with the lost one.
  EXPECT_NE(job.output.find("3 channels, 101 times, 96 differences"), std::string::npos) << job.output;
  for (const int ranks : {2, 4}) {
    const std::string output = input + fmt::format(".{}.npz", ranks);
    ASSERT_EQ(make(ranks, input, output, "--step 24h --threads 2").code, 0);
    EXPECT_TRUE(read_text(output) == read_text(input + ".0.npz")) << ranks;
  }
  const auto tensors = open_tensor_file(input + ".0.npz");
  EXPECT_EQ(tensors->tensors().count("state_mean"), 1U);
  PYTHON_OR_SKIP("xarray, netCDF4");
  const Job check = run_python(comparison, {input, input + ".0.npz"});
  EXPECT_EQ(check.code, 0) << check.output;
}

TEST(StatisticsProgram, ChosenChannelsInTheirOrder) {
  const std::string input = write_states("chosen");
  ASSERT_EQ(
      make(0, input, input + ".npz", "--channels geopotential_850,2m_temperature --end 2020-01-02").code, 0);
  PYTHON_OR_SKIP("numpy");
  const Job check = run_python(
      "import sys, numpy as np; d = np.load(sys.argv[1]); assert 'residual_std' not in d; "
      "assert [x.decode() for x in d['channels']] == ['geopotential_850', '2m_temperature']; "
      "assert abs(d['state_mean'][0] - 15000) < 1 and abs(d['state_std'][0] - 0.7) < 0.1",
      {input + ".npz"});
  EXPECT_EQ(check.code, 0) << check.output;
}

TEST(StatisticsProgram, RefusesWhatItCannotDo) {
  const std::string input = write_states("refused");
  const auto refused = [&](const std::string& arguments, ExitCode code, const std::string& words) {
    const Job job = make(2, input, input + ".npz", arguments);
    EXPECT_EQ(job.code, static_cast<int>(code)) << job.output;
    EXPECT_NE(job.output.find(words), std::string::npos) << job.output;
    EXPECT_FALSE(fs::exists(input + ".npz"));
  };
  refused("--step 1h", ExitCode::missing_input, "1h");
  refused("--step 0h", ExitCode::bad_configuration, "0");
  refused("--channels temperature_850", ExitCode::missing_input, "temperature_850");
  refused("--start 2030-01-01", ExitCode::missing_input, "period");
  write_text(input + ".npz", "mine");
  EXPECT_EQ(make(0, input, input + ".npz").code, static_cast<int>(ExitCode::cannot_create));
  EXPECT_EQ(read_text(input + ".npz"), "mine");
}

TEST(Moments, PartsMergeToTheWhole) {
  const std::vector<float> all = {50000.5F, 50001.0F, std::numeric_limits<float>::quiet_NaN(), 49999.0F,
                                  50003.5F};
  eval::Moments merged;
  merged.merge(eval::Moments::of({all.data(), 2}));
  merged.merge(eval::Moments::of({all.data() + 2, 1}));
  merged.merge(eval::Moments::of({all.data() + 3, 2}));
  EXPECT_EQ(merged.count, 4.0);
  EXPECT_EQ(merged.mean, 50001.0);
  EXPECT_EQ(merged.squares, 0.25 + 4.0 + 6.25);
  EXPECT_TRUE(std::isnan(eval::Moments{}.deviation()));
}

}  // namespace
}  // namespace mosaic::test
