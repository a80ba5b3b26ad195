// mosaic_bench as a user starts it.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/files.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

struct Outcome {
  int code = -1;
  std::string out;
};

/// Runs mosaic_bench; stderr is taken in where asked for.
Outcome bench(const std::string& arguments, const std::string& redirect = "2>&1") {
  const std::string command =
      std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_bench " + arguments + " " + redirect;
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> piece{};
  while (const std::size_t n = fread(piece.data(), 1, piece.size(), pipe)) {
    outcome.out.append(piece.data(), n);
  }
  const int status = pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

const std::string short_run = "step --preset demo --threads 1 --gemm-repeats 1 ";

void expect_contains(const std::string& text, const std::string& words) {
  EXPECT_NE(text.find(words), std::string::npos) << words << " not in:\n" << text;
}

TEST(Bench, StepPrintsTheTables) {
  const auto file = test::scratch_dir("bench") / "step.md";
  const Outcome run = bench(short_run + "--steps 1 --markdown " + file.string(), "2>/dev/null");
  ASSERT_EQ(run.code, 0) << run.out;
  // The count of the demonstration's network; the program itself compares what ran with the formula.
  for (const char* words : {"15284465664 = 0.0153 TFLOP", "median time / floor", "peak beyond weights",
                            "| attention, selected |", "| linear, feed-forward |", "rest (not in a class)",
                            "4096 x 4096 x 4096", "3072 x 128 x 1024", "load average", "1 threads"}) {
    expect_contains(run.out, words);
  }
  EXPECT_EQ(read_text(file.string()), run.out) << "the file holds what was printed";
}

TEST(Bench, JsonSaysTheSame) {
  const Outcome run = bench(short_run + "--steps 3 --members 2 --gemm-every 3 --json", "2>/dev/null");
  ASSERT_EQ(run.code, 0) << run.out;
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json.at("operations"), 15284465664.0) << "of one member-step, whatever the members";
  EXPECT_EQ(json.at("members"), 2);
  EXPECT_EQ(json.at("steps").size(), 3U);
  EXPECT_EQ(json.at("products").size(), 2U);
  EXPECT_EQ(json.at("products")[0].at("rate").size(), 2U) << "before the first and after the last step";
  EXPECT_GT(json.at("floor_ratio"), 0);
  EXPECT_GT(json.at("peak_bytes_beyond_held"), 0);
  double sum = 0;
  for (const auto& [name, totals] : json.at("classes").items()) {
    sum += totals.at("seconds").get<double>();
  }
  EXPECT_LE(sum, json.at("seconds_per_member_step").get<double>()) << "classes are parts of the step";
  // Promised: resident memory does not grow from step to step.
  EXPECT_NEAR(json.at("resident_growth"), 1.0, 0.01);
}

TEST(Bench, Bfloat16HasItsOwnFloorAndItsError) {
  const Outcome run = bench(short_run + "--precision bfloat16 --steps 1 --json", "2>/dev/null");
  ASSERT_EQ(run.code, 0) << run.out;
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json.at("precision"), "bfloat16");
  EXPECT_EQ(json.at("operations"), 15284465664.0);
  ASSERT_EQ(json.at("products").size(), 4U) << "in both precisions";
  double best = 0;
  for (const auto& product : json.at("products")) {
    if (product.at("precision") == "bfloat16") {
      best = std::max({best, product.at("rate")[0].get<double>(), product.at("rate")[1].get<double>()});
    }
  }
  EXPECT_EQ(json.at("best_product_rate"), best);
  const auto& errors = json.at("errors");
  EXPECT_GT(errors.at("ours"), 0);
  EXPECT_LE(errors.at("ours"), 2 * errors.at("naive").get<double>());
  EXPECT_LE(errors.at("worst_ratio"), 2);
}

const std::string short_spectra = "spectra --longitudes 24 --latitudes 13 --winds 5 --repeats 1 --threads 2 ";

TEST(Bench, SpectraPrintTheTable) {
  const Outcome run = bench(short_spectra);
  ASSERT_EQ(run.code, 0) << run.out;
  for (const char* words : {"5 winds on 24 x 13, lmax 11, 2 threads", "| all winds ",
                            "reference body per wind", "copy bandwidth", "GFLOP/s"}) {
    expect_contains(run.out, words);
  }
}

TEST(Bench, SpectraJsonSaysTheSame) {
  const Outcome run = bench(short_spectra + "--json", "2>/dev/null");
  ASSERT_EQ(run.code, 0) << run.out;
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json.at("lmax"), 11);
  EXPECT_EQ(json.at("winds"), 5);
  // 78 rows (m, l), 7 latitudes of a hemisphere, 2 tables, 2 components, complex numbers, product and sum
  EXPECT_EQ(json.at("operations_per_wind"), 78.0 * 7 * 2 * 2 * 2 * 2);
  EXPECT_GT(json.at("copy_rate"), 0);
  EXPECT_GT(json.at("batch_seconds"), 0);
  EXPECT_LT(json.at("largest_difference"), 1e-14);
}

