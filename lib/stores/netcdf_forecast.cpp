#include "stores/netcdf_forecast.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "base/error.hpp"

namespace mosaic {

namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;

enum class Product { member, mean, spread };

/// A variable with its levels, [hPa] ascending, none for a surface variable.
struct SelectedVariable {
  const VariableInfo* info = nullptr;
  std::vector<std::int32_t> levels;
  std::vector<std::size_t> channels;  // by level
  std::string level_dimension;
};

NetcdfAttributes texts(const Texts& pairs) {
  NetcdfAttributes attributes;
  for (const auto& [name, text] : pairs) {
    attributes.emplace_back(name, text);
  }
  return attributes;
}

std::vector<SelectedVariable> group_by_variable(const ChannelSet& channels) {
  std::vector<SelectedVariable> selected;
  for (const auto& channel : channels) {
    const VariableInfo* info = find_variable(channel.variable);
    require(info != nullptr, ExitCode::bad_configuration, "forecast output: unknown variable {}",
            channel.variable);
    const auto known = std::find_if(selected.begin(), selected.end(),
                                    [&](const SelectedVariable& one) { return one.info == info; });
    if (known == selected.end()) {
      selected.push_back({info, {}, {}, {}});
    }
  }
  for (auto& variable : selected) {
    std::map<int, std::size_t> by_level;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      if (find_variable(channels[i].variable) == variable.info) {
        by_level[channels[i].level.value_or(0)] = i;
        if (channels[i].level) {
          variable.levels.push_back(*channels[i].level);
        }
      }
    }
    std::sort(variable.levels.begin(), variable.levels.end());
    for (const auto& [level, channel] : by_level) {
      variable.channels.push_back(channel);
    }
  }
  return selected;
}

/// One dimension per distinct level set, in order of appearance. Returns (name, levels).
std::vector<std::pair<std::string, std::vector<std::int32_t>>> name_level_dimensions(
    std::vector<SelectedVariable>& selected) {
  std::vector<std::pair<std::string, std::vector<std::int32_t>>> dimensions;
  for (auto& variable : selected) {
    if (variable.levels.empty()) {
      continue;
    }
    auto known = std::find_if(dimensions.begin(), dimensions.end(),
                              [&](const auto& one) { return one.second == variable.levels; });
    if (known == dimensions.end()) {
      const std::string number = dimensions.empty() ? "" : fmt::format("_{}", dimensions.size() + 1);
      dimensions.emplace_back(fmt::format("level{}", number), variable.levels);
      known = std::prev(dimensions.end());
    }
    variable.level_dimension = known->first;
  }
  return dimensions;
}

std::string udunits_instant(Time time) {
  const CalendarTime c = calendar(time);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute,
                     c.second);
}

std::string iso_instant(Time time) {
  const CalendarTime c = calendar(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute,
                     c.second);
}

std::string iso_duration(Duration duration) { return fmt::format("PT{}S", duration.seconds); }

std::string height_name(double height) { return fmt::format("height_{:g}m", height); }

NetcdfVariable valid_times(const std::vector<Duration>& leads, Time initial_time) {
  NetcdfVariable time{"time", {"time"}, {}, {}};
  const bool whole_hours =
      std::all_of(leads.begin(), leads.end(), [](Duration lead) { return lead.seconds % 3600 == 0; });
  std::vector<std::int64_t> hours;
  std::vector<double> fractions;
  for (const Duration lead : leads) {
    hours.push_back(lead.seconds / 3600);
    fractions.push_back(lead.in_hours());
  }
  if (whole_hours) {
    time.values = hours;
  } else {
    time.values = fractions;
  }
  time.attributes = texts({{"standard_name", "time"},
                           {"long_name", "valid time"},
                           {"units", "hours since " + udunits_instant(initial_time)},
                           {"calendar", "proleptic_gregorian"},
                           {"axis", "T"}});
  return time;
}

