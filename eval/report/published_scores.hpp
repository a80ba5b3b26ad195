#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"

namespace mosaic::eval {

/// A score that others published, in the terms of our scores and SI units.
struct PublishedScore {
  std::string model;
  int year = 0;
  std::string truth;
  std::string grid;  ///< of the table: "1.5deg"
  std::optional<int> members;
  Channel channel;
  std::string metric;  ///< name of ours (eval/scores.hpp)
  Duration lead;
  double value = 0;
  bool approximate = false;  ///< read off a figure or a web page: a marker, never a bar to pass
};

/// Every row of the tables in `folder` (config/published_scores/README.md) that has one of our scores as its
/// counterpart, global means all:
///   crps_fair, or crps of tables whose crps is fair            -> crps
///   ensemble_mean_mse (its root), ensemble_mean_rmse           -> ensemble_mean_rmse
///   rmse of one member                                         -> ensemble_mean_rmse
///   spread_skill_ratio with sqrt((M + 1) / M)                  -> spread_skill_fortin
///   spread_skill_ratio without it, spread_skill_ratio_unbiased -> spread_skill_raw, spread_skill_unbiased
///   bias                                                       -> itself
/// (acc has none: whether it is a mean over initial times or pooled is not stated)
/// Errors: missing_input for an absent file, corrupt_input naming file and line.
std::vector<PublishedScore> read_published_scores(const std::string& folder);

/// The rows of this grid ("240 x 121, latitudes -90 ... 90") and year. Rows whose truth contradicts the path
/// of the run's truth (era5 or hres in its name) are left out. Errors: corrupt_input saying which grids and
/// years there are if none fits.
std::vector<PublishedScore> matching_scores(const std::vector<PublishedScore>& all, const std::string& grid,
                                            std::optional<int> year, const std::string& truth_path);

}  // namespace mosaic::eval
