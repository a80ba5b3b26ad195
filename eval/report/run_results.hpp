#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "eval/init_time_sums.hpp"
#include "eval/score_intervals.hpp"

namespace mosaic::eval {

/// What the results folder of a run (mosaic_hindcast, mosaic_evaluate) says.
struct RunResults {
  std::string folder;
  std::string label;  ///< last part of the folder's path, or what tells runs apart
  bool finished = false;
  std::size_t planned = 0;         ///< initial times of the whole run; 0 if no record says so
  std::string grid;                ///< in words; empty if it is not stated (unfinished runs)
  std::string truth;               ///< path of the truth
  std::string truth_identity;      ///< of its content; empty if it is not stated
  std::string regions;             ///< as the configuration has them, boxes with their bounds
  ScoreOptions options;            ///< channels, leads, treatment of missing values, kind of the time mean
  std::vector<InitTimeSums> sums;  ///< ascending
  RunScores scores;

  int members() const { return sums.front().members; }
  const std::vector<std::string>& region_names() const { return sums.front().regions; }
  /// First and last initial time: "2020-01-01T00 ... 2020-12-31T12".
  std::string period() const;
  /// The year of all initial times, if it is one.
  std::optional<int> year() const;
};

/// Reads sums.nc, or sums/*.nc of a run that is not finished, and identity.json, run.json and metrics.nc
/// where they are. Errors: missing_input for an absent folder or one without results; corrupt_input for
/// damaged files, naming the file.
RunResults read_run(const std::string& folder);

/// Gives runs of equal labels their whole paths as labels.
void make_labels_unique(std::vector<RunResults>& runs);

/// Why scores of the two in this region must not be subtracted (other grid, truth or averages), in words;
/// nothing if they may be.
std::optional<std::string> reason_against_difference(const RunResults& a, const RunResults& b,
                                                     const std::string& region);

/// Unit of a channel's field, also of wind vectors; "unknown" for foreign variables.
std::string unit_of(const Channel& channel);

}  // namespace mosaic::eval
