#include "eval/report/report.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/parallel_for.hpp"

namespace mosaic::eval {
namespace {

/// In the order of WeatherBench 2's score card.
const std::vector<std::string>& headline_channels() {
  static const std::vector<std::string> names = {
      "geopotential_500", "temperature_850",          "specific_humidity_700",
      "wind_vector_850",  "u_component_of_wind_850",  "v_component_of_wind_850",
      "wind_speed_850",   "2m_temperature",           "mean_sea_level_pressure",
      "10m_wind_vector",  "10m_u_component_of_wind",  "10m_v_component_of_wind",
      "10m_wind_speed",   "total_precipitation_24hr", "total_precipitation_6hr"};
  return names;
}

bool is_spread_score(const std::string& metric) {
  return metric.starts_with("spread_skill") || metric == "ensemble_stddev";
}

/// Whether the run can have the score of a channel at all.
bool is_defined(const RunResults& run, const Channel& channel, const std::string& metric) {
  const InitTimeSums& sums = run.sums.front();
  const auto has = [&](const ChannelSet& channels) {
    return std::find(channels.begin(), channels.end(), channel) != channels.end();
  };
  const Score& score = score_by_name(metric);
  return (run.members() > 1 || !is_spread_score(metric)) &&
         (run.options.climatology || !score.needs_climatology()) &&
         (!score.needs_thresholds() || has(sums.thresholds.channels)) &&
         (!score.needs_seeps() || has(sums.seeps.channels));
}

template <class Items, class Item>
std::optional<std::size_t> place_of(const Items& items, const Item& item) {
  const auto found = std::find(items.begin(), items.end(), item);
  return found == items.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - items.begin()));
}

/// Where a run has the score; nothing if it does not.
std::optional<ScorePlace> place_in(const RunResults& run, const std::string& region, const Channel& channel,
                                   Duration lead) {
  const auto l = place_of(run.options.leads, lead), c = place_of(run.scores.channels(), channel),
             r = place_of(run.region_names(), region);
  return l && c && r ? std::optional(ScorePlace{*l, *c, *r}) : std::nullopt;
}

bool is_same_folder(const std::string& a, const std::string& b) {
  return std::filesystem::weakly_canonical(a) == std::filesystem::weakly_canonical(b);
}

void read_runs(Report& report) {
  for (const std::string& folder : report.options.runs) {
    report.runs.push_back(read_run(folder));
  }
  const std::string& reference = report.options.reference;
  if (!reference.empty()) {
    const auto found = std::find_if(report.runs.begin(), report.runs.end(), [&](const RunResults& run) {
      return is_same_folder(run.folder, reference);
    });
    report.reference = static_cast<std::size_t>(found - report.runs.begin());
    if (found == report.runs.end()) {
      report.runs.push_back(read_run(reference));
    }
  }
  make_labels_unique(report.runs);
}

/// Channels of all runs, each once.
ChannelSet all_channels(const std::vector<RunResults>& runs) {
  ChannelSet all;
  for (const RunResults& run : runs) {
    for (const Channel& channel : run.scores.channels()) {
      if (!place_of(all, channel)) {
        all.push_back(channel);
      }
    }
  }
  return all;
}

std::vector<std::string> names_of(const ChannelSet& channels) {
  std::vector<std::string> names;
  for (const Channel& channel : channels) {
    names.push_back(channel.name());
  }
  return names;
}

void choose_channels(Report& report) {
  const ChannelSet all = all_channels(report.runs);
  const std::vector<std::string> names = names_of(all);
  const bool asked = !report.options.channels.empty();
  for (const std::string& name : asked ? report.options.channels : headline_channels()) {
    const auto place = place_of(names, name);
    require(place || !asked, ExitCode::usage, "--channel {}: no run has it; there are {}", name,
            fmt::join(names, ", "));
    if (place) {
      report.channels.push_back(all[*place]);
    }
  }
  if (report.channels.empty()) {
    report.channels = all;
  }
}

