#pragma once

#include <memory>

#include "stores/forecast_store.hpp"

namespace mosaic {

/// The same forecasts; where they hold total_precipitation, accumulated since the initial time, but not that
/// of 6, 12 or 24 hours, these are differences of two leads (eval::accumulated_between). At the initial time
/// nothing has fallen, whether or not lead 0 is stored; a window that begins before is NaN. A lead whose
/// window begins at one that is not there is missing_input when it is read.
std::unique_ptr<ForecastStore> with_precipitation_windows(std::unique_ptr<ForecastStore> forecasts);

}  // namespace mosaic
