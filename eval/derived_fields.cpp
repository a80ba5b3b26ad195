#include "eval/derived_fields.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.hpp"
#include "eval/earth.hpp"
#include "eval/horizontal_derivatives.hpp"

namespace mosaic::eval {
namespace {

using Field = std::vector<double>;  // [lat, lon]

/// Which levels a variable needs of its sources.
enum class Reach { surface, level, neighbours, above, column, troposphere };

/// What a recipe's body sees.
struct Sources {
  Definition definition;
  const LatLonGrid& grid;
  std::vector<double> pressure;            // [L] hPa, ascending; empty at the surface
  std::size_t place = 0;                   // of the wanted level in pressure
  std::vector<std::vector<Field>> values;  // [variable, L]

  const Field& of(std::size_t variable) const { return values[variable][place]; }
  std::size_t points() const { return grid.points(); }
};

struct Recipe {
  const char* variable;
  bool has_wb2;  // whether WeatherBench 2's definition is another
  Reach reach;
  std::vector<const char*> inputs;
  Field (*body)(const Sources&);
};

/// body(i) for every point.
template <class Body>
Field at_points(const Sources& s, Body body) {
  Field result(s.points());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = body(i);
  }
  return result;
}

/// Size of a vector field.
Field size_of(const Field& u, const Field& v) {
  Field result(u.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = std::sqrt(u[i] * u[i] + v[i] * v[i]);
  }
  return result;
}

Field difference(const Field& a, const Field& b) {
  Field result(a.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = a[i] - b[i];
  }
  return result;
}

Field wind_speed(const Sources& s) { return size_of(s.of(0), s.of(1)); }

/// `slope` over the Coriolis parameter.
Field over_coriolis(const Sources& s, const Field& slope, double sign) {
  const std::size_t columns = s.grid.longitude.size();
  return at_points(s, [&](std::size_t i) {
    const double f = 2.0 * earth_rotation * sin_degrees(s.grid.latitude[i / columns]);
    const bool undefined = f == 0.0 && s.definition == Definition::corrected;
    return undefined ? std::numeric_limits<double>::quiet_NaN() : sign * slope[i] / f;
  });
}

Field geostrophic_u(const Sources& s) {
  return over_coriolis(s, northward_derivative(s.of(0), s.grid), -1.0);
}

Field geostrophic_v(const Sources& s) {
  return over_coriolis(s, eastward_derivative(s.of(0), s.grid, s.definition), 1.0);
}

Field geostrophic_speed(const Sources& s) { return size_of(geostrophic_u(s), geostrophic_v(s)); }

Field ageostrophic_u(const Sources& s) { return difference(s.of(1), geostrophic_u(s)); }

Field ageostrophic_v(const Sources& s) { return difference(s.of(1), geostrophic_v(s)); }

Field ageostrophic_speed(const Sources& s) {
  return size_of(difference(s.of(1), geostrophic_u(s)), difference(s.of(2), geostrophic_v(s)));
}

Field wind_vorticity(const Sources& s) { return vorticity(s.of(0), s.of(1), s.grid, s.definition); }

Field wind_divergence(const Sources& s) { return divergence(s.of(0), s.of(1), s.grid, s.definition); }

Field relative_humidity(const Sources& s) {
  const double pressure = s.pressure[s.place];
  const double unit = s.definition == Definition::corrected ? 100.0 : 1.0;
  return at_points(s, [&](std::size_t i) {
    const double t = s.of(0)[i];
    const double q = s.of(1)[i];
    const double saturation = 6.112 * std::exp(17.67 * (t - 273.15) / (t - 29.65));  // [hPa]
    return unit * (q / (1.0 - q)) / (0.622 * saturation / (pressure - saturation));
  });
}

/// Values of a variable at a point on all levels.
std::vector<double> profile(const Sources& s, std::size_t variable, std::size_t point) {
  std::vector<double> values;
  for (const Field& field : s.values[variable]) {
    values.push_back(field[point]);
  }
  return values;
}

Field lapse_rate(const Sources& s) {
  return at_points(s, [&](std::size_t i) {
    const double dt = derivative_at(profile(s, 0, i), s.pressure, s.place);
    const double dz = derivative_at(profile(s, 1, i), s.pressure, s.place) / gravity;
    return dt / dz;
  });
}

constexpr double pascal = 100.0;  // in 1 hPa

/// The unit of pressure in which columns are integrated: WeatherBench 2 forgets to convert.
double column_unit(const Sources& s) { return s.definition == Definition::corrected ? pascal : 1.0; }

/// Trapezoids over pressure, times `unit`; integrand(level, point).
template <class Integrand>
Field integral(const Sources& s, double unit, Integrand integrand) {
  return at_points(s, [&](std::size_t i) {
    double sum = 0.0;
    for (std::size_t k = 1; k < s.pressure.size(); ++k) {
      sum += 0.5 * (integrand(k - 1, i) + integrand(k, i)) * unit * (s.pressure[k] - s.pressure[k - 1]);
    }
    return sum;
  });
}

Field vertical_velocity(const Sources& s) {
  std::vector<Field> divergences;
  for (std::size_t k = 0; k < s.pressure.size(); ++k) {
    divergences.push_back(divergence(s.values[0][k], s.values[1][k], s.grid, s.definition));
  }
  return integral(s, -pascal, [&](std::size_t k, std::size_t i) { return divergences[k][i]; });
}

Field column_vapour(const Sources& s) {
  return integral(s, column_unit(s),
                  [&](std::size_t k, std::size_t i) { return s.values[0][k][i] / gravity; });
}

Field vapour_transport(const Sources& s) {
  const auto along = [&](std::size_t wind) {
    return integral(s, column_unit(s), [&s, wind](std::size_t k, std::size_t i) {
      return s.values[0][k][i] * s.values[wind][k][i] / gravity;
    });
  };
  return size_of(along(1), along(2));
}

/// (value - zonal mean)^2 of every level.
std::vector<Field> squared_eddies(const std::vector<Field>& wind, std::size_t columns) {
  std::vector<Field> result = wind;
  for (Field& field : result) {
    for (std::size_t first = 0; first < field.size(); first += columns) {
      double mean = 0.0;
      for (std::size_t i = first; i < first + columns; ++i) {
        mean += field[i] / static_cast<double>(columns);
      }
      for (std::size_t i = first; i < first + columns; ++i) {
        field[i] = (field[i] - mean) * (field[i] - mean);
      }
    }
  }
  return result;
}

Field eddy_kinetic_energy(const Sources& s) {
  const std::vector<Field> u = squared_eddies(s.values[0], s.grid.longitude.size());
  const std::vector<Field> v = squared_eddies(s.values[1], s.grid.longitude.size());
  const double factor = s.definition == Definition::corrected ? 0.5 / gravity : 0.5;
  return integral(s, column_unit(s),
                  [&](std::size_t k, std::size_t i) { return factor * (u[k][i] + v[k][i]); });
}

const std::vector<Recipe>& recipes() {
  constexpr auto u = "u_component_of_wind";
  constexpr auto v = "v_component_of_wind";
  constexpr auto z = "geopotential";
  constexpr auto q = "specific_humidity";
  constexpr auto t = "temperature";
  static const std::vector<Recipe> all = {
      {"10m_wind_speed",
       false,
       Reach::surface,
       {"10m_u_component_of_wind", "10m_v_component_of_wind"},
       wind_speed},
      {"wind_speed", false, Reach::level, {u, v}, wind_speed},
      {"vorticity", true, Reach::level, {u, v}, wind_vorticity},
      {"divergence", true, Reach::level, {u, v}, wind_divergence},
      {"u_component_of_geostrophic_wind", true, Reach::level, {z}, geostrophic_u},
      {"v_component_of_geostrophic_wind", true, Reach::level, {z}, geostrophic_v},
      {"geostrophic_wind_speed", true, Reach::level, {z}, geostrophic_speed},
      {"u_component_of_ageostrophic_wind", true, Reach::level, {z, u}, ageostrophic_u},
      {"v_component_of_ageostrophic_wind", true, Reach::level, {z, v}, ageostrophic_v},
      {"ageostrophic_wind_speed", true, Reach::level, {z, u, v}, ageostrophic_speed},
      {"relative_humidity", true, Reach::level, {t, q}, relative_humidity},
      {"lapse_rate", false, Reach::neighbours, {t, z}, lapse_rate},
      {"vertical_velocity", true, Reach::above, {u, v}, vertical_velocity},
      {"total_column_water_vapour", true, Reach::column, {q}, column_vapour},
      {"integrated_vapor_transport", true, Reach::troposphere, {q, u, v}, vapour_transport},
      {"eddy_kinetic_energy", true, Reach::column, {u, v}, eddy_kinetic_energy},
  };
  return all;
}

struct Found {
  const Recipe* recipe;
  Definition definition;
};

std::optional<Found> find_recipe(std::string_view variable) {
  constexpr std::string_view suffix = "_wb2";
  const bool wb2 = variable.ends_with(suffix);
  if (wb2) {
    variable.remove_suffix(suffix.size());
  }
  for (const Recipe& recipe : recipes()) {
    if (recipe.variable == variable && (recipe.has_wb2 || !wb2)) {
      return Found{&recipe, wb2 ? Definition::weatherbench : Definition::corrected};
    }
  }
  return std::nullopt;
}

/// The levels of `there` (ascending) that a recipe reads; empty if they are not enough.
std::vector<int> levels_read(Reach reach, const Channel& wanted, std::vector<int> there) {
  if (reach == Reach::column || reach == Reach::troposphere) {
    if (reach == Reach::troposphere) {
      std::erase_if(there, [](int level) { return level < 300 || level > 1000; });
    }
    return wanted.level || there.size() < 2 ? std::vector<int>{} : there;
  }
  const auto at = std::find(there.begin(), there.end(), wanted.level.value_or(0));
  if (!wanted.level || at == there.end()) {
    return {};
  }
  switch (reach) {
    case Reach::neighbours:
      return there.size() < 2 ? std::vector<int>{}
                              : std::vector<int>(at == there.begin() ? at : at - 1,
                                                 at + 1 == there.end() ? at + 1 : at + 2);
    case Reach::above:
      return {there.begin(), at + 1};
    default:
      return {*at};
  }
}

/// The levels at which all sources of a recipe are there, ascending.
std::vector<int> complete_levels(const Recipe& recipe, const std::function<bool(const Channel&)>& has,
                                 std::span<const int> levels) {
  std::vector<int> result(levels.begin(), levels.end());
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  std::erase_if(result, [&](int level) {
    return !std::all_of(recipe.inputs.begin(), recipe.inputs.end(), [&](const char* input) {
      return has({input, level});
    });
  });
  return result;
}

}  // namespace

