#include "stores/forecast_source.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "stores/cf_time.hpp"

namespace mosaic {

namespace {

/// The dimension of valid times in layout 2, empty if there is none.
std::string valid_time_axis(GriddedArrays& arrays) {
  for (const char* name : {"time", "valid_time"}) {
    const auto found = arrays.file().arrays().find(name);
    if (found != arrays.file().arrays().end() && found->second.is_coordinate(name)) {
      return name;
    }
  }
  return "";
}

/// The scalar initial time of layout 2: not `time`, which is valid time there.
std::string scalar_initial_time(GriddedArrays& arrays) {
  const std::string scalar = arrays.find_scalar(AxisRole::time);
  return scalar == "time" ? "" : scalar;
}

template <class Value, class Text>
void check_unique(std::vector<Value> values, const std::string& where, const Text& text) {
  std::sort(values.begin(), values.end());
  const auto twice = std::adjacent_find(values.begin(), values.end());
  require(twice == values.end(), ExitCode::corrupt_input, "{}: {} occurs twice", where,
          twice == values.end() ? "" : text(*twice));
}

}  // namespace

ForecastSource::ForecastSource(std::unique_ptr<LabelledArrays> arrays) : arrays_(std::move(arrays)) {
  find_members();
  if (!arrays_.find_axis(AxisRole::lead).empty() || !find_valid_times()) {
    find_series();
  }
  check_unique(initial_times_, path() + ": initial time", [](Time time) { return to_string(time); });
  check_unique(leads_, path() + ": lead time", [](Duration lead) { return to_string(lead); });
  check_unique(members_, path() + ": member", [](std::int64_t member) { return std::to_string(member); });
}

bool ForecastSource::is_forecast(GriddedArrays& arrays) {
  if (const std::string lead = arrays.find_axis(AxisRole::lead); !lead.empty()) {
    return arrays.file().arrays().at(lead).shape[0] > 1;
  }
  return !scalar_initial_time(arrays).empty() && !valid_time_axis(arrays).empty();
}

std::vector<Time> ForecastSource::times_of(const std::string& name) {
  const LabelledArray& array = arrays_.file().arrays().at(name);
  return decode_cf_times(arrays_.file().read_coordinate(name), array.units, array.calendar,
                         path() + ": " + name);
}

std::vector<Duration> ForecastSource::leads_of(const std::string& name) {
  return decode_leads(arrays_.file().read_coordinate(name), arrays_.file().arrays().at(name).units,
                      path() + ": " + name);
}

void ForecastSource::add_axis(const std::string& dimension, AxisRole role) {
  arrays_.declare(dimension, role);
  axes_.insert(role);
}

/// Layout 1.
void ForecastSource::find_series() {
  std::vector<std::string> missing;
  const std::string lead_axis = arrays_.find_axis(AxisRole::lead);
  const std::string lead = lead_axis.empty() ? arrays_.find_scalar(AxisRole::lead) : lead_axis;
  const std::string time_axis = arrays_.find_axis(AxisRole::time);
  const std::string time = time_axis.empty() ? arrays_.find_scalar(AxisRole::time) : time_axis;
  for (const auto& [name, role] : {std::pair{lead, AxisRole::lead}, std::pair{time, AxisRole::time}}) {
    if (name.empty()) {
      missing.push_back(fmt::format("{} time (one of {})", role == AxisRole::lead ? "lead" : "initial",
                                    fmt::join(axis_names(role), ", ")));
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays_.file().arrays()) {
    names.push_back(name);
  }
  require(
      missing.empty(), ExitCode::missing_input,
      "{}: no {}; there are: {}. Rename a coordinate that has another name; a file without lead times is no "
      "forecast",
      path(), fmt::join(missing, " and no "), fmt::join(names, ", "));
  leads_ = leads_of(lead);
  initial_times_ = times_of(time);
  if (!lead_axis.empty()) {
    add_axis(lead_axis, AxisRole::lead);
  }
  if (!time_axis.empty()) {
    add_axis(time_axis, AxisRole::time);
  }
}

/// Layout 2; false if it is not that.
bool ForecastSource::find_valid_times() {
  const std::string axis = valid_time_axis(arrays_);
  const std::string initial_time = scalar_initial_time(arrays_);
  if (axis.empty() || initial_time.empty()) {
    return false;
  }
  initial_times_ = times_of(initial_time);
  for (const Time valid : times_of(axis)) {
    leads_.push_back(valid - initial_times_.front());
    require(leads_.back().seconds >= 0, ExitCode::corrupt_input, "{}: {} {} is before {} {}", path(), axis,
            to_string(valid), initial_time, to_string(initial_times_.front()));
  }
  for (const std::string& name : axis_names(AxisRole::lead)) {
    const auto period = arrays_.file().arrays().find(name);
    if (period != arrays_.file().arrays().end() && period->second.dimensions == std::vector{axis}) {
      require(leads_of(name) == leads_, ExitCode::corrupt_input,
              "{}: {} is not {} minus {}; the file contradicts itself", path(), name, axis, initial_time);
    }
  }
  add_axis(axis, AxisRole::lead);
  return true;
}

/// A dimension without a coordinate counts from 0; a scalar numbers the only member.
void ForecastSource::find_members() {
  const std::string axis = arrays_.find_axis(AxisRole::member);
  const std::string source = axis.empty() ? arrays_.find_scalar(AxisRole::member) : axis;
  if (!axis.empty()) {
    add_axis(axis, AxisRole::member);
  }
  if (!source.empty()) {
    numbers_members_ = true;
    members_.clear();
    for (const double value : arrays_.file().read_coordinate(source)) {
      require(value == std::round(value) && std::fabs(value) < 1e15, ExitCode::corrupt_input,
              "{}: member {} {} is no whole number", path(), source, value);
      members_.push_back(static_cast<std::int64_t>(value));
    }
    return;
  }
  for (const auto& [name, array] : arrays_.file().arrays()) {
    for (std::size_t d = 0; d < array.dimensions.size(); ++d) {
      if (!is_axis_name(AxisRole::member, array.dimensions[d])) {
        continue;
      }
      require(array.shape[d] > 0 && array.shape[d] <= longest_coordinate, ExitCode::corrupt_input,
              "{}: {} members along {} are not read", path(), array.shape[d], array.dimensions[d]);
      add_axis(array.dimensions[d], AxisRole::member);
      numbers_members_ = true;
      members_.resize(array.shape[d]);
      for (std::size_t m = 0; m < members_.size(); ++m) {
        members_[m] = static_cast<std::int64_t>(m);
      }
      return;
    }
  }
}

ForecastProduct ForecastSource::product() const {
  const auto variables = arrays_.variables();
  ForecastProduct product = variables.empty() ? ForecastProduct::member : ForecastProduct::mean;
  for (const auto& [name, levels] : variables) {
    const std::string& methods = arrays_.array(name).cell_methods;
    if (methods.find("realization:") == std::string::npos) {
      return ForecastProduct::member;
    }
    if (methods.find("realization: standard_deviation") != std::string::npos) {
      product = ForecastProduct::spread;
    }
  }
  return product;
}

}  // namespace mosaic