void add_time_coordinates(NetcdfDocument& document, const std::vector<Duration>& leads, Time initial_time) {
  document.dimensions.emplace_back("time", leads.size());
  document.variables.push_back(valid_times(leads, initial_time));
  std::vector<std::int64_t> seconds;
  for (const Duration lead : leads) {
    seconds.push_back(lead.seconds);
  }
  document.variables.push_back(
      {"forecast_period",
       {"time"},
       seconds,
       texts({{"standard_name", "forecast_period"}, {"long_name", "lead time"}, {"units", "seconds"}})});
  document.variables.push_back({"forecast_reference_time",
                                {},
                                std::vector<std::int64_t>{initial_time.seconds},
                                texts({{"standard_name", "forecast_reference_time"},
                                       {"long_name", "initial time"},
                                       {"units", "seconds since 1970-01-01 00:00:00"},
                                       {"calendar", "proleptic_gregorian"}})});
}

void add_grid_coordinates(NetcdfDocument& document, const LatLonGrid& grid) {
  document.dimensions.emplace_back("latitude", grid.latitude.size());
  document.dimensions.emplace_back("longitude", grid.longitude.size());
  document.variables.push_back({"latitude",
                                {"latitude"},
                                grid.latitude,
                                texts({{"standard_name", "latitude"},
                                       {"long_name", "latitude"},
                                       {"units", "degrees_north"},
                                       {"axis", "Y"}})});
  document.variables.push_back({"longitude",
                                {"longitude"},
                                grid.longitude,
                                texts({{"standard_name", "longitude"},
                                       {"long_name", "longitude"},
                                       {"units", "degrees_east"},
                                       {"axis", "X"}})});
}

void add_realizations(NetcdfDocument& document, const std::vector<std::int32_t>& realizations,
                      bool dimension) {
  NetcdfVariable variable{"realization",
                          {},
                          realizations,
                          texts({{"standard_name", "realization"}, {"long_name", "ensemble member"}})};
  variable.attributes.emplace_back("units", std::string("1"));
  if (dimension) {
    document.dimensions.emplace_back("realization", realizations.size());
    variable.dimensions = {"realization"};
  }
  document.variables.push_back(std::move(variable));
}

void add_vertical_coordinates(NetcdfDocument& document, std::vector<SelectedVariable>& selected) {
  for (const auto& [name, levels] : name_level_dimensions(selected)) {
    document.dimensions.emplace_back(name, levels.size());
    document.variables.push_back({name,
                                  {name},
                                  levels,
                                  texts({{"standard_name", "air_pressure"},
                                         {"long_name", "pressure level"},
                                         {"units", "hPa"},
                                         {"positive", "down"},
                                         {"axis", "Z"}})});
  }
  std::set<double> heights;
  for (const auto& variable : selected) {
    if (variable.info->height && heights.insert(*variable.info->height).second) {
      document.variables.push_back({height_name(*variable.info->height),
                                    {},
                                    std::vector<double>{*variable.info->height},
                                    texts({{"standard_name", "height"},
                                           {"long_name", "height above the surface"},
                                           {"units", "m"},
                                           {"positive", "up"},
                                           {"axis", "Z"}})});
    }
  }
}

std::string now() {
  using std::chrono::system_clock;
  return iso_instant(Time{static_cast<std::int64_t>(system_clock::to_time_t(system_clock::now()))});
}