std::optional<ChannelSet> sources_of(const Channel& wanted, const std::function<bool(const Channel&)>& has,
                                     std::span<const int> levels) {
  const auto found = find_recipe(wanted.variable);
  if (!found) {
    return std::nullopt;
  }
  const Recipe& recipe = *found->recipe;
  std::vector<std::optional<int>> read;
  if (recipe.reach == Reach::surface) {
    const bool complete =
        !wanted.level && std::all_of(recipe.inputs.begin(), recipe.inputs.end(), [&](const char* input) {
          return has({input, std::nullopt});
        });
    read.assign(complete ? 1 : 0, std::nullopt);
  } else {
    const std::vector<int> numbers = levels_read(recipe.reach, wanted, complete_levels(recipe, has, levels));
    read.assign(numbers.begin(), numbers.end());
  }
  if (read.empty()) {
    return std::nullopt;
  }
  ChannelSet sources;
  for (const char* input : recipe.inputs) {
    for (const std::optional<int>& level : read) {
      sources.push_back({input, level});
    }
  }
  return sources;
}

std::vector<float> derive(const Channel& wanted, const ChannelSet& sources,
                          std::span<const float* const> fields, const LatLonGrid& grid) {
  const auto found = find_recipe(wanted.variable);
  require(found.has_value(), "{} is no derived variable", wanted.name());
  const std::size_t inputs = found->recipe->inputs.size();
  require(!sources.empty() && sources.size() % inputs == 0 && fields.size() == sources.size(),
          "{} fields and {} sources for {}, which needs {} variables", fields.size(), sources.size(),
          wanted.name(), inputs);
  const std::size_t levels = sources.size() / inputs;
  Sources all{found->definition, grid, {}, 0, std::vector<std::vector<Field>>(inputs)};
  for (std::size_t k = 0; k < sources.size(); ++k) {
    const Channel& expected = {found->recipe->inputs[k / levels], sources[k % levels].level};
    require(sources[k] == expected, "source {} of {} is {} instead of {}", k, wanted.name(),
            sources[k].name(), expected.name());
    all.values[k / levels].emplace_back(fields[k], fields[k] + grid.points());
  }
  for (std::size_t k = 0; k < levels && sources[k].level; ++k) {
    all.pressure.push_back(*sources[k].level);
    all.place = sources[k].level == wanted.level ? k : all.place;
  }
  const Field result = found->recipe->body(all);
  return {result.begin(), result.end()};
}

std::optional<Duration> precipitation_window(std::string_view variable) {
  for (const int hours : {6, 12, 24}) {
    if (variable == fmt::format("total_precipitation_{}hr", hours)) {
      return Duration::hours(hours);
    }
  }
  return std::nullopt;
}

std::optional<Duration> window_start(Duration lead, Duration window) {
  return lead < window ? std::nullopt : std::optional(lead - window);
}

std::vector<float> accumulated_between(std::span<const float> earlier, std::span<const float> later) {
  require(earlier.size() == later.size(), "accumulations of {} and {} points", earlier.size(), later.size());
  std::vector<float> result(later.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double amount = static_cast<double>(later[i]) - earlier[i];
    result[i] = static_cast<float>(amount < 0.0 ? 0.0 : amount);
  }
  return result;
}

}  // namespace mosaic::eval
