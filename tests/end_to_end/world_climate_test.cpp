// mosaic_data world-climate as a user starts it.

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/files.hpp"
#include "support/golden.hpp"
#include "support/job.hpp"

namespace mosaic::test {
namespace {

Job world_climate(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_data", "world-climate"});
  return run_job(arguments);
}

TEST(WorldClimateCommand, TableAndPage) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "a year of the world takes minutes with sanitizers";
#endif
  const auto page = scratch_dir("climate") / "climate.html";
  const Job job = world_climate({"--members", "2", "--years", "1", "--spin-up", "0", "--twin-days", "3",
                                 "--threads", "2", "--html", page.string()});
  ASSERT_EQ(job.code, 0) << job.output;
  for (const char* words : {"T21, 2 members x 1 years after 0 days, seed 1", "zonal-mean u200 max",
                            "slope of kinetic energy by degree 8-19", "twins from July"}) {
    EXPECT_NE(job.output.find(words), std::string::npos) << words << " not in:\n" << job.output;
  }
  const std::string text = read_text(page.string());
  EXPECT_EQ(count_of(text, "<svg"), 4U) << "panels and three maps";
  EXPECT_NE(text.find("not observations"), std::string::npos);
  EXPECT_NE(text.find("zonal-mean u200 max"), std::string::npos) << "the table stands on the page";
}

TEST(WorldClimateCommand, StopsAtASignal) {
  const Job job =
      run_job({std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_data", "world-climate", "--years", "1000"},
              {}, [](pid_t process) {
                std::this_thread::sleep_for(std::chrono::seconds(5));
                ::kill(process, SIGTERM);
              });
  EXPECT_EQ(job.code, 75) << job.output;
  EXPECT_NE(job.output.find("stopped by a signal"), std::string::npos) << job.output;
  EXPECT_LT(job.seconds, soon);
}

TEST(WorldClimateCommand, RefusesBeforeItWorks) {
  const auto folder = scratch_dir("climate");
  const Job no_folder = world_climate({"--html", (folder / "absent" / "climate.html").string()});
  EXPECT_EQ(no_folder.code, 73) << no_folder.output;
  EXPECT_LT(no_folder.seconds, soon);
  EXPECT_EQ(world_climate({"--truncation", "63"}).code, 64);
  EXPECT_EQ(world_climate({"--years", "0"}).code, 64);
}

}  // namespace
}  // namespace mosaic::test
