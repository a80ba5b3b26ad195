#include "fields/state_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>

#include "base/error.hpp"

namespace mosaic {

namespace {

/// The mirrored orography must fit better by this much of a correlation before a state is refused. The
/// correlations of a real state are about -0.7 and 0.0.
constexpr double orientation_margin = 0.1;

std::string place_of(const LatLonGrid& grid, std::size_t point) {
  return fmt::format("latitude {}, longitude {}", grid.latitude[point / grid.longitude.size()],
                     grid.longitude[point % grid.longitude.size()]);
}

/// Number of places where `wrong` holds, and the first of them.
struct Places {
  std::size_t count = 0;
  std::size_t first = 0;
};

template <class Predicate>
Places find_places(std::span<const float> field, Predicate wrong) {
  Places places;
  for (std::size_t point = field.size(); point-- > 0;) {
    if (wrong(field[point])) {
      places.first = point;
      ++places.count;
    }
  }
  return places;
}

void check_values(const State& state, std::size_t c, std::vector<std::string>& problems) {
  const Channel& channel = (*state.channels)[c];
  const std::span<const float> field = state.field(c);
  const std::string where = fmt::format("{} at {}", channel.name(), to_string(state.time));
  const Places bad = find_places(field, [](float x) { return !std::isfinite(x); });
  if (bad.count > 0) {
    problems.push_back(fmt::format(
        "{}: {} of {} values are NaN or infinite, first at {}; fill them or choose another input time", where,
        bad.count, field.size(), place_of(*state.grid, bad.first)));
  }
  const VariableInfo* variable = find_variable(channel.variable);
  if (variable == nullptr) {
    problems.push_back(fmt::format("{}: variable '{}' is unknown; did you mean '{}'?", where,
                                   channel.variable, nearest_channel_name(channel.variable)));
    return;
  }
  const Places outside = find_places(field, [variable](float x) {
    return std::isfinite(x) && (x < variable->lower || x > variable->upper);
  });
  if (outside.count > 0) {
    problems.push_back(
        fmt::format("{}: {} of {} values are outside {} ... {} {}, first {} at {}; check the units", where,
                    outside.count, field.size(), variable->lower, variable->upper, variable->units,
                    field[outside.first], place_of(*state.grid, outside.first)));
  }
}

double area_mean(std::span<const float> field, std::span<const double> weights) {
  const std::size_t columns = field.size() / weights.size();
  double sum = 0.0;
  for (std::size_t row = 0; row < weights.size(); ++row) {
    const auto values = field.subspan(row * columns, columns);
    sum += weights[row] * std::accumulate(values.begin(), values.end(), 0.0);
  }
  return sum / (static_cast<double>(columns) * std::accumulate(weights.begin(), weights.end(), 0.0));
}

void check_level_order(const State& state, std::vector<std::string>& problems) {
  struct LevelMean {
    int level;
    double mean;
  };
  const std::vector<double> weights = area_weights(*state.grid);
  std::vector<LevelMean> means;
  for (std::size_t c = 0; c < state.channels->size(); ++c) {
    const Channel& channel = (*state.channels)[c];
    if (channel.variable == "geopotential" && channel.level) {
      const double mean = area_mean(state.field(c), weights);
      if (std::isfinite(mean)) {
        means.push_back({*channel.level, mean});
      }
    }
  }
  std::sort(means.begin(), means.end(), [](const auto& a, const auto& b) { return a.level > b.level; });
  for (std::size_t i = 1; i < means.size(); ++i) {
    if (!(means[i].mean > means[i - 1].mean)) {
      problems.push_back(fmt::format(
          "geopotential at {}: the global mean is {:.6g} m2 s-2 at {} hPa and {:.6g} at {} hPa, but must "
          "grow as "
          "pressure falls; check the order of the levels",
          to_string(state.time), means[i - 1].mean, means[i - 1].level, means[i].mean, means[i].level));
    }
  }
}

/// A field minus its mean over each latitude circle. Shape: [lat, lon].
std::vector<double> zonal_anomaly(std::span<const float> field, std::size_t columns) {
  std::vector<double> anomaly(field.begin(), field.end());
  for (std::size_t start = 0; start < anomaly.size(); start += columns) {
    const auto row = std::span(anomaly).subspan(start, columns);
    const double mean = std::accumulate(row.begin(), row.end(), 0.0) / static_cast<double>(columns);
    std::for_each(row.begin(), row.end(), [mean](double& x) { x -= mean; });
  }
  return anomaly;
}

/// Area-weighted sums of products of two fields, and of `a` and the mirror image of `b` about the equator.
struct Products {
  double straight = 0.0;
  double mirrored = 0.0;
};

Products sum_products(std::span<const double> a, std::span<const double> b, std::span<const double> weights) {
  const std::size_t columns = a.size() / weights.size();
  Products sums;
  for (std::size_t row = 0; row < weights.size(); ++row) {
    const std::size_t mirror = weights.size() - 1 - row;
    for (std::size_t i = 0; i < columns; ++i) {
      sums.straight += weights[row] * a[row * columns + i] * b[row * columns + i];
      sums.mirrored += weights[row] * a[row * columns + i] * b[mirror * columns + i];
    }
  }
  return sums;
}

bool symmetric_about_equator(const std::vector<double>& latitude) {
  for (std::size_t j = 0; j < latitude.size(); ++j) {
    if (std::abs(latitude[j] + latitude[latitude.size() - 1 - j]) > 1e-4) {
      return false;
    }
  }
  return true;
}

void require_fitting_values(const State& state) {
  require(state.values.size() == state.channels->size() * state.grid->points(),
          "a state of {} channels on {} points holds {} values", state.channels->size(), state.grid->points(),
          state.values.size());
}

}  // namespace

std::vector<std::string> check_state(const State& state) {
  require_fitting_values(state);
  std::vector<std::string> problems;
  for (std::size_t c = 0; c < state.channels->size(); ++c) {
    check_values(state, c, problems);
  }
  check_level_order(state, problems);
  return problems;
}

std::vector<std::string> check_orientation(const State& state, std::span<const float> orography) {
  require_fitting_values(state);
  require(orography.size() == state.grid->points(),
          "an orography of {} points does not fit a state of {} points", orography.size(),
          state.grid->points());
  const ChannelSet& channels = *state.channels;
  const auto found = std::find(channels.begin(), channels.end(), Channel{"2m_temperature", std::nullopt});
  if (found == channels.end() || !symmetric_about_equator(state.grid->latitude)) {
    return {};
  }
  const std::size_t columns = state.grid->longitude.size();
  const std::vector<double> weights = area_weights(*state.grid);
  const auto temperature =
      zonal_anomaly(state.field(static_cast<std::size_t>(found - channels.begin())), columns);
  const auto height = zonal_anomaly(orography, columns);
  const double scale = std::sqrt(sum_products(temperature, temperature, weights).straight *
                                 sum_products(height, height, weights).straight);
  const Products products = sum_products(temperature, height, weights);
  if (!(scale > 0.0) || !(products.mirrored < products.straight - orientation_margin * scale)) {
    return {};
  }
  return {fmt::format(
      "2m_temperature at {}: its zonal anomaly fits the mirror image of the orography (correlation {:.2f}) "
      "better "
      "than the orography (correlation {:.2f}); the latitudes look flipped, check the latitude coordinate",
      to_string(state.time), products.mirrored / scale, products.straight / scale)};
}

}  // namespace mosaic
