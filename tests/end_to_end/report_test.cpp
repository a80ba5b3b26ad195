// mosaic_report on runs of mosaic_evaluate over the small stores of the golden set.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/files.hpp"
#include "end_to_end/hindcast_runs.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::Job;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The first wrongly nested, unclosed or unquoted element of a page; empty if all is well. Text between
/// elements must hold no sign that begins one.
std::string first_fault(const std::string& page) {
  static const std::regex element(R"(<!--[\s\S]*?-->|<!DOCTYPE html>|<(/?)([A-Za-z][\w:-]*))"
                                  R"(((?:\s+[\w:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(/?)>)");
  std::vector<std::string> open;
  std::size_t at = 0;
  for (std::sregex_iterator it(page.begin(), page.end(), element), end; it != end; ++it) {
    const std::string between = page.substr(at, static_cast<std::size_t>(it->position()) - at);
    if (contains(between, "<")) {
      return between;
    }
    at = static_cast<std::size_t>(it->position() + it->length());
    if ((*it)[2].length() == 0 || (*it)[4].length() > 0) {
      continue;
    }
    if ((*it)[1].length() == 0) {
      open.push_back((*it)[2]);
    } else if (open.empty() || open.back() != (*it)[2]) {
      return it->str();
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

TEST(Page, FaultsAreFound) {  // must-fail twins of the page's check
  EXPECT_EQ(first_fault("<!DOCTYPE html><p a=\"1\">x<br/></p>"), "");
  EXPECT_NE(first_fault("<p><b></p></b>"), "");
  EXPECT_NE(first_fault("<p>"), "");
  EXPECT_NE(first_fault("<p>a < b</p>"), "");
  EXPECT_NE(first_fault("<p a=1>x</p>"), "");
}

class ReportGolden : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = test::scratch_dir("report");
    const auto forecast = test::find_golden("eval/small/ensemble.zarr");
    const auto truth = test::find_golden("eval/small/truth.zarr");
    if (!forecast || !truth) {
      return;
    }
    const std::string regions =
        "--set score.channels=2m_temperature,geopotential_500 --set score.regions=global,tropics "
        "--set score.spectra=geopotential_500 ";
    const std::string ensemble =
        "--forecast " + forecast->string() + " --truth " + truth->string() + " " + regions;
    there_ = evaluate(ensemble, "ensemble") && evaluate(ensemble + "--set forecast.members=1,2,3,4 ", "four");
  }

  static bool evaluate(const std::string& arguments, const std::string& name) {
    const Job job = test::shell(test::program("mosaic_evaluate") + " " + arguments + "--out " + path(name));
    EXPECT_EQ(job.code, 0) << job.output;
    return job.code == 0;
  }

  void SetUp() override {
    if (!there_) {
      GTEST_SKIP() << "golden data absent: eval/small";
    }
  }

  static std::string path(const std::string& name) { return (folder_ / name).string(); }

  static Job report(const std::string& arguments) {
    return test::shell(test::program("mosaic_report") + " " + arguments);
  }

  static json numbers(const std::string& arguments) {
    const Job job = report(arguments + " --json --format terminal");
    EXPECT_EQ(job.code, 0) << job.output;
    return json::parse(job.output, nullptr, false);
  }

  static inline fs::path folder_;
  static inline bool there_ = false;
};

/// The scores that are defined: wind vectors have squared errors only, the other scores are null.
json defined_scores(const json& report) {
  json defined = json::array();
  for (const json& row : report["scores"]) {
    const bool of_vector = row["channel"].get<std::string>().find("wind_vector") != std::string::npos;
    EXPECT_TRUE(of_vector || !row["value"].is_null()) << row;
    if (!row["value"].is_null()) {
      defined.push_back(row);
    }
  }
  return defined;
}

/// How many scores of a report have a counterpart in metrics.json, which is metrics.nc in other words, and
/// how many of these another value.
std::pair<std::size_t, std::size_t> compare(const json& report, const json& metrics,
                                            const std::string& region) {
  std::size_t compared = 0, others = 0;
  for (const json& row : report["scores"]) {
    for (const json& theirs : metrics["scores"]) {
      const std::string level =
          theirs.contains("level_hpa") ? "_" + std::to_string(theirs["level_hpa"].get<int>()) : "";
      if (theirs["region"] == region && theirs["metric"] == row["metric"] &&
          theirs["lead_time_h"] == row["lead_time_h"] &&
          theirs["variable"].get<std::string>() + level == row["channel"]) {
        others += theirs["value"] == row["value"] ? 0 : 1;
        ++compared;
      }
    }
  }
  return {compared, others};
}

// Every score of the report has the bits of the run's own.
TEST_F(ReportGolden, NumbersAreThoseOfTheRun) {
  const json metrics = json::parse(read_text(path("ensemble") + "/metrics.json"));
  for (const std::string region : {"global", "tropics"}) {
    const json of_run = numbers(path("ensemble") + " --region " + region);
    const json defined = defined_scores(of_run);
    const std::size_t rows = defined.size();
    EXPECT_GT(rows, 10U);
    EXPECT_EQ(compare(of_run, metrics, region), std::pair(rows, std::size_t{0})) << region;
    // The twin: those of the other region are others.
    EXPECT_GT(compare(of_run, metrics, region == "global" ? "tropics" : "global").second, rows / 2);
    for (const json& row : defined) {
      EXPECT_LE(row["lower"], row["upper"]) << row;
      EXPECT_EQ(row["initial_times"], 8);
    }
  }
}

TEST_F(ReportGolden, SameSeedSameBitsOnAnyThreads) {
  const std::string run = path("ensemble");
  EXPECT_EQ(numbers(run + " --threads 1"), numbers(run + " --threads 3"));
  EXPECT_NE(numbers(run + " --seed 1"), numbers(run + " --seed 2"));
  const json narrow = numbers(run + " --confidence 0.5 --samples 200");
  EXPECT_EQ(narrow["confidence"], 0.5);
  EXPECT_EQ(narrow["samples"], 200);
}

TEST_F(ReportGolden, ARunMinusItselfIsNothing) {
  const json zero = numbers(path("ensemble") + " --reference " + path("ensemble"));
  for (const json& row : defined_scores(zero)) {
    for (const char* part : {"value", "lower", "upper"}) {
      EXPECT_EQ(row["difference"][part], 0.0) << row;
    }
    EXPECT_EQ(row["difference"]["excludes_zero"], false);
  }
}

TEST_F(ReportGolden, FilesOfTwoRuns) {
  const Job job = report(path("ensemble") + " " + path("four") + " --reference " + path("four") + " --out " +
                         path("out"));
  ASSERT_EQ(job.code, 0) << job.output;
  EXPECT_TRUE(contains(job.output, "Differences: ensemble minus four")) << job.output;
  EXPECT_TRUE(contains(job.output, path("out") + "/report.html")) << job.output;
  const std::string markdown = read_text(path("out") + "/report.md");
  const json numbers_of_both = numbers(path("ensemble") + " --reference " + path("four"));
  for (const json& row : numbers_of_both["scores"]) {
    if (row["metric"] == "crps" && row["value"].is_number()) {
      EXPECT_TRUE(contains(markdown, fmt::format("{:.4g}", row["value"].get<double>()))) << row;
    }
  }
  const std::string page = read_text(path("out") + "/report.html");
  EXPECT_EQ(first_fault(page), "");
  EXPECT_FALSE(contains(page, "http")) << "something is named that is not in the page";
  EXPECT_FALSE(contains(page, "<script")) << "a script";
  EXPECT_FALSE(contains(page, "xlink")) << "a name space without its declaration";
  // One figure per channel, spread-skill, ranks, the spectrum.
  EXPECT_EQ(test::count_of(page, "<svg"), 2U + 3U);
  EXPECT_EQ(test::count_of(page, "</svg>"), 2U + 3U);
  std::regex id(R"re( id=["']([^"']+)["'])re");
  std::set<std::string> ids;
  std::size_t count = 0;
  for (std::sregex_iterator it(page.begin(), page.end(), id), end; it != end; ++it, ++count) {
    ids.insert((*it)[1]);
  }
  EXPECT_EQ(ids.size(), count) << "identifiers occur twice";
}

