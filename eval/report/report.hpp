#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "eval/block_bootstrap.hpp"
#include "eval/report/published_scores.hpp"
#include "eval/report/run_results.hpp"

namespace mosaic::eval {

struct ReportOptions {
  std::vector<std::string> runs;           ///< folders
  std::string reference = {};              ///< folder; empty: none
  std::string published = {};              ///< folder of published tables to compare with; empty: none
  std::string region = {};                 ///< empty: the first of the first run
  std::vector<std::string> channels = {};  ///< names; empty: the headline channels that the runs have
  BootstrapOptions bootstrap = {};
  int threads = 1;  ///< no influence on results
};

/// A score of a run, and what it differs from the reference by.
struct ScoreCell {
  Interval score;
  std::optional<Interval> difference;  ///< only where both have it
};

struct ScoreKey {
  std::size_t run;
  std::string channel;
  Duration lead;
  std::string metric;
  friend auto operator<=>(const ScoreKey&, const ScoreKey&) = default;
};

/// All numbers of a report; tables, JSON and figures only show them.
struct Report {
  ReportOptions options;
  std::vector<RunResults> runs;          ///< the reference last if it is none of the runs
  std::optional<std::size_t> reference;  ///< into runs
  std::string region;
  ChannelSet channels;
  std::map<ScoreKey, ScoreCell> scores;
  std::vector<PublishedScore> published;  ///< of the grid and year of all runs
  std::vector<std::string> remarks;       ///< what a reader must know: unfinished, not common, side by side

  /// Null where a run does not have it.
  const ScoreCell* find(const ScoreKey& key) const;
  /// Leads of any run, ascending.
  std::vector<Duration> leads() const;
  /// Whether the run is compared with the reference.
  bool has_difference(std::size_t run) const;
};

/// Scores of a report: ensemble_mean_rmse, crps, spread_skill_fortin, bias, acc; ensemble_stddev,
/// spread_skill_raw, spread_skill_unbiased; rps, seeps, ensemble_mean_seeps. Those of spread only for several
/// members, acc only with a climatology, the last three only for channels with thresholds or SEEPS.
const std::vector<std::string>& report_metrics();

/// Reads the runs and computes everything. Errors: as read_run() and matching_scores(); usage for a region or
/// channel that is in no run, saying which there are; corrupt_input if a run and the reference must not be
/// subtracted, with the reason.
Report make_report(const ReportOptions& options);

}  // namespace mosaic::eval
