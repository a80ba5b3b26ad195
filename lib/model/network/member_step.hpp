#pragma once

#include <span>

#include "grid/lat_lon_grid.hpp"
#include "model/network/network.hpp"
#include "model/time_features.hpp"

namespace mosaic {

/// Mean and standard deviation of the channels, float32. Shape: [C, 1, 1].
struct Normalisation {
  at::Tensor mean, deviation;
};

/// One complete step of one member in physical units: normalise, predict, de-normalise, shift the history.
class MemberStep {
 public:
  MemberStep(Network network, Normalisation normalisation, const LatLonGrid& grid);

  /// history [T, C, lat, lon] physical units, oldest first, shifted in place; noise [noise width] or empty;
  /// `phases` of the newest input state.
  void advance(std::span<float> history, std::span<const float> noise, const TimePhases& phases) const;

  const Network& network() const { return network_; }

 private:
  Network network_;
  Normalisation normalisation_;
  std::int64_t latitudes_, longitudes_;
};

}  // namespace mosaic