const std::string short_scores =
    "scores --longitudes 24 --latitudes 13 --members 3 --fields 5 --repeats 1 --threads 2 ";

TEST(Bench, ScoresPrintTheTable) {
  const Outcome run = bench(short_scores);
  ASSERT_EQ(run.code, 0) << run.out;
  for (const char* words :
       {"5 fields of 3 members on 24 x 13, 4 regions, 2 threads", "| all fields ",
        "everything of 5 channels x 1 leads", "reference body per member", "copy bandwidth"}) {
    expect_contains(run.out, words);
  }
}

TEST(Bench, ScoresJsonSaysTheSame) {
  const Outcome run = bench(short_scores + "--json", "2>/dev/null");
  ASSERT_EQ(run.code, 0) << run.out;
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json.at("fields"), 5);
  EXPECT_EQ(json.at("channels"), 5);
  EXPECT_EQ(json.at("leads"), 1);
  EXPECT_GT(json.at("initial_time_seconds"), 0);
  EXPECT_GT(json.at("copy_rate"), 0);
  EXPECT_GT(json.at("seconds"), 0);
  EXPECT_NEAR(json.at("microseconds_per_member").get<double>(), 1e6 * json.at("seconds").get<double>() / 15,
              1e-6 * json.at("microseconds_per_member").get<double>());
}

const std::string short_world = "world --members 3 --steps 2 --repeats 2 --threads 2 ";

TEST(Bench, WorldPrintsTheTable) {
  const Outcome run = bench(short_world);
  ASSERT_EQ(run.code, 0) << run.out;
  for (const char* words : {"Simulated world at T21: 3 members, steps of 3600 s, 2 threads",
                            "| member-days per second ", "reference / fast body"}) {
    expect_contains(run.out, words);
  }
}

TEST(Bench, WorldJsonSaysTheSame) {
  const Outcome run = bench(short_world + "--truncation 42 --json", "2>/dev/null");
  ASSERT_EQ(run.code, 0) << run.out;
  const auto json = nlohmann::json::parse(run.out);
  EXPECT_EQ(json.at("truncation"), 42);
  EXPECT_EQ(json.at("time_step"), 1800);
  EXPECT_GE(json.at("step_seconds"), json.at("best_seconds"));
  const double days = 3 * 1800.0 / 86400 / json.at("step_seconds").get<double>();
  EXPECT_NEAR(json.at("member_days_per_second").get<double>(), days, 1e-9 * days);
  EXPECT_GT(json.at("synthesis_reference_seconds"), json.at("synthesis_seconds"));
}

TEST(Bench, AGpuThatIsNotThereIsSaid) {
  const Outcome run = bench(short_scores + "--gpu");
  if (run.code != 0) {  // with a GPU it is measured
    EXPECT_EQ(run.code, 78) << run.out;
    expect_contains(run.out, "scores bench: no GPU can be used");
  }
}

TEST(Bench, BadFlagsEndWith64) {
  for (const char* arguments :
       {"", "leap", "step --preset era6", "step --steps 0", "step --threads -1", "step --steps two",
        "step --fast", "step --members 0", "step --precision float16", "step --gemm-every 0",
        "step --gemm-repeats 0", "step surplus", "spectra --latitudes 3", "spectra --winds 0",
        "spectra --preset era5", "scores --members 0", "scores --latitudes 3", "world --truncation 22",
        "world --members 0"}) {
    const Outcome run = bench(arguments);
    EXPECT_EQ(run.code, 64) << arguments << "\n" << run.out;
  }
}

TEST(Bench, HelpAndVersion) {
  const Outcome help = bench("--help"), step = bench("step --help"), version = bench("--version");
  const Outcome spectra = bench("spectra --help");
  EXPECT_EQ(spectra.code, 0);
  expect_contains(spectra.out, "Example: mosaic_bench spectra");
  EXPECT_EQ(help.code, 0);
  expect_contains(help.out, "Example: mosaic_bench");
  EXPECT_EQ(step.code, 0);
  expect_contains(step.out, "--preset");
  expect_contains(step.out, "Example: mosaic_bench step");
  EXPECT_EQ(version.code, 0);
  expect_contains(version.out, "revision");
}

TEST(Bench, AFolderThatIsNotThereIsNamedBeforeTheWork) {
  const Outcome run = bench("step --markdown /nonexistent/folder/step.md");
  EXPECT_EQ(run.code, 73);
  expect_contains(run.out, "/nonexistent/folder");
  EXPECT_EQ(run.out.find("products:"), std::string::npos) << run.out;
}

}  // namespace
}  // namespace mosaic
