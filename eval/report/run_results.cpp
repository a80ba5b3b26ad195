#include "eval/report/run_results.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {
namespace {

namespace fs = std::filesystem;

/// Runs `read` and puts the file's name before what is wrong with it.
template <class Read>
auto naming(const std::string& file, const Read& read) {
  try {
    return read();
  } catch (const Error& problem) {
    fail(problem.code(), "{}: {}", file, problem.what());
  }
}

/// Sums of every initial time, ascending, and whether the run was complete.
std::pair<std::vector<InitTimeSums>, bool> read_sums(const fs::path& folder) {
  std::vector<std::string> files;
  const bool merged = fs::exists(folder / "sums.nc");
  if (merged) {
    files.push_back((folder / "sums.nc").string());
  } else if (fs::is_directory(folder / "sums")) {
    for (const auto& entry : fs::directory_iterator(folder / "sums")) {
      if (entry.path().extension() == ".nc") {
        files.push_back(entry.path().string());
      }
    }
  }
  require(!files.empty(), ExitCode::missing_input,
          "{} holds no results: neither sums.nc nor sums/*.nc; give the output folder of mosaic_hindcast or "
          "mosaic_evaluate after at least one initial time",
          folder.string());
  std::sort(files.begin(), files.end());
  std::vector<InitTimeSums> all;
  for (const std::string& file : files) {
    for (InitTimeSums& sums : naming(file, [&] { return all_from_netcdf(read_netcdf(file)); })) {
      sums.maps = {};  // large, and not reported on
      naming(file, [&] { require_same_axes(all.empty() ? sums : all.front(), sums); });
      all.push_back(std::move(sums));
    }
  }
  require(!all.empty(), ExitCode::corrupt_input, "{}: no initial time in it; make the run again",
          files.front());
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.initial_time < b.initial_time; });
  return {std::move(all), merged};
}

/// A JSON object; empty if the file is not there.
nlohmann::json read_object(const fs::path& file) {
  if (!fs::exists(file)) {
    return nlohmann::json::object();
  }
  nlohmann::json json = nlohmann::json::parse(read_text(file.string()), nullptr, false);
  require(json.is_object(), ExitCode::corrupt_input,
          "{}: no JSON object; restore the file or make the run again", file.string());
  return json;
}

std::string text_in(const nlohmann::json& object, const std::string& key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The number of a run's initial times in its record.
std::size_t planned_in(const nlohmann::json& record) {
  const auto times = record.find("initial_times");
  if (times == record.end() || !times->is_object()) {
    return 0;
  }
  const auto count = times->find("count");
  return count != times->end() && count->is_number_unsigned() ? count->get<std::size_t>() : 0;
}

/// run.json and identity.json: what the truth was, how means were made.
void read_records(RunResults& run) {
  const fs::path folder(run.folder);
  const nlohmann::json record = read_object(folder / "run.json");
  const nlohmann::json identity = read_object(folder / "identity.json");
  run.planned = planned_in(record);
  run.truth_identity = text_in(identity, "truth");
  run.truth = text_in(identity, "configuration.truth.path");
  if (run.truth.empty() || run.truth == "\"\"") {
    run.truth = text_in(identity, "configuration.input.path");
  }
  run.regions = text_in(identity, "configuration.score.regions");
  if (text_in(identity, "configuration.score.skipna") == "true") {
    run.options.missing = kernels::MissingValues::skip;
  }
  if (text_in(identity, "configuration.score.time_mean") == "pooled") {
    run.options.time_mean = TimeMeanKind::pooled;
  }
}

std::string read_grid(const std::string& file) {
  for (const auto& [name, value] : read_netcdf(file).attributes) {
    if (const auto* text = std::get_if<std::string>(&value); text != nullptr && name == "grid") {
      return *text;
    }
  }
  return "";
}

bool has_climatology(const std::vector<InitTimeSums>& sums) {
  return std::any_of(sums.begin(), sums.end(), [](const InitTimeSums& one) {
    return std::any_of(one.means.begin(), one.means.end(), [](const kernels::Statistics& statistics) {
      return at(statistics, kernels::Statistic::truth_anomaly_squared) >= 0.0;
    });
  });
}

std::string label_of(const std::string& folder) {
  const fs::path path = fs::path(folder).lexically_normal();
  const fs::path last = path.has_filename() ? path.filename() : path.parent_path().filename();
  const bool names_nothing = last.empty() || last == "." || last == "..";
  return names_nothing ? fs::weakly_canonical(path).filename().string() : last.string();
}

RunScores scores_of(const std::string& folder, const std::vector<InitTimeSums>& sums,
                    const ScoreOptions& options) {
  return naming(folder, [&] { return RunScores(sums, options); });
}

}  // namespace

