#include "stores/axes.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// Largest grid that is believed: 1 km has 8e8 points.
constexpr std::size_t most_points = std::size_t{1} << 31;

/// The order that sorts `values`. Errors: corrupt_input if two are equal.
std::vector<std::size_t> sorting_order(const std::vector<double>& values, const std::string& where) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    require(values[order[i - 1]] != values[order[i]], ExitCode::corrupt_input, "{}: {} degrees occurs twice",
            where, values[order[i]]);
  }
  return order;
}

std::vector<double> reordered(const std::vector<double>& values, const std::vector<std::size_t>& order) {
  std::vector<double> result;
  result.reserve(values.size());
  for (const std::size_t i : order) {
    result.push_back(values[i]);
  }
  return result;
}

double to_0_360(double longitude) {
  const double turned = longitude - 360.0 * std::floor(longitude / 360.0);
  return turned < 360.0 ? turned : 0.0;  // -1e-15 turns into 360
}

/// NaN is outside too.
void check_range(const std::vector<double>& values, double lowest, double highest, const std::string& where) {
  require(!values.empty(), ExitCode::corrupt_input, "{} is empty", where);
  for (const double value : values) {
    require(value >= lowest && value <= highest, ExitCode::corrupt_input, "{}: {} is outside {} ... {}",
            where, value, lowest, highest);
  }
}

}  // namespace

const std::vector<std::string>& axis_names(AxisRole role) {
  static const std::map<AxisRole, std::vector<std::string>> names = {
      {AxisRole::time, {"init_time", "initial_time", "forecast_reference_time", "time"}},
      {AxisRole::lead, {"prediction_timedelta", "lead_time", "step", "forecast_period", "lead"}},
      {AxisRole::member, {"number", "realization", "member", "ensemble", "sample"}},
      {AxisRole::level, {"level", "isobaricInhPa", "pressure_level", "plev", "lev"}},
      {AxisRole::latitude, {"latitude", "lat"}},
      {AxisRole::longitude, {"longitude", "lon"}},
      {AxisRole::hour, {"hour", "hour_of_day"}},
      {AxisRole::day_of_year, {"dayofyear", "day_of_year", "doy"}},
      {AxisRole::quantile, {"quantile"}},
      {AxisRole::single, {}}};
  return names.at(role);
}

bool is_axis_name(AxisRole role, const std::string& name) {
  const auto& names = axis_names(role);
  return std::find(names.begin(), names.end(), name) != names.end();
}

void HorizontalAxes::gather(const float* stored, std::size_t latitude_stride, std::size_t longitude_stride,
                            float* field) const {
  for (const std::size_t j : stored_latitude) {
    const float* row = stored + j * latitude_stride;
    for (const std::size_t i : stored_longitude) {
      *field++ = row[i * longitude_stride];
    }
  }
}

HorizontalAxes normalise_axes(const std::string& where, const std::vector<double>& latitude,
                              const std::vector<double>& longitude) {
  check_range(latitude, -90.0, 90.0, where + ": latitude");
  check_range(longitude, -360.0, 720.0, where + ": longitude");
  require(latitude.size() <= most_points / longitude.size(), ExitCode::corrupt_input,
          "{}: {} latitudes x {} longitudes are too many", where, latitude.size(), longitude.size());
  std::vector<double> turned(longitude.size());
  std::transform(longitude.begin(), longitude.end(), turned.begin(), to_0_360);
  HorizontalAxes axes;
  axes.stored_latitude = sorting_order(latitude, where + ": latitude");
  axes.stored_longitude = sorting_order(turned, where + ": longitude");
  axes.grid = {reordered(latitude, axes.stored_latitude), reordered(turned, axes.stored_longitude)};
  return axes;
}

std::vector<int> decode_levels(const std::vector<double>& values, const std::string& units,
                               const std::string& where) {
  static const std::set<std::string> hectopascal = {"", "hPa", "millibars", "millibar", "mbar", "mb"};
  require(units == "Pa" || hectopascal.contains(units), ExitCode::corrupt_input,
          "{}: unit \"{}\" is not read; use hPa or Pa", where, units);
  constexpr double highest = 2000.0;
  constexpr double whole = 1e-6;
  std::vector<int> levels;
  std::set<int> seen;
  for (const double value : values) {
    const double pressure = units == "Pa" ? value / 100.0 : value;
    require(pressure > 0.0 && pressure < highest && std::fabs(pressure - std::round(pressure)) < whole,
            ExitCode::corrupt_input, "{}: {} {} is no whole pressure in hPa", where, value, units);
    levels.push_back(static_cast<int>(std::lround(pressure)));
    require(seen.insert(levels.back()).second, ExitCode::corrupt_input, "{}: {} hPa occurs twice", where,
            levels.back());
  }
  return levels;
}

}  // namespace mosaic
