#include "forecast_samples.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "base/files.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::test {

namespace {

using Index = std::map<AxisRole, std::size_t>;

std::size_t length_of(const SampleFile& file, const std::string& dimension) {
  const auto found = std::find_if(file.dimensions.begin(), file.dimensions.end(),
                                  [&](const auto& known) { return known.first == dimension; });
  return found->second;
}

std::string quoted_list(const std::vector<std::string>& names) {
  return names.empty() ? "[]" : fmt::format("[\"{}\"]", fmt::join(names, "\",\""));
}

/// Calls body(index) for all indices below `shape` in C order.
void for_each(const std::vector<std::size_t>& shape,
              const std::function<void(const std::vector<std::size_t>&)>& body) {
  std::vector<std::size_t> index(shape.size(), 0);
  std::size_t count = 1;
  for (const std::size_t length : shape) {
    count *= length;
  }
  for (std::size_t i = 0; i < count; ++i) {
    body(index);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) {
        break;
      }
      index[d] = 0;
    }
  }
}

template <class Value>
std::string chunk_bytes(const SampleArray& array, const std::vector<std::size_t>& shape,
                        const std::vector<std::size_t>& chunks, const std::vector<std::size_t>& chunk) {
  std::vector<Value> values;
  for_each(chunks, [&](const std::vector<std::size_t>& inside) {
    std::size_t position = 0;
    bool padding = false;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      const std::size_t index = chunk[d] * chunks[d] + inside[d];
      padding = padding || index >= shape[d];
      position = position * shape[d] + index;
    }
    values.push_back(padding ? Value{-1} : static_cast<Value>(array.values[position]));
  });
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

void write_zarr_array(const std::string& folder, const SampleArray& array,
                      const std::vector<std::size_t>& shape, const std::vector<std::size_t>& chunks) {
  create_folder(folder);
  write_text(folder + "/.zarray",
             fmt::format(R"({{"zarr_format":2,"shape":[{}],"chunks":[{}],"dtype":"{}","fill_value":"NaN",)"
                         R"("order":"C","filters":null,"compressor":null}})",
                         fmt::join(shape, ","), fmt::join(chunks, ","), array.is_field ? "<f4" : "<f8"));
  std::string attributes = fmt::format("{{\"_ARRAY_DIMENSIONS\":{}", quoted_list(array.dimensions));
  for (const auto& [name, text] : array.attributes) {
    attributes += fmt::format(",\"{}\":\"{}\"", name, text);
  }
  write_text(folder + "/.zattrs", attributes + "}");
  std::vector<std::size_t> counts;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    counts.push_back((shape[d] + chunks[d] - 1) / chunks[d]);
  }
  for_each(counts, [&](const std::vector<std::size_t>& chunk) {
    const std::string name = chunk.empty() ? "0" : fmt::format("{}", fmt::join(chunk, "."));
    write_text(folder + "/" + name, array.is_field ? chunk_bytes<float>(array, shape, chunks, chunk)
                                                   : chunk_bytes<double>(array, shape, chunks, chunk));
  });
}

template <class Value>
std::vector<double> doubles(const std::vector<Value>& values) {
  return {values.begin(), values.end()};
}

/// Adds latitude and longitude in the order of the spelling.
void add_grid(SampleFile& file, const Spelling& spelling) {
  std::vector<double> latitude = forecast_sample::grid.latitude;
  std::vector<double> longitude = forecast_sample::grid.longitude;
  if (spelling.north_first) {
    std::reverse(latitude.begin(), latitude.end());
  }
  if (spelling.from_minus_180) {
    longitude = {-180.0, -90.0, 0.0, 90.0};
  }
  for (const auto& [role, values] :
       {std::pair{AxisRole::latitude, latitude}, std::pair{AxisRole::longitude, longitude}}) {
    const std::string& name = spelling.names.at(role);
    file.dimensions.emplace_back(name, values.size());
    file.arrays.push_back({name, {name}, values, false, {}});
  }
}

void add_axis(SampleFile& file, const std::string& name, const std::vector<double>& values,
              const std::string& units) {
  file.dimensions.emplace_back(name, values.size());
  file.arrays.push_back({name, {name}, values, false, {}});
  if (!units.empty()) {
    file.arrays.back().attributes = {{"units", units}};
  }
}

