#pragma once

#include <cstdint>

#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels {

/// Between states [C, lat, lon] float32 in physical units and the network's points, longitude-major (p =
/// i_lon * lats + i_lat; model.md sections 1 and 2). B members, T history states, C channels, P points. All
/// arrays on the device.

/// features [B, P, stride]: T normalised states oldest first (C each), 6 static columns, 4 time features,
/// zeros.
struct PackFeaturesArgs {
  std::int64_t members = 0, history = 0, channels = 0, latitudes = 0, longitudes = 0, stride = 0;
  const float* states = nullptr;          ///< [B, T, C, lat, lon]
  const float* mean = nullptr;            ///< [C]
  const float* deviation = nullptr;       ///< [C]
  const float* static_columns = nullptr;  ///< [P, 6]
  const float* time = nullptr;            ///< [4]
  ElementType type = ElementType::float16;
  void* features = nullptr;
};
void pack_features(const PackFeaturesArgs& args, const Stream& stream);

/// Drops the oldest state of each history and appends y * deviation + mean.
struct AppendStateArgs {
  std::int64_t members = 0, history = 0, channels = 0, latitudes = 0, longitudes = 0, y_stride = 0;
  const float* y = nullptr;  ///< [B, P, y_stride], the first C normalised
  const float* mean = nullptr;
  const float* deviation = nullptr;
  float* states = nullptr;  ///< [B, T, C, lat, lon]
};
void append_state(const AppendStateArgs& args, const Stream& stream);

/// counts [B]: by member the values x of its state that are not finite or have |x - mean| > reach *
/// deviation, in double. A member's count depends on its own state only.
struct StateRangeArgs {
  std::int64_t members = 0, channels = 0, points = 0;
  const float* states = nullptr;     ///< [B] of member_stride numbers, the first C P of each: [C, P]
  std::int64_t member_stride = 0;    ///< at least C P
  const float* mean = nullptr;       ///< [C]
  const float* deviation = nullptr;  ///< [C]
  double reach = 0;                  ///< standard deviations
  std::int32_t* counts = nullptr;    ///< output
};
void count_out_of_range(const StateRangeArgs& args, const Stream& stream);

}  // namespace mosaic::kernels
