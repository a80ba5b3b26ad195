#include "eval/report/run_maps.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "eval/document_axes.hpp"

namespace mosaic::eval {
namespace {

const std::set<std::string> axes = {"metric", "lead_time", "level", "latitude", "longitude"};

bool has_dimension(const NetcdfDocument& document, const std::string& name) {
  return std::any_of(document.dimensions.begin(), document.dimensions.end(),
                     [&](const auto& dimension) { return dimension.first == name; });
}

bool is_ascending(const std::vector<double>& axis) {
  return axis.size() > 1 && std::is_sorted(axis.begin(), axis.end(), std::less_equal<>());
}

/// One step of [first, last] beyond the outermost points on either side, half of it.
std::pair<double, double> edges_of(const std::vector<double>& axis) {
  const double half = 0.5 * (axis.back() - axis.front()) / static_cast<double>(axis.size() - 1);
  return {axis.front() - half, axis.back() + half};
}

/// Which points of an axis each of `count` equal cells between the edges holds: first and behind the last.
/// A cell without any has the nearest.
std::vector<std::pair<std::size_t, std::size_t>> points_of_cells(const std::vector<double>& axis, double low,
                                                                 double high, std::size_t count) {
  std::vector<std::pair<std::size_t, std::size_t>> cells;
  for (std::size_t cell = 0; cell < count; ++cell) {
    const auto edge = [&](std::size_t i) {
      return low + static_cast<double>(i) * (high - low) / static_cast<double>(count);
    };
    const auto place = [&](double value) {
      return static_cast<std::size_t>(std::lower_bound(axis.begin(), axis.end(), value) - axis.begin());
    };
    std::size_t begin = place(edge(cell));
    std::size_t end = cell + 1 == count ? axis.size() : place(edge(cell + 1));
    if (begin == end) {
      const double centre = 0.5 * (edge(cell) + edge(cell + 1));
      begin = std::min(begin, axis.size() - 1);
      if (begin > 0 && centre - axis[begin - 1] < axis[begin] - centre) {
        --begin;
      }
      end = begin + 1;
    }
    cells.emplace_back(begin, end);
  }
  return cells;
}

void append_channel(RunMaps& maps, const NetcdfVariable& variable, const std::optional<int>& level,
                    std::size_t place, std::size_t levels) {
  const auto& values = std::get<std::vector<double>>(variable.values);
  const std::size_t points = maps.latitude.size() * maps.longitude.size();
  maps.channels.push_back({variable.name, level});
  for (std::size_t lead = 0; lead < maps.leads.size(); ++lead) {
    for (std::size_t score = 0; score < maps.scores.size(); ++score) {
      const std::size_t from = ((score * maps.leads.size() + lead) * levels + place) * points;
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(from);
      maps.values.insert(maps.values.end(), begin, begin + static_cast<std::ptrdiff_t>(points));
    }
  }
}

/// Levels that a variable does not have are all NaN.
bool is_there(const RunMaps& maps) {
  const std::size_t size =
      maps.leads.size() * maps.scores.size() * maps.latitude.size() * maps.longitude.size();
  return std::any_of(maps.values.end() - static_cast<std::ptrdiff_t>(size), maps.values.end(),
                     [](double value) { return !std::isnan(value); });
}

void drop_last_channel(RunMaps& maps) {
  maps.values.resize(maps.values.size() / maps.channels.size() * (maps.channels.size() - 1));
  maps.channels.pop_back();
}

}  // namespace

const double* RunMaps::field(std::size_t channel, std::size_t lead, const std::string& score) const {
  const auto found = std::find(scores.begin(), scores.end(), score);
  require(found != scores.end(), ExitCode::corrupt_input, "the maps have no {}", score);
  const std::size_t place =
      (channel * leads.size() + lead) * scores.size() + static_cast<std::size_t>(found - scores.begin());
  return values.data() + place * latitude.size() * longitude.size();
}

RunMaps maps_of(const NetcdfDocument& document) {
  RunMaps maps;
  maps.leads = read_lead_times(document);
  maps.scores = values_of<std::string>(document, "metric");
  maps.latitude = values_of<double>(document, "latitude");
  maps.longitude = values_of<double>(document, "longitude");
  require(is_ascending(maps.latitude) && is_ascending(maps.longitude), ExitCode::corrupt_input,
          "latitudes and longitudes of maps must ascend");
  const std::vector<std::int32_t> levels = has_dimension(document, "level")
                                               ? values_of<std::int32_t>(document, "level")
                                               : std::vector<std::int32_t>{};
  for (const NetcdfVariable& variable : document.variables) {
    if (axes.contains(variable.name)) {
      continue;
    }
    const bool on_levels = variable.dimensions.size() == 5;
    const std::vector<std::string> expected =
        on_levels ? std::vector<std::string>{"metric", "lead_time", "level", "latitude", "longitude"}
                  : std::vector<std::string>{"metric", "lead_time", "latitude", "longitude"};
    require(variable.dimensions == expected && std::holds_alternative<std::vector<double>>(variable.values),
            ExitCode::corrupt_input, "{} is no map: expected doubles over {}", variable.name,
            fmt::join(expected, ", "));
    for (std::size_t place = 0; place < (on_levels ? levels.size() : 1); ++place) {
      append_channel(maps, variable, on_levels ? std::optional(levels[place]) : std::nullopt, place,
                     on_levels ? levels.size() : 1);
      if (!is_there(maps)) {
        drop_last_channel(maps);
      }
    }
  }
  return maps;
}

RunMaps read_maps(const std::string& folder) {
  const std::string file = (std::filesystem::path(folder) / "maps.nc").string();
  if (!std::filesystem::exists(file)) {
    return {};
  }
  const NetcdfDocument document = read_netcdf(file);
  try {
    return maps_of(document);
  } catch (const Error& problem) {
    fail(problem.code(), "{}: {}", file, problem.what());
  }
}

Raster raster_of(const double* field, const std::vector<double>& latitude,
                 const std::vector<double>& longitude, std::size_t most_columns, std::size_t most_rows) {
  Raster raster;
  std::tie(raster.west, raster.east) = edges_of(longitude);
  std::tie(raster.south, raster.north) = edges_of(latitude);
  raster.south = std::max(raster.south, -90.0);
  raster.north = std::min(raster.north, 90.0);
  raster.columns = std::min(most_columns, longitude.size());
  raster.rows = std::min(most_rows, latitude.size());
  const auto rows = points_of_cells(latitude, raster.south, raster.north, raster.rows);
  const auto columns = points_of_cells(longitude, raster.west, raster.east, raster.columns);
  for (const auto& [south, north] : rows) {
    for (const auto& [west, east] : columns) {
      double sum = 0.0;
      int count = 0;
      for (std::size_t j = south; j < north; ++j) {
        for (std::size_t i = west; i < east; ++i) {
          const double value = field[j * longitude.size() + i];
          sum += std::isnan(value) ? 0.0 : value;
          count += std::isnan(value) ? 0 : 1;
        }
      }
      raster.values.push_back(sum / count);  // 0 / 0: NaN
    }
  }
  return raster;
}

}  // namespace mosaic::eval
