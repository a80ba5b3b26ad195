#pragma once

#include <array>

#include "base/time.hpp"
#include "model/mosaic_model.hpp"

namespace mosaic {

/// Day and year phases of the newest input state: fraction of the UTC day, and (day of year - 1) / days in
/// year.
struct TimePhases {
  float day = 0;
  float year = 0;
};

TimePhases time_phases(Time time);

/// Phases `step` model steps later as the published rollout advances them: s / 4 and s / 365.25 per step, s
/// the model step in units of 6 h, in float32 and without wrapping at 1.
TimePhases published_phases(TimePhases initial, int step, Duration model_step);

/// The phases of a calendar: published_phases, or those of the true time.
TimePhases advanced_phases(Time initial, int step, Duration model_step, Calendar calendar);

/// sin and cos of 2 pi day, sin and cos of 2 pi year, in float32.
std::array<float, 4> time_features(const TimePhases& phases);

}  // namespace mosaic
