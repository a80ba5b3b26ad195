#pragma once

#include <cstdint>
#include <memory>

#include "model/forecast_model.hpp"
#include "world/parameters.hpp"

namespace mosaic {

/// A forecast with the simulated world.
struct Qg3Options {
  world::Parameters parameters;         ///< of the forecast's world; the truth's may be others
  Duration step = Duration::hours(12);  ///< a multiple of parameters.time_step
  double perturbation = 0;              ///< rms streamfunction of each member's perturbation [m2 s-1]
  double analysis_error = 0;            ///< the same of the error that all members share [m2 s-1]
  std::uint64_t analysis_seed = 1;      ///< of that error; not the seed of the members' noise
  int batch = 1;                        ///< members that are advanced together
  int threads = 1;                      ///< never changes bits
  std::shared_ptr<const LatLonGrid> grid;
};

/// Channels: world::world_channels(); history: one state. A step: the streamfunction of the newest winds
/// (world/world_analysis.hpp), its potential vorticity advanced by Runge-Kutta steps, fields by synthesis.
/// The fields are rounded to float32 between steps, about 1e-7 relative, which makes the model a function of
/// its history alone. Other channels of the history than winds are not looked at.
///
/// Before the first step the analysis gets an error that all members of an initial time share and each member
/// its own perturbation (world::add_perturbations): analysis = truth + error, member = analysis +
/// perturbation. With both of the same size truth and members are draws around the same analysis, and the
/// ensemble is statistically consistent from the beginning. Draws of the error: fill_normal_noise(seed,
/// initial time, 0, 0); of the perturbations: AdvanceArgs::noise of step 0.
///
/// Errors: corrupt_input if the grid is too coarse for the truncation or has uneven longitudes; internal for
/// a step that is no multiple of the time step.
std::unique_ptr<ForecastModel> make_qg3_model(const Qg3Options& options);

}  // namespace mosaic