TEST_F(ReportGolden, AnUnfinishedRunSaysSo) {
  fs::copy(path("ensemble"), path("part"), fs::copy_options::recursive);
  fs::create_directories(path("part") + "/sums");
  fs::rename(path("part") + "/sums.nc", path("part") + "/sums/all.nc");
  fs::remove(path("part") + "/metrics.nc");
  const Job job = report(path("part") + " --format terminal");
  EXPECT_EQ(job.code, 0) << job.output;
  EXPECT_TRUE(contains(job.output, "part IS NOT FINISHED: 8 of 8 initial times")) << job.output;
}

/// Arguments, exit code, and what the message must say.
struct Mistake {
  std::string arguments;
  int code;
  std::string says;
};

TEST_F(ReportGolden, MistakesAreNamed) {
  const std::string run = path("ensemble");
  fs::create_directories(path("empty"));
  fs::copy(run, path("damaged"), fs::copy_options::recursive);
  std::string bytes = read_text(path("damaged") + "/sums.nc");
  write_text(path("damaged") + "/sums.nc", bytes.substr(0, bytes.size() / 2));
  for (const Mistake& mistake : {
           Mistake{"", 64, "RUN is required"},
           Mistake{run + " --formats html", 64, "--formats"},
           Mistake{run + " --format pdf", 64, "pdf"},
           Mistake{run + " --confidence 1.5", 64, "confidence"},
           Mistake{run + " --samples 5", 64, "samples"},
           Mistake{run + " --region europe", 64, "global, tropics"},
           Mistake{run + " --channel sea_ice_cover", 64, "there are 2m_temperature, geopotential_500"},
           Mistake{run + " --published config/published_scores", 64, "no effect"},
           Mistake{run + " --reference published --region tropics", 64, "region global"},
           Mistake{path("absent"), 66, "no such folder"},
           Mistake{path("empty"), 66, "neither sums.nc nor sums/*.nc"},
           Mistake{run + " --reference " + path("absent"), 66, "no such folder"},
           Mistake{run + " --reference published --published " + path("absent"), 66, "--published"},
           Mistake{path("damaged"), 65, "damaged/sums.nc"},
           Mistake{run + " --reference published", 65, "1.5deg against ERA5 of 2020"},
       }) {
    const Job job = report(mistake.arguments + " --format terminal");
    EXPECT_EQ(job.code, mistake.code) << mistake.arguments << "\n" << job.output;
    EXPECT_TRUE(contains(job.output, mistake.says)) << mistake.arguments << "\n" << job.output;
  }
}

