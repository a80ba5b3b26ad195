#include "stores/gridded_arrays.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace mosaic {

namespace {

const std::map<AxisRole, std::string>& standard_names() {
  static const std::map<AxisRole, std::string> names = {{AxisRole::latitude, "latitude"},
                                                        {AxisRole::longitude, "longitude"},
                                                        {AxisRole::level, "air_pressure"},
                                                        {AxisRole::member, "realization"}};
  return names;
}

bool has_role(const std::string& name, const LabelledArray& array, AxisRole role) {
  const auto standard = standard_names().find(role);
  return is_axis_name(role, name) ||
         (standard != standard_names().end() && array.standard_name == standard->second);
}

}  // namespace

GriddedArrays::GriddedArrays(std::unique_ptr<LabelledArrays> arrays) : arrays_(std::move(arrays)) {
  find_grid();
  find_levels();
}

void GriddedArrays::share_tables(const GriddedArrays& other) {
  arrays_->share_table(*other.arrays_);
  if (*axes_ == *other.axes_) {
    axes_ = other.axes_;
  }
}

std::string GriddedArrays::find_axis(AxisRole role) const {
  for (const std::string& name : axis_names(role)) {
    const auto found = arrays_->arrays().find(name);
    if (found != arrays_->arrays().end() && found->second.is_coordinate(name)) {
      return name;
    }
  }
  for (const auto& [name, array] : arrays_->arrays()) {
    if (array.is_coordinate(name) && has_role(name, array, role)) {
      return name;
    }
  }
  return "";
}

std::string GriddedArrays::find_scalar(AxisRole role) const {
  for (const std::string& name : axis_names(role)) {
    const auto found = arrays_->arrays().find(name);
    if (found == arrays_->arrays().end() || found->second.is_coordinate(name)) {
      continue;
    }
    const auto& shape = found->second.shape;
    if (std::all_of(shape.begin(), shape.end(), [](std::size_t length) { return length == 1; })) {
      return name;
    }
  }
  return "";
}

void GriddedArrays::find_grid() {
  const std::string latitude = find_axis(AxisRole::latitude);
  const std::string longitude = find_axis(AxisRole::longitude);
  std::vector<std::string> missing;
  if (latitude.empty()) {
    missing.emplace_back("latitude");
  }
  if (longitude.empty()) {
    missing.emplace_back("longitude");
  }
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays_->arrays()) {
    names.push_back(name);
  }
  require(missing.empty(), ExitCode::missing_input,
          "{}: the coordinates {} are absent; there are: {}; where they have other names, rename them",
          path(), fmt::join(missing, ", "), fmt::join(names, ", "));
  *axes_ = normalise_axes(path(), arrays_->read_coordinate(latitude), arrays_->read_coordinate(longitude));
  declare(latitude, AxisRole::latitude);
  declare(longitude, AxisRole::longitude);
}

/// Several level dimensions are usual: variables with other levels than the first have level_2.
void GriddedArrays::find_levels() {
  for (const auto& [name, array] : arrays_->arrays()) {
    if (array.is_coordinate(name) && has_role(name, array, AxisRole::level)) {
      levels_[name] = decode_levels(arrays_->read_coordinate(name), array.units, path() + ": " + name);
      roles_[name] = AxisRole::level;
    }
  }
  if (const std::string scalar = find_scalar(AxisRole::level); !scalar.empty() && levels_.empty()) {
    scalar_level_ = decode_levels(arrays_->read_coordinate(scalar), arrays_->arrays().at(scalar).units,
                                  path() + ": " + scalar);
  }
}

void GriddedArrays::declare(const std::string& dimension, AxisRole role) { roles_[dimension] = role; }

AxisRole GriddedArrays::role_of(const std::string& dimension) const {
  const auto known = roles_.find(dimension);
  return known == roles_.end() ? AxisRole::single : known->second;
}