void choose_region(Report& report) {
  const std::vector<std::string>& regions = report.runs.front().region_names();
  require(!regions.empty(), ExitCode::corrupt_input, "{}: the run has no scores, only spectra",
          report.runs.front().folder);
  report.region = report.options.region.empty() ? regions.front() : report.options.region;
  for (const RunResults& run : report.runs) {
    require(place_of(run.region_names(), report.region).has_value(), ExitCode::usage,
            "--region {}: {} does not have it, only {}", report.region, run.folder,
            fmt::join(run.region_names(), ", "));
  }
}

void remark_on_runs(Report& report) {
  for (const RunResults& run : report.runs) {
    if (!run.finished) {
      const std::string all = run.planned == 0 ? "an unknown number" : std::to_string(run.planned);
      report.remarks.push_back(
          fmt::format("{} IS NOT FINISHED: {} of {} initial times are in these numbers, which will change",
                      run.label, run.sums.size(), all));
    }
    const auto reason = reason_against_difference(run, report.runs.front(), report.region);
    if (reason && !report.reference) {
      report.remarks.push_back(
          fmt::format("{} and {} are only listed side by side and must not be compared: {}", run.label,
                      report.runs.front().label, *reason));
    }
  }
}

/// What is in one list only, ascending.
template <class Item>
std::vector<Item> not_common(std::vector<Item> a, std::vector<Item> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<Item> only;
  std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
  return only;
}

/// What of the two is not compared because only one of them has it.
void remark_on_difference(Report& report, const RunResults& run, const RunResults& reference) {
  const auto remark = [&](const char* what, const std::vector<std::string>& only) {
    if (!only.empty()) {
      report.remarks.push_back(fmt::format("{} and {}: not compared, in one of them only: {} {}", run.label,
                                           reference.label, what, fmt::join(only, ", ")));
    }
  };
  remark("channels", not_common(names_of(run.options.channels), names_of(reference.options.channels)));
  std::vector<std::string> leads;
  for (const Duration lead : not_common(run.options.leads, reference.options.leads)) {
    leads.push_back(fmt::format("{:g} h", lead.in_hours()));
  }
  remark("lead times", leads);
  remark("regions", not_common(run.region_names(), reference.region_names()));
  const auto times_of = [](const RunResults& one) {
    std::vector<std::string> times;
    for (const InitTimeSums& sums : one.sums) {
      times.push_back(to_string(sums.initial_time));
    }
    return times;
  };
  const std::size_t only = not_common(times_of(run), times_of(reference)).size();
  if (only > 0) {
    report.remarks.push_back(fmt::format(
        "{} and {}: {} initial times are in one of them only; differences are over the common ones",
        run.label, reference.label, only));
  }
  if (run.members() != reference.members()) {
    report.remarks.push_back(fmt::format(
        "{} has {} members and {} has {}: the fair CRPS allows for that, the RMSE of the ensemble "
        "mean and the ensemble standard deviation do not",
        run.label, run.members(), reference.label, reference.members()));
  }
}

void check_differences(Report& report) {
  if (!report.reference) {
    return;
  }
  const RunResults& reference = report.runs[*report.reference];
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    const auto reason = reason_against_difference(report.runs[run], reference, report.region);
    require(!reason, ExitCode::corrupt_input,
            "{} and the reference {} must not be subtracted: {}; without --reference they are listed side by "
            "side",
            report.runs[run].folder, reference.folder, reason.value_or(""));
    if (run != *report.reference) {
      remark_on_difference(report, report.runs[run], reference);
    }
  }
}

