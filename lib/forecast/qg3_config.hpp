#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/config.hpp"
#include "base/time.hpp"
#include "model/forecast_model.hpp"
#include "stores/field_store.hpp"
#include "world/parameters.hpp"

namespace mosaic {

/// What a forecast with the simulated world can be told. What is not given is as the world of that truncation
/// has it; given, it makes the model imperfect.
struct Qg3Config {
  int truncation = 21;
  double perturbation = 5e5;    ///< [m2 s-1]
  double analysis_error = 5e5;  ///< [m2 s-1]
  std::int64_t analysis_seed = 1;
  std::optional<Duration> relaxation_time, drag_time, diffusion_time;
  double orography_factor = 1;
};

/// Declares the keys qg3.*.
void add_qg3_keys(ConfigSchema& schema, Qg3Config& config);

/// Between lead times, unless forecast.step says otherwise.
inline constexpr Duration qg3_step = Duration::hours(12);

/// What cannot be said key by key. `step`: between lead times.
void check_qg3(const Qg3Config& config, Duration step, std::int64_t noise_seed,
               std::vector<std::string>& problems);

/// The numbers of the forecast's world. Errors: bad_configuration for another truncation than 21 or 42.
world::Parameters world_parameters(const Qg3Config& config);

/// The model for fields as `input` has them. Errors: missing_input naming every channel that the store lacks;
/// corrupt_input if its grid is too coarse for the truncation or has uneven longitudes.
std::unique_ptr<ForecastModel> load_qg3(const Qg3Config& config, Duration step, const FieldStore& input,
                                        int batch, int threads);

}  // namespace mosaic