/// A field over `roles`; `value` is given indices of the normalised grid.
void add_field(SampleFile& file, const Spelling& spelling, const std::string& name,
               const std::vector<AxisRole>& roles, const std::function<float(Index&)>& value) {
  SampleArray array{name, {}, {}, true, {}};
  std::vector<AxisRole> order;
  std::vector<std::size_t> shape;
  for (const AxisRole role : spelling.order) {
    if (std::find(roles.begin(), roles.end(), role) != roles.end()) {
      order.push_back(role);
      array.dimensions.push_back(spelling.names.at(role));
      shape.push_back(length_of(file, array.dimensions.back()));
    }
  }
  for_each(shape, [&](const std::vector<std::size_t>& stored) {
    Index index;
    for (std::size_t d = 0; d < order.size(); ++d) {
      index[order[d]] = stored[d];
    }
    std::size_t& row = index[AxisRole::latitude];
    row = spelling.north_first ? forecast_sample::grid.latitude.size() - 1 - row : row;
    std::size_t& column = index[AxisRole::longitude];
    const std::size_t columns = forecast_sample::grid.longitude.size();
    column = spelling.from_minus_180 ? (column + columns / 2) % columns : column;
    array.values.push_back(static_cast<double>(value(index)));
  });
  file.arrays.push_back(std::move(array));
}

}  // namespace

SampleArray& SampleFile::array(const std::string& name) {
  return *std::find_if(arrays.begin(), arrays.end(),
                       [&](const SampleArray& one) { return one.name == name; });
}

void SampleFile::erase(const std::string& name) {
  std::erase_if(arrays, [&](const SampleArray& one) { return one.name == name; });
}

void write_zarr_sample(const std::string& path, const SampleFile& file,
                       const std::map<std::string, std::size_t>& chunks) {
  std::filesystem::remove_all(path);
  create_folder(path);
  write_text(path + "/.zgroup", R"({"zarr_format":2})");
  for (const SampleArray& array : file.arrays) {
    std::vector<std::size_t> shape;
    std::vector<std::size_t> sizes;
    for (const std::string& dimension : array.dimensions) {
      shape.push_back(length_of(file, dimension));
      const auto chunk = chunks.find(dimension);
      sizes.push_back(chunk == chunks.end() || !array.is_field ? shape.back() : chunk->second);
    }
    write_zarr_array(path + "/" + array.name, array, shape, sizes);
  }
}

void write_netcdf_sample(const std::string& path, const SampleFile& file) {
  NetcdfDocument document;
  document.dimensions = file.dimensions;
  for (const SampleArray& array : file.arrays) {
    NetcdfVariable variable{array.name, array.dimensions, array.values, {}};
    if (array.is_field) {
      variable.values = std::vector<float>(array.values.begin(), array.values.end());
    }
    for (const auto& [name, text] : array.attributes) {
      variable.attributes.emplace_back(name, text);
    }
    document.variables.push_back(std::move(variable));
  }
  write_netcdf(path, document);
}

namespace forecast_sample {

Spelling weatherbench() {
  Spelling spelling;
  spelling.names = {{AxisRole::time, "time"},         {AxisRole::lead, "prediction_timedelta"},
                    {AxisRole::member, "number"},     {AxisRole::level, "level"},
                    {AxisRole::latitude, "latitude"}, {AxisRole::longitude, "longitude"}};
  spelling.order = {AxisRole::time,  AxisRole::member,    AxisRole::lead,
                    AxisRole::level, AxisRole::longitude, AxisRole::latitude};
  return spelling;
}

SampleFile file(const Spelling& spelling) {
  SampleFile file;
  add_grid(file, spelling);
  std::vector<double> hours;
  for (const Time time : times) {
    hours.push_back((time - parse_time("2020-01-01")).in_hours());
  }
  std::vector<double> lead_values;
  for (const Duration lead : leads) {
    lead_values.push_back(lead.in_hours() * spelling.leads_per_hour);
  }
  add_axis(file, spelling.names.at(AxisRole::time), hours, "hours since 2020-01-01");
  add_axis(file, spelling.names.at(AxisRole::lead), lead_values, spelling.lead_units);
  add_axis(file, spelling.names.at(AxisRole::level), doubles(levels), "hPa");
  if (std::find(spelling.order.begin(), spelling.order.end(), AxisRole::member) != spelling.order.end()) {
    add_axis(file, spelling.names.at(AxisRole::member), doubles(members), "");
  }
  const auto at = [](Index& index, const Channel& channel) {
    return value(index[AxisRole::time], index[AxisRole::lead], index[AxisRole::member], channel,
                 index[AxisRole::latitude], index[AxisRole::longitude]);
  };
  std::vector<AxisRole> roles = spelling.order;
  add_field(file, spelling, "geopotential", roles, [&](Index& index) {
    return at(index, {"geopotential", levels[index[AxisRole::level]]});
  });
  std::erase(roles, AxisRole::level);
  add_field(file, spelling, "2m_temperature", roles, [&](Index& index) {
    return at(index, {"2m_temperature", {}});
  });
  return file;
}

float value(std::size_t time, std::size_t lead, std::size_t member, const Channel& channel, std::size_t row,
            std::size_t column) {
  std::size_t number = channel.level ? static_cast<std::size_t>(*channel.level) : 0;
  for (const std::size_t digit : {time, lead, member, row, column}) {
    number = number * 5 + digit;
  }
  return static_cast<float>(number) + 0.25F;
}

std::vector<float> expected(std::size_t time, std::size_t lead, const ChannelSet& wanted,
                            const std::vector<std::size_t>& chosen) {
  std::vector<float> values;
  for (const std::size_t member : chosen) {
    for (const Channel& channel : wanted) {
      for (std::size_t j = 0; j < grid.latitude.size(); ++j) {
        for (std::size_t i = 0; i < grid.longitude.size(); ++i) {
          values.push_back(value(time, lead, member, channel, j, i));
        }
      }
    }
  }
  return values;
}

}  // namespace forecast_sample

