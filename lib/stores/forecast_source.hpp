#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "stores/gridded_arrays.hpp"

namespace mosaic {

/// What the fields of a file are: an ensemble's members (or single forecasts), or statistics of it.
enum class ForecastProduct { member, mean, spread };

/// Forecasts in one Zarr store or NetCDF file: which initial times, leads and members, and where. Two
/// layouts:
///  1. a lead time dimension (or one lead as a scalar), `time` is the initial time, a dimension or a scalar;
///  2. CF, as ForecastWriter writes it: `time` is the valid time, forecast_reference_time a scalar.
class ForecastSource {
 public:
  /// Reads all coordinates. Errors: missing_input naming what is absent, corrupt_input.
  explicit ForecastSource(std::unique_ptr<LabelledArrays> arrays);

  /// Whether a file has one of the layouts with lead times, and is not a series of states at lead 0.
  static bool is_forecast(GriddedArrays& arrays);

  GriddedArrays& arrays() { return arrays_; }
  const GriddedArrays& arrays() const { return arrays_; }
  const std::string& path() const { return arrays_.path(); }
  /// In stored order; one if it is no dimension.
  const std::vector<Time>& initial_times() const { return initial_times_; }
  const std::vector<Duration>& leads() const { return leads_; }
  const std::vector<std::int64_t>& members() const { return members_; }
  bool numbers_members() const { return numbers_members_; }
  ForecastProduct product() const;
  /// The axes that its variables have besides grid and levels.
  const std::set<AxisRole>& axes() const { return axes_; }

 private:
  void find_series();
  bool find_valid_times();
  void find_members();
  void add_axis(const std::string& dimension, AxisRole role);
  std::vector<Time> times_of(const std::string& name);
  std::vector<Duration> leads_of(const std::string& name);

  GriddedArrays arrays_;
  std::vector<Time> initial_times_;
  std::vector<Duration> leads_;
  std::vector<std::int64_t> members_ = {0};
  bool numbers_members_ = false;
  std::set<AxisRole> axes_;
};

}  // namespace mosaic