/// ACDD-1.3; what the options give replaces these.
NetcdfAttributes global_attributes(const ForecastWriterOptions& options, const LatLonGrid& grid,
                                   const std::string& id, Time initial_time) {
  const std::string created = now();
  std::map<std::string, std::string> all = {
      {"Conventions", "CF-1.11, ACDD-1.3"},
      {"title", "Weather forecast from " + to_string(initial_time)},
      {"summary",
       "Global fields of a weather forecast on a regular latitude-longitude grid, from the initial time " +
           iso_instant(initial_time)},
      {"keywords", "weather forecast, ensemble, numerical prediction"},
      {"source", "machine-learning weather model"},
      {"history", created + " forecast written"},
      {"license", "not stated by the producer"},
      {"id", id},
      {"cdm_data_type", "Grid"},
      {"standard_name_vocabulary", "CF Standard Name Table"},
      {"date_created", created},
      {"time_coverage_start", iso_instant(initial_time + options.leads.front())},
      {"time_coverage_end", iso_instant(initial_time + options.leads.back())},
      {"time_coverage_duration", iso_duration(options.leads.back() - options.leads.front())},
      {"geospatial_lat_units", "degrees_north"},
      {"geospatial_lon_units", "degrees_east"}};
  if (options.leads.size() > 1) {
    all["time_coverage_resolution"] = iso_duration(options.leads[1] - options.leads[0]);
  }
  for (const auto& [name, text] : options.attributes) {
    all[name] = text;
  }
  NetcdfAttributes attributes(all.begin(), all.end());
  attributes.emplace_back("geospatial_lat_min", grid.latitude.front());
  attributes.emplace_back("geospatial_lat_max", grid.latitude.back());
  attributes.emplace_back("geospatial_lon_min", grid.longitude.front());
  attributes.emplace_back("geospatial_lon_max", grid.longitude.back());
  return attributes;
}

void add_vertical_bounds(NetcdfAttributes& attributes, const std::vector<SelectedVariable>& selected) {
  std::set<std::int32_t> levels;
  for (const auto& variable : selected) {
    levels.insert(variable.levels.begin(), variable.levels.end());
  }
  if (!levels.empty()) {
    attributes.emplace_back("geospatial_vertical_min", static_cast<double>(*levels.begin()));
    attributes.emplace_back("geospatial_vertical_max", static_cast<double>(*levels.rbegin()));
    attributes.emplace_back("geospatial_vertical_units", std::string("hPa"));
    attributes.emplace_back("geospatial_vertical_positive", std::string("down"));
  }
}

std::string cell_methods(Product product) {
  switch (product) {
    case Product::mean:
      return "time: point realization: mean";
    case Product::spread:
      return "time: point realization: standard_deviation";
    case Product::member:
      break;
  }
  return "time: point";
}

NetcdfAttributes field_attributes(const ForecastWriterOptions& options, const VariableInfo& info,
                                  Product product, bool scalar_realization) {
  std::string long_name = info.long_name;
  if (product != Product::member) {
    long_name += product == Product::mean ? ", ensemble mean" : ", ensemble standard deviation";
  }
  std::string coordinates = "forecast_period forecast_reference_time";
  if (scalar_realization) {
    coordinates += " realization";
  }
  if (info.height) {
    coordinates += fmt::format(" {}", height_name(*info.height));
  }
  NetcdfAttributes attributes = texts({{"standard_name", info.standard_name},
                                       {"long_name", long_name},
                                       {"units", info.units},
                                       {"cell_methods", cell_methods(product)},
                                       {"coordinates", coordinates}});
  if (info.standard_name.empty()) {
    attributes.erase(attributes.begin());
  }
  attributes.emplace_back("_FillValue", std::numeric_limits<double>::quiet_NaN());
  if (options.quantize_digits) {  // the attribute NetCDF-C writes for its BitRound
    attributes.emplace_back("_QuantizeBitRoundNumberOfSignificantBits",
                            static_cast<std::int64_t>(mantissa_bits(*options.quantize_digits)));
  }
  return attributes;
}

struct FileRequest {
  std::string suffix;                      // of the file's name
  std::vector<std::int32_t> realizations;  // members in the file
};

