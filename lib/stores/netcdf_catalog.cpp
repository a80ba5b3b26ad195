#include "stores/netcdf_catalog.hpp"

#include <algorithm>
#include <cmath>
#include <netcdf>

#include "base/error.hpp"
#include "fields/channel.hpp"
#include "stores/cf_time.hpp"
#include "stores/netcdf_attributes.hpp"

namespace mosaic {

namespace {

/// A field over, say, latitude and latitude is larger than the grid.
bool each_role_once(const std::vector<AxisRole>& roles) {
  return std::all_of(roles.begin(), roles.end(), [&](AxisRole role) {
    return role == AxisRole::single || std::count(roles.begin(), roles.end(), role) == 1;
  });
}

/// Builds the catalog of one file, coordinate by coordinate.
class Cataloguer {
 public:
  Cataloguer(const std::string& path, const netCDF::NcFile& file) : path_(path), file_(file) {
    catalog_.path = path;
  }

  NetcdfCatalog build(std::optional<std::int64_t> member) {
    read_grid();
    find_times();
    choose_lead();
    choose_member(member);
    read_variables();
    describe();
    return std::move(catalog_);
  }

 private:
  netCDF::NcVar variable(const std::string& name) const { return file_.getVar(name); }

  std::vector<double> values(const netCDF::NcVar& coordinate) const {
    std::size_t count = 1;
    for (const auto& dimension : coordinate.getDims()) {
      const std::size_t length = dimension.getSize();
      require(length <= longest_coordinate && count * length <= longest_coordinate, ExitCode::corrupt_input,
              "{}: coordinate {} has more than {} values", path_, coordinate.getName(), longest_coordinate);
      count *= length;
    }
    std::vector<double> result(count);
    coordinate.getVar(result.data());
    return result;
  }

  /// The coordinate variable of the dimension with this role, by name or standard name.
  netCDF::NcVar find_coordinate(AxisRole role, const std::string& standard_name) const {
    for (const auto& [name, candidate] : file_.getVars()) {
      const bool fits = is_axis_name(role, name) || text_of(candidate, "standard_name") == standard_name;
      if (fits && candidate.getDimCount() == 1 && candidate.getDim(0).getName() == name) {
        return candidate;
      }
    }
    return {};
  }

  void read_grid() {
    const netCDF::NcVar latitude = find_coordinate(AxisRole::latitude, "latitude");
    const netCDF::NcVar longitude = find_coordinate(AxisRole::longitude, "longitude");
    require(!latitude.isNull() && !longitude.isNull(), ExitCode::missing_input,
            "{}: no regular grid: {}{} absent as one-dimensional coordinates", path_,
            latitude.isNull() ? "latitude " : "", longitude.isNull() ? "longitude " : "");
    roles_[latitude.getName()] = AxisRole::latitude;
    roles_[longitude.getName()] = AxisRole::longitude;
    catalog_.axes = normalise_axes(path_, values(latitude), values(longitude));
  }

  /// valid_time wins over time: files of cfgrib have both, and time is the initial time then.
  void find_times() {
    for (const char* name : {"valid_time", "time"}) {
      const netCDF::NcVar coordinate = variable(name);
      if (coordinate.isNull() || coordinate.getDimCount() > 1) {
        continue;
      }
      catalog_.times = decode_cf_times(values(coordinate), text_of(coordinate, "units"),
                                       text_of(coordinate, "calendar"), path_ + ": " + name);
      if (coordinate.getDimCount() == 1) {
        roles_[coordinate.getDim(0).getName()] = AxisRole::time;
      }
      times_are_valid_ = std::string(name) == "valid_time";
      return;
    }
  }

  void choose_lead() {
    for (const auto& name : axis_names(AxisRole::lead)) {
      const netCDF::NcVar coordinate = variable(name);
      const bool axis = !coordinate.isNull() && coordinate.getDimCount() == 1;
      if (!axis || roles_.contains(coordinate.getDim(0).getName())) {
        continue;
      }
      roles_[coordinate.getDim(0).getName()] = AxisRole::lead;
      const std::vector<Duration> leads =
          decode_leads(values(coordinate), text_of(coordinate, "units"), path_ + ": " + name);
      const auto zero = std::find(leads.begin(), leads.end(), Duration{});
      require(zero != leads.end() || leads.size() == 1, ExitCode::corrupt_input,
              "{}: {} lead times along {} and none is 0: this is a forecast, not a series of states", path_,
              leads.size(), name);
      catalog_.lead = zero != leads.end() ? static_cast<std::size_t>(zero - leads.begin()) : 0;
      for (Time& time : catalog_.times) {
        time.seconds += times_are_valid_ ? 0 : leads[catalog_.lead].seconds;
      }
    }
  }

