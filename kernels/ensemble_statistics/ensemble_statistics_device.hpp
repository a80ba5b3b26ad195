#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/device/device.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

namespace mosaic::kernels {

/// More do not fit into the 48 KB of shared memory that a block has without asking for more.
inline constexpr int most_device_members = 64;

/// ensemble_statistics (see there) of fields that lie on a device: only sums come back. Letters: F fields
/// (channels, say), M members (at most most_device_members), P points, R areas. All pointers are to the
/// device. Sums in double, in an order that depends on the number of points alone: over runs of 128 points, 8
/// of those one after the other, then over the parts that this gives.
struct DeviceEnsembleArgs {
  std::int64_t fields = 0, members = 0, points = 0, areas = 0;
  const float* forecast = nullptr;  ///< [M] of member_stride numbers
  std::int64_t member_stride = 0;   ///< at least P, without places at least F P
  /// [F] where a field, [P], begins among a member's numbers; null = field f at f P
  const std::int64_t* places = nullptr;
  const float* truth = nullptr;        ///< [F, P]
  const float* climatology = nullptr;  ///< [F, P]; null = no anomalies
  const double* weights = nullptr;     ///< [R, P] AreaMask::weight_at, never negative
  MissingValues missing = MissingValues::propagate;
  bool energy = false;          ///< whether the parts of the energy score are made
  bool ranks = false;           ///< whether ranks are counted
  double* workspace = nullptr;  ///< [workspace_numbers()]
  double* sums = nullptr;       ///< [F, field_numbers()], output: [R, area_numbers()], then ranks [3, M + 1]

  /// Of an area: the sums of every Statistic (of the energy parts: 0), the weight of the cells; with `energy`
  /// for each member the sums of squared errors and of squared steps to the next member (the last: 0), and
  /// the weights of both.
  std::int64_t area_numbers() const {
    return static_cast<std::int64_t>(statistic_count) + 1 + (energy ? 4 * members : 0);
  }
  std::int64_t field_numbers() const { return areas * area_numbers() + (ranks ? 3 * (members + 1) : 0); }
  std::int64_t workspace_numbers() const;
};
void ensemble_statistics(const DeviceEnsembleArgs& args, const Stream& stream);

/// The statistics that follow from the sums of an area, on the host. Shape of sums: [area_numbers()].
Statistics statistics_of_sums(std::span<const double> sums, std::size_t members, bool energy);

}  // namespace mosaic::kernels
