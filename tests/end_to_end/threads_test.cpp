// parallel.threads is part of what fixes the bits of the network; persistence and the scores have the same
// bits with any number.
#include <gtest/gtest.h>

#include <filesystem>

#include "end_to_end/hindcast_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;

test::Job persistence(const fs::path& out, const std::string& arguments) {
  return test::shell(test::program("mosaic_hindcast") +
                     " config/demo/hindcast_demo.yaml --set model.name=persistence --set model.weights= "
                     "--end 2011-10-11T00 --lead-time 2d --set output.products=members,mean,spread --out " +
                     out.string() + " " + arguments);
}

TEST(Threads, ScoresAndFilesOfPersistenceHaveTheSameBits) {
  const fs::path folder = test::scratch_dir("threads");
  for (const char* threads : {"1", "2", "3"}) {
    const test::Job run = persistence(folder / threads, std::string("--set parallel.threads=") + threads);
    ASSERT_EQ(run.code, 0) << run.output;
    test::expect_same_results(folder / "1", folder / threads);
  }
  // Must fail: another number of members is noticed.
  const test::Job other = persistence(folder / "other", "--members 3");
  ASSERT_EQ(other.code, 0) << other.output;
  EXPECT_NE(test::first_difference(folder / "1/spectra.nc", folder / "other/spectra.nc") +
                test::first_difference(folder / "1/metrics.nc", folder / "other/metrics.nc"),
            "");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace mosaic
