// mosaic_hindcast in one process. parallel.threads is part of what fixes the bits of the network; persistence
// and the scores have the same bits with any number.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <type_traits>

#include "base/files.hpp"
#include "stores/netcdf_document.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

/// Exit code of a hindcast of the demonstration's state into folder/name; what it says is in folder/name.log.
int hindcast(const fs::path& folder, const std::string& name, const std::string& arguments) {
  const std::string out = (folder / name).string();
  const std::string program = std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_hindcast";
  const int status =
      std::system((program + " config/demo/hindcast_demo.yaml --end 2011-10-11T00 --lead-time 2d " +
                   arguments + " --out " + out + " > " + out + ".log 2>&1")
                      .c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Names and values of all variables as bytes.
std::string bits_of(const fs::path& file) {
  std::string bits;
  for (const NetcdfVariable& variable : read_netcdf(file.string()).variables) {
    bits += variable.name;
    std::visit(
        [&](const auto& values) {
          for (const auto& value : values) {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
              bits += value;
            } else {
              bits.append(reinterpret_cast<const char*>(&value), sizeof(value));
            }
          }
        },
        variable.values);
  }
  return bits;
}

const char* const persistence =
    "--set model.name=persistence --set model.weights= --set output.products=members,mean,spread ";

TEST(Threads, ScoresAndFilesOfPersistenceHaveTheSameBits) {
  const fs::path folder = test::scratch_dir("threads");
  for (const char* threads : {"1", "2", "3"}) {
    ASSERT_EQ(hindcast(folder, threads, std::string(persistence) + "--set parallel.threads=" + threads), 0)
        << read_text((folder / threads).string() + ".log");
    for (const char* file : {"metrics.nc", "spectra.nc", "sums.nc", "forecasts/forecast_2011-10-11T00.nc"}) {
      EXPECT_TRUE(bits_of(folder / "1" / file) == bits_of(folder / threads / file))
          << file << ", " << threads;
    }
  }
  // Must fail: another number of members is noticed.
  ASSERT_EQ(hindcast(folder, "other", std::string(persistence) + "--members 3"), 0);
  EXPECT_FALSE(bits_of(folder / "1/metrics.nc") == bits_of(folder / "other/metrics.nc"));
  fs::remove_all(folder);
}

#ifndef MOSAIC_HAVE_TORCH

TEST(WithoutTorch, TheNetworkIsRefusedWithAReason) {
  const fs::path folder = test::scratch_dir("without_torch");
  EXPECT_EQ(hindcast(folder, "out", ""), 78);
  const std::string text = read_text((folder / "out.log").string());
  EXPECT_NE(text.find("not in this build"), std::string::npos) << text;
  EXPECT_NE(text.find("model.name=persistence"), std::string::npos) << text;
  EXPECT_FALSE(fs::exists(folder / "out"));
  fs::remove_all(folder);
}

#endif

}  // namespace
}  // namespace mosaic