const std::vector<int>* GriddedArrays::levels_of(const LabelledArray& array) const {
  for (const std::string& dimension : array.dimensions) {
    if (role_of(dimension) == AxisRole::level) {
      return &levels_.at(dimension);
    }
  }
  return nullptr;
}

std::map<std::string, std::vector<int>> GriddedArrays::variables() const {
  std::map<std::string, std::vector<int>> found;
  for (const auto& [name, array] : arrays_->arrays()) {
    const auto has = [&](AxisRole role) {
      return std::any_of(array.dimensions.begin(), array.dimensions.end(),
                         [&](const std::string& dimension) { return role_of(dimension) == role; });
    };
    if (array.refusal.empty() && has(AxisRole::latitude) && has(AxisRole::longitude)) {
      const std::vector<int>* levels = levels_of(array);
      found[name] = levels != nullptr ? *levels : std::vector<int>{};
    }
  }
  return found;
}

ChannelSet GriddedArrays::channels() const {
  ChannelSet all;
  for (const auto& [name, levels] : variables()) {
    if (levels.empty()) {
      all.push_back({name, std::nullopt});
    }
    for (const int level : levels) {
      all.push_back({name, level});
    }
  }
  return all;
}

std::string GriddedArrays::obstacle(const Channel& channel, const std::set<AxisRole>& axes) const {
  const auto found = arrays_->arrays().find(channel.variable);
  if (found == arrays_->arrays().end()) {
    return channel.name() + " (no such variable)";
  }
  const LabelledArray& array = found->second;
  if (!array.refusal.empty()) {
    return channel.name() + " (" + array.refusal + ")";
  }
  std::set<AxisRole> needed = axes;
  needed.insert({AxisRole::latitude, AxisRole::longitude});
  std::set<AxisRole> lacking = needed;
  std::set<AxisRole> seen;
  for (std::size_t d = 0; d < array.dimensions.size(); ++d) {
    const AxisRole role = role_of(array.dimensions[d]);
    lacking.erase(role);
    const bool wanted = role == AxisRole::level || needed.contains(role);
    if (role == AxisRole::single || !wanted ? array.shape[d] != 1 : !seen.insert(role).second) {
      return fmt::format("{} (dimension {} of length {} is not understood; rename it)", channel.name(),
                         array.dimensions[d], array.shape[d]);
    }
    const auto coordinate = arrays_->arrays().find(array.dimensions[d]);
    if (coordinate != arrays_->arrays().end() && coordinate->second.is_coordinate(array.dimensions[d]) &&
        coordinate->second.shape[0] != array.shape[d]) {
      return fmt::format("{} (dimension {} has the length {}, its coordinate {})", channel.name(),
                         array.dimensions[d], array.shape[d], coordinate->second.shape[0]);
    }
  }
  if (!lacking.empty()) {
    return fmt::format(
        "{} (has the dimensions [{}]; latitude, longitude and the axes of the other variables "
        "are needed)",
        channel.name(), fmt::join(array.dimensions, ", "));
  }
  const std::vector<int>* levels = levels_of(array);
  if (levels != nullptr && !channel.level) {
    return channel.name() + " (needs a level)";
  }
  const std::vector<int>& known = levels != nullptr ? *levels : scalar_level_;
  if (channel.level && std::find(known.begin(), known.end(), *channel.level) == known.end()) {
    return channel.name() + (known.empty() ? " (has no levels)" : " (no such level)");
  }
  return "";
}

std::string GriddedArrays::identity_text() const {
  std::string text = arrays_->metadata_text();
  text += fmt::format("latitude {} longitude {}", fmt::join(axes_->grid.latitude, " "),
                      fmt::join(axes_->grid.longitude, " "));
  for (const auto& [name, levels] : levels_) {
    text += fmt::format(" {} {}", name, fmt::join(levels, " "));
  }
  return text + "\n";
}

}  // namespace mosaic
