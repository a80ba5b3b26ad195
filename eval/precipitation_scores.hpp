#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "kernels/area_mask.hpp"
#include "kernels/seeps/seeps.hpp"
#include "stores/climatology_store.hpp"

namespace mosaic::eval {

/// The climate at one valid time. Shapes: [lat, lon].
struct SeepsFields {
  double dry_threshold = 0.0;                              ///< d   [m]
  std::shared_ptr<const std::vector<float>> dry_fraction;  ///< p1
  std::vector<float> wet_threshold;                        ///< h   [m]
};

/// What SEEPS needs to know of the climate of a variable: total_precipitation_24hr or _6hr.
class SeepsClimate {
 public:
  /// Reads VAR_seeps_dry_fraction at all days and hours of the store. `climatology` must outlive this.
  /// Errors: missing_input for other variables and for what the store has not.
  SeepsClimate(ClimatologyStore& climatology, const std::string& variable);

  /// d   [m]
  double dry_threshold() const { return dry_threshold_; }
  /// p1: the mean of the dry fractions that are there over hours and days of the year. Shape: [lat, lon].
  const std::vector<float>& dry_fraction() const { return *dry_fraction_; }
  /// With h at the day of the year and hour of `valid_time`. Errors: missing_input.
  SeepsFields at(Time valid_time) const;

 private:
  ClimatologyStore& climatology_;
  std::string variable_;
  double dry_threshold_ = 0.0;
  std::shared_ptr<const std::vector<float>> dry_fraction_;
};

/// SEEPS over areas.
struct SeepsScores {
  std::vector<double> members;        ///< [R, M] of each member
  std::vector<double> ensemble_mean;  ///< [R] of the forecast that is the mean of the members
};

/// SEEPS of one variable at one lead: M members [lat, lon] against the truth, all in metres,
/// over `areas` [R]. The ensemble mean is formed in double and rounded to float32; it is missing where a
/// member is. Errors: internal for sizes that do not fit the climatology's grid.
SeepsScores score_seeps(std::span<const float* const> members, const float* truth, const SeepsFields& climate,
                        const LatLonGrid& grid, std::span<const kernels::AreaMask> areas,
                        kernels::SeepsVariant variant, int threads);

}  // namespace mosaic::eval
