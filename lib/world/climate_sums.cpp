#include "world/climate_sums.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "world/dynamics.hpp"

namespace mosaic::world {
namespace {

constexpr std::size_t winds = 2 * levels, height = winds, sums = winds + 1;  // u, v, height of 500 hPa
constexpr std::size_t z500 = 2 * levels + 1;                                 // among world_channels()

LatLonGrid gaussian_grid(const World& world) {
  LatLonGrid grid;
  grid.latitude = world.dynamics().space().latitudes().latitude;
  const std::size_t longitudes = world.parameters().longitudes();
  for (std::size_t l = 0; l < longitudes; ++l) {
    grid.longitude.push_back(360.0 * static_cast<double>(l) / static_cast<double>(longitudes));
  }
  return grid;
}

template <class Value>
std::vector<double> by_latitude(const LatLonGrid& grid, const Value& value) {
  std::vector<double> means(grid.latitude.size());
  const std::size_t columns = grid.longitude.size();
  for (std::size_t i = 0; i < grid.points(); ++i) {
    means[i / columns] += value(i) / static_cast<double>(columns);
  }
  return means;
}

}  // namespace

GaussianFields::GaussianFields(const World& world)
    : world_(world),
      grid_(std::make_shared<const LatLonGrid>(gaussian_grid(world))),
      fields_(world.parameters(), grid_) {}

std::vector<std::vector<double>> GaussianFields::of(const WorldState& state, int threads) const {
  std::vector<std::vector<double>> values(state.members(),
                                          std::vector<double>(world_channels().size() * grid_->points()));
  std::vector<double*> places;
  for (auto& member : values) {
    places.push_back(member.data());
  }
  fields_.synthesize(world_, state, places, threads);
  return values;
}

SeasonSums::SeasonSums(const LatLonGrid& grid)
    : grid_(grid), first_(sums * grid.points()), second_(sums * grid.points()) {}

void SeasonSums::add(const std::vector<double>& fields) {
  ++samples_;
  for (std::size_t field = 0; field < sums; ++field) {
    const double* x = fields.data() + (field < winds ? field : z500) * grid_.points();
    const double scale = field < winds ? 1 : 1 / gravity;
    for (std::size_t i = 0; i < grid_.points(); ++i) {
      first_[field * grid_.points() + i] += scale * x[i];
      second_[field * grid_.points() + i] += scale * x[i] * scale * x[i];
    }
  }
}

double SeasonSums::mean(std::size_t field, std::size_t point) const {
  return first_[field * grid_.points() + point] / static_cast<double>(samples_);
}

double SeasonSums::variance(std::size_t field, std::size_t point) const {
  const double m = mean(field, point);
  return second_[field * grid_.points() + point] / static_cast<double>(samples_) - m * m;
}

SeasonClimate SeasonSums::finish() const {
  SeasonClimate climate;
  climate.samples = samples_;
  for (std::size_t level = 0; level < levels; ++level) {
    climate.zonal_wind[level] = by_latitude(grid_, [&](std::size_t i) { return mean(level, i); });
    climate.eddy_kinetic[level] = by_latitude(
        grid_, [&](std::size_t i) { return 0.5 * (variance(level, i) + variance(levels + level, i)); });
  }
  for (std::size_t i = 0; i < grid_.points(); ++i) {
    climate.height.push_back(mean(height, i));
    climate.height_deviation.push_back(std::sqrt(std::max(0.0, variance(height, i))));
  }
  return climate;
}

/// rms of the difference of 500 hPa heights poleward of 20 degrees [m].
double height_difference(const LatLonGrid& grid, const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0, weights = 0;
  for (std::size_t i = 0; i < grid.points(); ++i) {
    const double latitude = grid.latitude[i / grid.longitude.size()];
    if (std::abs(latitude) >= 20) {
      const double weight = std::cos(latitude * std::numbers::pi / 180);
      const double difference = (a[z500 * grid.points() + i] - b[z500 * grid.points() + i]) / gravity;
      sum += weight * difference * difference;
      weights += weight;
    }
  }
  return std::sqrt(sum / weights);
}

}  // namespace mosaic::world