/// Adds the variables of one product; in layout ensemble mean and spread carry it in their names.
void add_product(ForecastFile& file, const ForecastWriterOptions& options,
                 const std::vector<SelectedVariable>& selected, Product product,
                 const std::vector<std::size_t>& sources) {
  const bool ensemble = options.layout == ForecastLayout::ensemble;
  const bool member = product == Product::member;
  const std::string ending = !ensemble || member ? "" : product == Product::mean ? "_mean" : "_spread";
  for (const auto& variable : selected) {
    ForecastVariable field;
    field.channels = variable.channels;
    field.sources = sources;
    field.has_level = !variable.levels.empty();
    field.has_realization = ensemble && member;
    const VariableInfo& info = *variable.info;
    field.declaration.name = (options.naming == VariableNaming::cf ? info.cf_name : info.name) + ending;
    field.declaration.dimensions = {"time"};
    if (field.has_realization) {
      field.declaration.dimensions.emplace_back("realization");
    }
    if (field.has_level) {
      field.declaration.dimensions.push_back(variable.level_dimension);
    }
    field.declaration.dimensions.insert(field.declaration.dimensions.end(), {"latitude", "longitude"});
    field.declaration.values = std::vector<float>{};
    field.declaration.attributes = field_attributes(options, info, product, !ensemble && member);
    file.variables.push_back(std::move(field));
  }
}

ForecastFile begin_file(const ForecastWriterOptions& options, const LatLonGrid& grid, Time initial_time,
                        std::vector<SelectedVariable>& selected, const FileRequest& request) {
  ForecastFile file;
  const std::string id = "forecast_" + file_name_of(initial_time) + request.suffix;
  file.name = id + ".nc";
  add_time_coordinates(file.document, options.leads, initial_time);
  if (!request.realizations.empty()) {
    add_realizations(file.document, request.realizations, options.layout == ForecastLayout::ensemble);
  }
  add_vertical_coordinates(file.document, selected);
  add_grid_coordinates(file.document, grid);
  file.document.attributes = global_attributes(options, grid, id, initial_time);
  add_vertical_bounds(file.document.attributes, selected);
  return file;
}

ForecastFile plan_ensemble_file(const ForecastWriterOptions& options, const LatLonGrid& grid, int members,
                                Time initial_time, std::vector<SelectedVariable>& selected) {
  const auto count = static_cast<std::size_t>(members);
  FileRequest request;
  std::vector<std::size_t> sources;
  for (int member = 0; options.members && member < members; ++member) {
    request.realizations.push_back(options.first_member + member);
    sources.push_back(static_cast<std::size_t>(member));
  }
  ForecastFile file = begin_file(options, grid, initial_time, selected, request);
  if (options.members) {
    add_product(file, options, selected, Product::member, sources);
  }
  if (options.mean) {
    add_product(file, options, selected, Product::mean, {count});
  }
  if (options.spread) {
    add_product(file, options, selected, Product::spread, {count + 1});
  }
  return file;
}

}  // namespace

int mantissa_bits(int digits) { return static_cast<int>(std::ceil(digits * std::log2(10.0))); }

std::vector<ForecastFile> plan_forecast_files(const ForecastWriterOptions& options, const LatLonGrid& grid,
                                              int members, Time initial_time) {
  std::vector<SelectedVariable> selected = group_by_variable(options.channels);
  if (options.layout == ForecastLayout::ensemble) {
    return {plan_ensemble_file(options, grid, members, initial_time, selected)};
  }
  std::vector<ForecastFile> files;
  const auto add = [&](const FileRequest& request, Product product, std::size_t source) {
    files.push_back(begin_file(options, grid, initial_time, selected, request));
    add_product(files.back(), options, selected, product, {source});
  };
  for (int member = 0; options.members && member < members; ++member) {
    const int number = options.first_member + member;
    add({fmt::format("_member{:03}", number), {number}}, Product::member, static_cast<std::size_t>(member));
  }
  if (options.mean) {
    add({"_mean", {}}, Product::mean, static_cast<std::size_t>(members));
  }
  if (options.spread) {
    add({"_spread", {}}, Product::spread, static_cast<std::size_t>(members) + 1);
  }
  return files;
}

}  // namespace mosaic
