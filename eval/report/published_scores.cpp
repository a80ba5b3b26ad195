#include "eval/report/published_scores.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic::eval {
namespace {

/// A file of published rows and what its metrics mean.
struct PublishedFile {
  std::string name;
  std::map<std::string, std::string> metrics;  ///< theirs -> ours; others have no counterpart
  bool approximate;
};

const std::vector<PublishedFile>& published_files() {
  static const std::vector<PublishedFile> files = {
      {"gencast_1p5deg_2020.csv",
       {{"crps_fair", "crps"},
        {"ensemble_mean_mse", "ensemble_mean_rmse"},
        {"spread_skill_ratio", "spread_skill_fortin"}},
       false},
      {"wb2_0p25deg_2022.csv",
       {{"crps", "crps"},
        {"rmse", "ensemble_mean_rmse"},
        {"ensemble_mean_rmse", "ensemble_mean_rmse"},
        {"spread_skill_ratio", "spread_skill_raw"},
        {"spread_skill_ratio_unbiased", "spread_skill_unbiased"},
        {"bias", "bias"}},
       false},
      // What its spread-skill ratio and CRPS are exactly is not stated.
      {"mosaic_digitised.csv", {{"ensemble_mean_rmse", "ensemble_mean_rmse"}, {"crps", "crps"}}, true},
  };
  return files;
}

constexpr const char* columns = "model,year,truth,grid,members,variable,level,metric,lead_h,value";
constexpr std::size_t column_count = 10;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream rest(line);
  for (std::string cell; std::getline(rest, cell, ',');) {
    cells.push_back(cell);
  }
  return cells;
}

/// A whole cell as a number. Errors: corrupt_input.
template <class Number>
Number number_of(const std::string& cell) {
  Number number{};
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  require(problem == std::errc{} && end == cell.data() + cell.size(), ExitCode::corrupt_input,
          "'{}' is no number", cell);
  return number;
}

/// Nothing for a metric without counterpart.
std::optional<PublishedScore> score_of(const PublishedFile& file, const std::vector<std::string>& cells) {
  require(cells.size() == column_count, ExitCode::corrupt_input, "{} cells instead of {}", cells.size(),
          column_count);
  const auto metric = file.metrics.find(cells[7]);
  if (metric == file.metrics.end() || cells[8].empty()) {  // without a lead: a climatology's
    return std::nullopt;
  }
  PublishedScore score;
  score.model = cells[0];
  score.year = number_of<int>(cells[1]);
  score.truth = cells[2];
  score.grid = cells[3];
  score.channel.variable = cells[5];
  score.metric = metric->second;
  score.lead = Duration::hours(number_of<int>(cells[8]));
  score.value = number_of<double>(cells[9]);
  score.approximate = file.approximate;
  if (!cells[4].empty()) {
    score.members = number_of<int>(cells[4]);
  }
  if (!cells[6].empty()) {
    score.channel.level = number_of<int>(cells[6]);
  }
  if (cells[7] == "ensemble_mean_mse") {
    score.value = std::sqrt(score.value);
  }
  return score;
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// Whether path and name of the truth speak of different ones of ERA5 and HRES.
bool contradict(const std::string& path, const std::string& truth) {
  const std::string ours = lower_case(path), theirs = lower_case(truth);
  const auto says = [](const std::string& text, const char* word) {
    return text.find(word) != std::string::npos;
  };
  return (says(ours, "era5") && says(theirs, "hres") && !says(ours, "hres")) ||
         (says(ours, "hres") && says(theirs, "era5") && !says(ours, "era5"));
}

/// "1.5deg" stands for "240 x 121, latitudes -90 ... 90".
bool same_grid(const std::string& published, const std::string& grid) {
  static const std::map<std::string, std::string> names = {{"1.5deg", "240 x 121, latitudes -90 ... 90"},
                                                           {"0.25deg", "1440 x 721, latitudes -90 ... 90"}};
  const auto found = names.find(published);
  return found != names.end() && found->second == grid;
}

}  // namespace

std::vector<PublishedScore> read_published_scores(const std::string& folder) {
  require(
      std::filesystem::is_directory(folder), ExitCode::missing_input,
      "no folder {} of published scores: run from the repository, or name it with --published (installed: "
      "share/mosaic/config/published_scores)",
      folder);
  std::vector<PublishedScore> all;
  for (const PublishedFile& file : published_files()) {
    const std::string path = folder + "/" + file.name;
    std::istringstream lines(read_text(path));
    std::string line;
    std::getline(lines, line);
    require(line == columns, ExitCode::corrupt_input, "{}: the first line is not {}", path, columns);
    for (int number = 2; std::getline(lines, line); ++number) {
      try {
        if (auto score = score_of(file, cells_of(line))) {
          all.push_back(std::move(*score));
        }
      } catch (const Error& problem) {
        fail(problem.code(), "{}, line {}: {}; restore the file (its SHA256SUMS lie beside it)", path, number,
             problem.what());
      }
    }
  }
  return all;
}

std::vector<PublishedScore> matching_scores(const std::vector<PublishedScore>& all, const std::string& grid,
                                            std::optional<int> year, const std::string& truth_path) {
  std::vector<PublishedScore> matching;
  std::set<std::string> there;
  for (const PublishedScore& score : all) {
    there.insert(fmt::format("{} against {} of {}", score.grid, score.truth, score.year));
    if (same_grid(score.grid, grid) && year == score.year && !contradict(truth_path, score.truth)) {
      matching.push_back(score);
    }
  }
  std::string list;
  for (const std::string& one : there) {
    list += (list.empty() ? "" : "; ") + one;
  }
  require(
      !matching.empty(), ExitCode::corrupt_input,
      "no published score is on the grid, of the year and against the truth of this run ({}; {}; {}): there "
      "are {}. Scores of other grids or years are not put side by side: the grid alone changes some by 10 "
      "to 40 %",
      grid.empty() ? "grid not stated" : grid, year ? std::to_string(*year) : "several years", truth_path,
      list);
  return matching;
}

}  // namespace mosaic::eval
