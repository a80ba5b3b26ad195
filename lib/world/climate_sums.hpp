#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "world/climate.hpp"
#include "world/world_fields.hpp"

namespace mosaic::world {

// What the statistics of a climate are made of.

/// Fields of members on the Gaussian grid of their world, which must outlive this.
class GaussianFields {
 public:
  explicit GaussianFields(const World& world);

  const LatLonGrid& grid() const { return *grid_; }
  /// [members] of [world_channels(), lat, lon]
  std::vector<std::vector<double>> of(const WorldState& state, int threads) const;

 private:
  const World& world_;
  std::shared_ptr<const LatLonGrid> grid_;
  WorldFields fields_;
};

/// Sums over the days of a season, from which its statistics follow. `grid` must outlive it.
class SeasonSums {
 public:
  explicit SeasonSums(const LatLonGrid& grid);

  /// One member on one day: [world_channels(), lat, lon]
  void add(const std::vector<double>& fields);
  SeasonClimate finish() const;

 private:
  double mean(std::size_t field, std::size_t point) const;
  double variance(std::size_t field, std::size_t point) const;

  const LatLonGrid& grid_;
  std::size_t samples_ = 0;
  std::vector<double> first_, second_;  ///< of u and v of the levels and the height of 500 hPa, and squares
};

/// rms of the difference of 500 hPa heights poleward of 20 degrees [m]; fields as above.
double height_difference(const LatLonGrid& grid, const std::vector<double>& a, const std::vector<double>& b);

}  // namespace mosaic::world