/// Fills a folder with links to all programs of PATH but gnuplot; MPI needs some of them.
std::string everything_but_gnuplot(const fs::path& folder) {
  fs::create_directories(folder);
  std::istringstream path(std::getenv("PATH"));
  for (std::string place; std::getline(path, place, ':');) {
    std::error_code unimportant;  // places that are not there
    for (const auto& entry : fs::directory_iterator(place, unimportant)) {
      const std::string name = entry.path().filename().string();
      if (!contains(name, "gnuplot")) {
        fs::create_symlink(entry.path(), folder / name, unimportant);  // the first one counts
      }
    }
  }
  return folder.string();
}

TEST_F(ReportGolden, WithoutGnuplotThePageIsRefused) {
  const std::string no_path = "env PATH=" + everything_but_gnuplot(folder_ / "bin") + " ";
  const Job page = test::shell(no_path + test::program("mosaic_report") + " " + path("ensemble") + " --out " +
                               path("page"));
  EXPECT_EQ(page.code, 66) << page.output;
  EXPECT_TRUE(contains(page.output, "gnuplot") && contains(page.output, "install it")) << page.output;
  EXPECT_FALSE(fs::exists(path("page")));
  const Job text = test::shell(no_path + test::program("mosaic_report") + " " + path("ensemble") +
                               " --format markdown,terminal --out " + path("text"));
  EXPECT_EQ(text.code, 0) << text.output;
  EXPECT_TRUE(fs::exists(path("text") + "/report.md"));
  EXPECT_FALSE(fs::exists(path("text") + "/report.html"));
}

TEST_F(ReportGolden, HelpAndVersion) {
  const Job help = report("--help");
  EXPECT_EQ(help.code, 0);
  EXPECT_TRUE(contains(help.output, "mosaic_report results/mine")) << help.output;
  EXPECT_EQ(report("--version").code, 0);
}

}  // namespace
}  // namespace mosaic
