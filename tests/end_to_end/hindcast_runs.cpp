#include "end_to_end/hindcast_runs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>
#include <type_traits>
#include <variant>

namespace mosaic::test {

namespace fs = std::filesystem;

namespace {

bool same_values(const NetcdfValues& left, const NetcdfValues& right) {
  if (left.index() != right.index()) {
    return false;
  }
  return std::visit(
      [&](const auto& values) {
        using Values = std::decay_t<decltype(values)>;
        const auto& others = std::get<Values>(right);
        if constexpr (std::is_same_v<Values, std::vector<std::string>>) {
          return values == others;
        } else {
          return values.size() == others.size() &&
                 std::memcmp(values.data(), others.data(), values.size() * sizeof(values[0])) == 0;
        }
      },
      left);
}

std::string first_difference_of(const NetcdfDocument& a, const NetcdfDocument& b) {
  if (a.variables.size() != b.variables.size()) {
    return "number of variables";
  }
  for (std::size_t i = 0; i < a.variables.size(); ++i) {
    if (a.variables[i].name != b.variables[i].name ||
        !same_values(a.variables[i].values, b.variables[i].values)) {
      return a.variables[i].name;
    }
  }
  return "";
}

}  // namespace

std::string program(const std::string& name) { return std::string(std::getenv("MOSAIC_BIN")) + "/" + name; }

Job shell(const std::string& command, const std::function<void(pid_t)>& meanwhile) {
  return run_job({"/bin/sh", "-c", "exec " + command}, {}, meanwhile);
}

std::string launcher(int ranks) {
  return ranks == 0 ? "" : MOSAIC_MPIEXEC " --oversubscribe --bind-to none -n " + std::to_string(ranks) + " ";
}

std::string hindcast(int ranks, const fs::path& out, const std::string& arguments, const std::string& end) {
  return launcher(ranks) + program("mosaic_hindcast") + " config/demo/hindcast_demo.yaml --end " + end +
         " --out " + out.string() + " " + arguments;
}

std::string first_difference(const fs::path& a, const fs::path& b) {
  return first_difference_of(read_netcdf(a.string()), read_netcdf(b.string()));
}

void expect_same_results(const fs::path& a, const fs::path& b) {
  for (const char* optional : {"spectra.nc", "thresholds.nc", "forecasts"}) {
    EXPECT_EQ(fs::exists(a / optional), fs::exists(b / optional)) << optional;
  }
  for (const char* name : {"metrics.nc", "ranks.nc", "sums.nc", "spectra.nc", "thresholds.nc"}) {
    if (name == std::string("spectra.nc") || name == std::string("thresholds.nc")) {
      if (!fs::exists(a / name)) {
        continue;  // none were asked for
      }
    }
    EXPECT_EQ(first_difference(a / name, b / name), "") << name << " of " << b;
  }
  if (!fs::exists(a / "forecasts")) {
    return;
  }
  for (const auto& entry : fs::directory_iterator(a / "forecasts")) {
    EXPECT_EQ(first_difference(entry.path(), b / "forecasts" / entry.path().filename()), "") << entry.path();
  }
}

std::size_t count_committed(const fs::path& out) {
  std::error_code unimportant;
  return static_cast<std::size_t>(
      std::count_if(fs::directory_iterator(out / "sums", unimportant), fs::directory_iterator(),
                    [](const auto& entry) { return entry.path().extension() == ".nc"; }));
}

void wait_for_commits(const fs::path& out, std::size_t count) {
  for (int look = 0; look < 6000 && count_committed(out) < count; ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

}  // namespace mosaic::test
