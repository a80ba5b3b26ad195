#include <fmt/format.h>

#include <cmath>

#include "world/climate.hpp"

namespace mosaic::world {
namespace {

/// Slopes are taken over these degrees, where forcing and diffusion are weak.
std::pair<std::size_t, std::size_t> slope_range(int truncation) {
  return truncation == 21 ? std::pair<std::size_t, std::size_t>{8, 19}
                          : std::pair<std::size_t, std::size_t>{10, 37};
}

std::string value_at(const Peak& peak) {
  return fmt::format("{:.1f} at {:.1f}", peak.value, std::abs(peak.latitude));
}

}  // namespace

double Climate::slope(std::size_t level, std::size_t first, std::size_t last) const {
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t degree = first; degree <= last; ++degree) {
    double energy = 0;
    for (std::size_t i = 0; i < levels; ++i) {
      energy += level == levels || level == i ? kinetic_spectrum[i].at(degree) : 0;
    }
    const double a = std::log(static_cast<double>(degree)), b = std::log(energy);
    n += 1;
    x += a;
    y += b;
    xx += a * a;
    xy += a * b;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

Peak peak(const Climate& climate, const std::vector<double>& by_latitude, Hemisphere hemisphere) {
  Peak best{-HUGE_VAL, 0};
  for (std::size_t j = 0; j < climate.latitude.size(); ++j) {
    const bool inside = (climate.latitude[j] > 0) == (hemisphere == Hemisphere::north);
    if (inside && by_latitude[j] > best.value) {
      best = {by_latitude[j], climate.latitude[j]};
    }
  }
  return best;
}

std::vector<double> zonal_mean(const Climate& climate, const std::vector<double>& map) {
  std::vector<double> means(climate.latitude.size());
  for (std::size_t i = 0; i < map.size(); ++i) {
    means[i / climate.longitudes] += map[i] / static_cast<double>(climate.longitudes);
  }
  return means;
}

std::string climate_text(const Climate& climate) {
  const ClimateRequest& request = climate.request;
  std::string text = fmt::format(
      "# Climate of the simulated world: T{}, {} members x {} years after {} days, seed {}\n\n"
      "| statistic | DJF north | DJF south | JJA north | JJA south |\n|---|---|---|---|---|\n",
      request.parameters.truncation, request.members, request.years, request.spin_up_days, request.seed);
  const auto row = [&](const std::string& name, const auto& value) {
    text += fmt::format("| {} |", name);
    for (const SeasonClimate& season : climate.seasons) {
      for (const Hemisphere hemisphere : {Hemisphere::north, Hemisphere::south}) {
        text += fmt::format(" {} |", value(season, hemisphere));
      }
    }
    text += "\n";
  };
  for (std::size_t level = 0; level < levels; ++level) {
    row(fmt::format("zonal-mean u{} max, m/s, at latitude", pressure_levels[level]),
        [&](const SeasonClimate& season, Hemisphere side) {
          return value_at(peak(climate, season.zonal_wind[level], side));
        });
  }
  row("z500 standard deviation, zonal-mean max, m, at latitude",
      [&](const SeasonClimate& season, Hemisphere side) {
        return value_at(peak(climate, zonal_mean(climate, season.height_deviation), side));
      });
  row("z500 standard deviation, largest of the map, m", [&](const SeasonClimate& season, Hemisphere side) {
    double largest = 0;
    for (std::size_t i = 0; i < season.height_deviation.size(); ++i) {
      if ((climate.latitude[i / climate.longitudes] > 0) == (side == Hemisphere::north)) {
        largest = std::max(largest, season.height_deviation[i]);
      }
    }
    return fmt::format("{:.0f}", largest);
  });
  for (std::size_t level = 0; level < levels; ++level) {
    row(fmt::format("transient eddy kinetic energy {} hPa, zonal-mean max, m2/s2", pressure_levels[level]),
        [&](const SeasonClimate& season, Hemisphere side) {
          return fmt::format("{:.0f}", peak(climate, season.eddy_kinetic[level], side).value);
        });
  }
  const auto [first, last] = slope_range(request.parameters.truncation);
  text += fmt::format(
      "\n| whole year | value |\n|---|---|\n"
      "| slope of kinetic energy by degree {}-{}: 200, 500, 800 hPa, sum | {:.1f}, {:.1f}, {:.1f}, {:.1f} "
      "|\n",
      first, last, climate.slope(0, first, last), climate.slope(1, first, last),
      climate.slope(2, first, last), climate.slope(levels, first, last));
  text += fmt::format("| kinetic, available potential energy, m2/s2 | {:.1f}, {:.1f} |\n", climate.kinetic,
                      climate.available);
  text += fmt::format(
      "| relaxation, drag, diffusion, W/m2; their sum less the change | {:+.2f}, {:+.2f}, {:+.2f}; {:+.3f} "
      "|\n",
      climate.relaxation, climate.drag, climate.diffusion,
      climate.relaxation + climate.drag + climate.diffusion - climate.change);
  for (std::size_t s = 0; s < 2 && request.twin_days > 0; ++s) {
    const TwinGrowth& twins = climate.twins[s];
    text += fmt::format(
        "| twins from {}: doubling time 3 -> 30 m, z500 difference after {} days | {:.1f} d, {:.0f} m |\n",
        s == 0 ? "January" : "July", request.twin_days, twins.doubling_days, twins.difference.back());
  }
  text += fmt::format("| member-days per second ({} threads, statistics included) | {:.0f} |\n",
                      request.threads, climate.member_days_per_second);
  return text;
}

}  // namespace mosaic::world
