#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "grid/lat_lon_grid.hpp"

namespace mosaic {

/// The source cells that a target cell overlaps along one axis, with weights that sum to 1. Empty if the
/// source covers less than 1 - 1e-3 of the target cell.
using OverlapWeights = std::vector<std::pair<std::size_t, double>>;

/// Weights of latitudes, sin(upper) - sin(lower) of the parts that two cells share; cell edges half way
/// between latitudes in angle. An outermost cell ends at its pole if that is not further than the next
/// latitude, half a spacing beyond its centre otherwise. `source`, `target`: degrees north, ascending. Shape:
/// [target]. Errors: internal for latitudes that do not ascend within -90 ... 90.
std::vector<OverlapWeights> latitude_overlaps(const std::vector<double>& source,
                                              const std::vector<double>& target);

/// Weights of longitudes, lengths of the parts that two cells share; edges half way between longitudes,
/// around the circle unless the gap between last and first is over 1.5 spacings: then the axis ends half a
/// spacing beyond its centres. Degrees east, ascending in [0, 360). Shape: [target]. Errors: internal for
/// others.
std::vector<OverlapWeights> longitude_overlaps(const std::vector<double>& source,
                                               const std::vector<double>& target);

/// First-order conservative regridding: every target value is the area-weighted mean of the source over the
/// target cell, W_lat f W_lon^T. A NaN is left out: the mean is over the part of the cell that is there, NaN
/// if none is. Target cells that the source does not cover are NaN. Global grids keep the global mean of a
/// field without NaN. Source: WeatherBench 2, regridding.py (ConservativeRegridder), here in double.
class ConservativeRegridding {
 public:
  ConservativeRegridding(LatLonGrid source, LatLonGrid target);

  const LatLonGrid& source() const { return source_; }
  const LatLonGrid& target() const { return target_; }

  /// Fields of the source, [F, lat, lon], one per thread at a time, to fields of the target, [F, lat, lon].
  /// The result does not depend on `threads`. Errors: internal if there are not whole fields.
  std::vector<float> apply(std::span<const float> fields, int threads) const;

 private:
  void apply_to_one(std::span<const float> field, std::span<float> result) const;
  std::vector<double> along_longitudes(const std::vector<double>& field) const;
  std::vector<double> along_latitudes(const std::vector<double>& rows) const;

  LatLonGrid source_, target_;
  std::vector<OverlapWeights> latitudes_;   // [target lat]
  std::vector<OverlapWeights> longitudes_;  // [target lon]
};

}  // namespace mosaic