  void choose_member(std::optional<std::int64_t> member) {
    const netCDF::NcVar coordinate = find_coordinate(AxisRole::member, "realization");
    if (coordinate.isNull()) {
      require(!member, ExitCode::missing_input, "{}: member {} was asked for, but there is no ensemble",
              path_, member.value_or(0));
      return;
    }
    roles_[coordinate.getName()] = AxisRole::member;
    const std::vector<double> members = values(coordinate);
    require(member || members.size() == 1, ExitCode::missing_input,
            "{}: has {} members; choose one of {} by its value: {}", path_, members.size(),
            coordinate.getName(), fmt::join(members, ", "));
    const auto wanted = member ? static_cast<double>(*member) : members.front();
    const auto found = std::find(members.begin(), members.end(), wanted);
    require(found != members.end(), ExitCode::missing_input, "{}: no member {}; {} has {}", path_, wanted,
            coordinate.getName(), fmt::join(members, ", "));
    catalog_.member = static_cast<std::size_t>(found - members.begin());
  }

  bool is_level(const netCDF::NcVar& coordinate) const {
    return is_axis_name(AxisRole::level, coordinate.getName()) ||
           text_of(coordinate, "standard_name") == "air_pressure";
  }

  std::vector<int> levels_of(const netCDF::NcVar& coordinate) const {
    return decode_levels(values(coordinate), text_of(coordinate, "units"),
                         path_ + ": " + coordinate.getName());
  }

  /// Nothing if it is not a field on the grid, or has an axis of several values that is not understood.
  std::optional<CatalogVariable> inspect(const netCDF::NcVar& source) const {
    CatalogVariable field;
    field.name = source.getName();
    for (const auto& dimension : source.getDims()) {
      const auto known = roles_.find(dimension.getName());
      const netCDF::NcVar coordinate = variable(dimension.getName());
      if (known != roles_.end()) {
        field.roles.push_back(known->second);
      } else if (!coordinate.isNull() && coordinate.getDimCount() == 1 && is_level(coordinate)) {
        field.roles.push_back(AxisRole::level);
        field.levels = levels_of(coordinate);
      } else if (dimension.getSize() == 1) {
        field.roles.push_back(AxisRole::single);
      } else {
        return std::nullopt;
      }
    }
    const bool on_grid = field.has_axis(AxisRole::latitude) && field.has_axis(AxisRole::longitude);
    return on_grid && each_role_once(field.roles) ? std::optional(field) : std::nullopt;
  }

  /// The level of a file with one level that is a scalar coordinate (cfgrib).
  std::vector<int> scalar_level() const {
    for (const auto& name : axis_names(AxisRole::level)) {
      const netCDF::NcVar coordinate = variable(name);
      if (!coordinate.isNull() && coordinate.getDimCount() == 0) {
        return levels_of(coordinate);
      }
    }
    return {};
  }

  void read_variables() {
    const std::vector<int> single_level = scalar_level();
    for (const auto& [name, source] : file_.getVars()) {
      const auto type = source.getType().getId();
      if (type == NC_CHAR || type >= NC_STRING) {
        continue;
      }
      std::optional<CatalogVariable> field = inspect(source);
      if (!field) {
        continue;
      }
      if (field->levels.empty()) {
        field->levels = single_level;
      }
      field->scale = number_of(source, "scale_factor").value_or(1.0);
      field->offset = number_of(source, "add_offset").value_or(0.0);
      for (const char* attribute : {"_FillValue", "missing_value"}) {
        if (const auto value = number_of(source, attribute)) {
          field->missing.push_back(*value);
        }
      }
      const VariableInfo* info = find_variable(name);
      catalog_.variables.emplace(info != nullptr ? info->name : name, std::move(*field));
    }
  }

  void describe() {
    std::string& text = catalog_.metadata;
    text = fmt::format("latitude {} longitude {} member {} lead {}\n",
                       fmt::join(catalog_.axes.grid.latitude, " "),
                       fmt::join(catalog_.axes.grid.longitude, " "), catalog_.member, catalog_.lead);
    for (const Time time : catalog_.times) {
      text += fmt::format("{} ", time.seconds);
    }
    for (const auto& [name, field] : catalog_.variables) {
      text += fmt::format("\n{} {} levels {} scale {} offset {} dimensions", name, field.name,
                          fmt::join(field.levels, " "), field.scale, field.offset);
      for (const AxisRole role : field.roles) {
        text += fmt::format(" {}", static_cast<int>(role));
      }
    }
  }

  const std::string path_;
  const netCDF::NcFile& file_;
  std::map<std::string, AxisRole> roles_;  // by dimension
  bool times_are_valid_ = false;
  NetcdfCatalog catalog_;
};

}  // namespace

bool CatalogVariable::has_axis(AxisRole role) const {
  return std::find(roles.begin(), roles.end(), role) != roles.end();
}

NetcdfCatalog read_catalog(const std::string& path, const netCDF::NcFile& file,
                           std::optional<std::int64_t> member) {
  return Cataloguer(path, file).build(member);
}

}  // namespace mosaic