std::string RunResults::period() const {
  return to_string(sums.front().initial_time) + " ... " + to_string(sums.back().initial_time);
}

std::optional<int> RunResults::year() const {
  const int first = calendar(sums.front().initial_time).year;
  return first == calendar(sums.back().initial_time).year ? std::optional(first) : std::nullopt;
}

RunResults read_run(const std::string& folder) {
  require(fs::is_directory(folder), ExitCode::missing_input,
          "{}: no such folder; give the output folder of mosaic_hindcast or mosaic_evaluate", folder);
  auto [sums, merged] = read_sums(folder);
  ScoreOptions options;
  options.channels = sums.front().channels;
  options.leads = sums.front().leads;
  options.climatology = has_climatology(sums);
  RunResults run{.folder = folder,
                 .label = label_of(folder),
                 .finished = merged,
                 .planned = 0,
                 .grid = {},
                 .truth = {},
                 .truth_identity = {},
                 .regions = {},
                 .options = options,
                 .sums = {},
                 .scores = RunScores({}, options)};
  read_records(run);
  run.scores = scores_of(folder, sums, run.options);
  run.sums = std::move(sums);
  const fs::path metrics = fs::path(folder) / "metrics.nc";
  if (fs::exists(metrics)) {
    run.grid = naming(metrics.string(), [&] { return read_grid(metrics.string()); });
  }
  return run;
}

void make_labels_unique(std::vector<RunResults>& runs) {
  std::map<std::string, int> uses;
  for (const RunResults& run : runs) {
    ++uses[run.label];
  }
  for (RunResults& run : runs) {
    if (uses[run.label] > 1) {
      run.label = run.folder;
    }
  }
}

std::optional<std::string> reason_against_difference(const RunResults& a, const RunResults& b,
                                                     const std::string& region) {
  if (!a.grid.empty() && !b.grid.empty() && a.grid != b.grid) {
    return fmt::format("they are on different grids: {} and {}", a.grid, b.grid);
  }
  if (a.truth_identity.empty() || a.truth_identity != b.truth_identity) {
    return fmt::format("they have different truths: {} and {}", a.truth, b.truth);
  }
  if (a.options.missing != b.options.missing || a.options.time_mean != b.options.time_mean) {
    return "they treat missing values or the mean over initial times differently (score.skipna, "
           "score.time_mean)";
  }
  const auto& known = known_regions();
  const bool box = std::none_of(known.begin(), known.end(), [&](const Region& one) {
    return region == one.name || region == one.name + "_land" || region == one.name + "_any_land";
  });
  if (box && a.regions != b.regions) {
    return fmt::format("region {} may have different bounds in them: {} and {}", region, a.regions,
                       b.regions);
  }
  return std::nullopt;
}

std::string unit_of(const Channel& channel) {
  if (channel.variable == "wind_vector" || channel.variable == "10m_wind_vector") {
    return "m s-1";
  }
  const VariableInfo* info = find_variable(channel.variable);
  return info == nullptr ? "unknown" : info->units;
}

}  // namespace mosaic::eval
