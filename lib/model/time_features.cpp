#include "model/time_features.hpp"

#include <cmath>
#include <numbers>

namespace mosaic {

TimePhases time_phases(Time time) {
  const CalendarTime c = calendar(time);
  const int seconds = (c.hour * 60 + c.minute) * 60 + c.second;
  return {static_cast<float>(seconds / 86400.0),
          static_cast<float>((c.day_of_year - 1) / static_cast<double>(c.days_in_year))};
}

TimePhases published_phases(TimePhases phases, int step, Duration model_step) {
  const double s = model_step.in_hours() / 6;
  for (int i = 0; i < step; ++i) {
    phases.day += static_cast<float>(s / 4);
    phases.year += static_cast<float>(s / 365.25);
  }
  return phases;
}

TimePhases advanced_phases(Time initial, int step, Duration model_step, Calendar calendar) {
  return calendar == Calendar::exact ? time_phases(initial + step * model_step)
                                     : published_phases(time_phases(initial), step, model_step);
}

std::array<float, 4> time_features(const TimePhases& phases) {
  const auto tau = static_cast<float>(2 * std::numbers::pi);
  return {std::sin(tau * phases.day), std::cos(tau * phases.day), std::sin(tau * phases.year),
          std::cos(tau * phases.year)};
}

}  // namespace mosaic