namespace climatology_sample {

Spelling weatherbench() {
  Spelling spelling;
  spelling.names = {{AxisRole::hour, "hour"},         {AxisRole::day_of_year, "dayofyear"},
                    {AxisRole::quantile, "quantile"}, {AxisRole::level, "level"},
                    {AxisRole::latitude, "latitude"}, {AxisRole::longitude, "longitude"}};
  spelling.order = {AxisRole::quantile, AxisRole::hour,      AxisRole::day_of_year,
                    AxisRole::level,    AxisRole::longitude, AxisRole::latitude};
  return spelling;
}

SampleFile file(const Spelling& spelling) {
  SampleFile file;
  add_grid(file, spelling);
  add_axis(file, spelling.names.at(AxisRole::day_of_year), doubles(days), "");
  add_axis(file, spelling.names.at(AxisRole::level), doubles(forecast_sample::levels), "hPa");
  add_axis(file, spelling.names.at(AxisRole::quantile), quantiles, "");
  std::vector<AxisRole> roles = {AxisRole::day_of_year, AxisRole::latitude, AxisRole::longitude};
  if (std::find(spelling.order.begin(), spelling.order.end(), AxisRole::hour) != spelling.order.end()) {
    add_axis(file, spelling.names.at(AxisRole::hour), doubles(hours), "");
    roles.push_back(AxisRole::hour);
  }
  const auto add = [&](const std::string& name, const std::vector<AxisRole>& more) {
    std::vector<AxisRole> all = roles;
    all.insert(all.end(), more.begin(), more.end());
    add_field(file, spelling, name, all, [&](Index& index) {
      return value(name, index[AxisRole::level], index[AxisRole::day_of_year], index[AxisRole::hour],
                   index[AxisRole::quantile], index[AxisRole::latitude], index[AxisRole::longitude]);
    });
  };
  add("temperature", {AxisRole::level});
  add("2m_temperature", {});
  add("2m_temperature_std", {});
  add("2m_temperature_quantile", {AxisRole::quantile});
  return file;
}

float value(const std::string& variable, std::size_t level, std::size_t day, std::size_t hour,
            std::size_t quantile, std::size_t row, std::size_t column) {
  std::size_t number = variable.size();
  for (const std::size_t digit : {level, day, hour, quantile, row, column}) {
    number = number * 5 + digit;
  }
  return static_cast<float>(number) + 0.5F;
}

std::vector<float> expected(const std::string& variable, std::size_t level, std::size_t day, std::size_t hour,
                            std::size_t quantile) {
  std::vector<float> values;
  for (std::size_t j = 0; j < forecast_sample::grid.latitude.size(); ++j) {
    for (std::size_t i = 0; i < forecast_sample::grid.longitude.size(); ++i) {
      values.push_back(value(variable, level, day, hour, quantile, j, i));
    }
  }
  return values;
}

}  // namespace climatology_sample

}  // namespace mosaic::test