ScoreCell cell_of(const Report& report, const ScoreKey& key, const Channel& channel, ScorePlace place) {
  const RunResults& run = report.runs[key.run];
  const Score& score = score_by_name(key.metric);
  ScoreCell cell{run.scores.interval(score, place, report.options.bootstrap), std::nullopt};
  if (report.has_difference(key.run)) {
    const RunResults& reference = report.runs[*report.reference];
    const auto there = place_in(reference, report.region, channel, key.lead);
    if (there && is_defined(reference, channel, key.metric)) {
      cell.difference =
          paired_difference(score, run.scores, place, reference.scores, *there, report.options.bootstrap);
    }
  }
  return cell;
}

struct Task {
  ScoreKey key;
  Channel channel;
  ScorePlace place;
};

std::vector<Task> tasks_of(const Report& report) {
  std::vector<Task> tasks;
  for (std::size_t run = 0; run < report.runs.size(); ++run) {
    const RunResults& results = report.runs[run];
    for (const Channel& channel : report.channels) {
      for (const Duration lead : results.options.leads) {
        const auto place = place_in(results, report.region, channel, lead);
        for (const std::string& metric : report_metrics()) {
          if (place && is_defined(results, channel, metric)) {
            tasks.push_back({{run, channel.name(), lead, metric}, channel, *place});
          }
        }
      }
    }
  }
  return tasks;
}

void compute_scores(Report& report) {
  const std::vector<Task> tasks = tasks_of(report);
  std::vector<ScoreCell> cells(tasks.size());
  parallel_for(tasks.size(), report.options.threads, [&](std::size_t i) {
    cells[i] = cell_of(report, tasks[i].key, tasks[i].channel, tasks[i].place);
  });
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    report.scores.emplace(tasks[i].key, cells[i]);
  }
}

void read_published(Report& report) {
  if (report.options.published.empty()) {
    return;
  }
  require(report.region == "global", ExitCode::usage,
          "--reference published: published scores are of the region global, not {}", report.region);
  const RunResults& run = report.runs.front();
  for (const RunResults& other : report.runs) {
    require(other.grid == run.grid && other.year() == run.year(), ExitCode::corrupt_input,
            "--reference published: {} and {} are on different grids or of different years, so that no "
            "published score stands beside both; report on them one by one",
            run.folder, other.folder);
  }
  report.published =
      matching_scores(read_published_scores(report.options.published), run.grid, run.year(), run.truth);
  std::stable_sort(report.published.begin(), report.published.end(),
                   [&](const PublishedScore& a, const PublishedScore& b) {
                     const auto order = [&](const PublishedScore& row) {
                       return std::tuple(place_of(report.channels, row.channel),
                                         place_of(report_metrics(), row.metric), row.lead);
                     };
                     return order(a) < order(b);
                   });
}

}  // namespace

const std::vector<std::string>& report_metrics() {
  static const std::vector<std::string> metrics = {"ensemble_mean_rmse",
                                                   "crps",
                                                   "spread_skill_fortin",
                                                   "bias",
                                                   "acc",
                                                   "ensemble_stddev",
                                                   "spread_skill_raw",
                                                   "spread_skill_unbiased",
                                                   "rps",
                                                   "seeps",
                                                   "ensemble_mean_seeps"};
  return metrics;
}

const ScoreCell* Report::find(const ScoreKey& key) const {
  const auto found = scores.find(key);
  return found == scores.end() ? nullptr : &found->second;
}

std::vector<Duration> Report::leads() const {
  std::set<Duration> all;
  for (const RunResults& run : runs) {
    all.insert(run.options.leads.begin(), run.options.leads.end());
  }
  return {all.begin(), all.end()};
}

bool Report::has_difference(std::size_t run) const {
  return reference && (run != *reference || runs.size() == 1);
}

Report make_report(const ReportOptions& options) {
  require(!options.runs.empty(), ExitCode::usage, "no results folder is given");
  Report report;
  report.options = options;
  read_runs(report);
  choose_region(report);
  choose_channels(report);
  read_published(report);
  check_differences(report);
  remark_on_runs(report);
  compute_scores(report);
  return report;
}

}  // namespace mosaic::eval
