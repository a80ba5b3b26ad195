#pragma once

#include <cstddef>
#include <functional>

#include "parallel/comm.hpp"
#include "world/simulation_folder.hpp"
#include "world/simulation_plan.hpp"
#include "world/simulation_worker.hpp"

namespace mosaic::world {

/// What became of a simulation. Without another word: of all ranks.
struct SimulationOutcome {
  SimulationPlan plan;
  bool was_complete = false;   ///< nothing had to be done
  bool stopped = false;        ///< by a signal; the states are saved and the same request goes on
  std::size_t times_done = 0;  ///< in this run and earlier ones
  std::size_t resumed = 0;     ///< realizations that went on from a restart file
  double member_days = 0;      ///< model days of this run, spin-up included
  double seconds = 0;          ///< of rank 0, from the first step
  SimulationSeconds parts;     ///< of rank 0
};

/// Member-days that are done, in earlier runs too, of all that there are; on rank 0, now and then.
using SimulationProgress = std::function<void(double done, double total)>;

/// Simulates and writes a store in the WeatherBench2 layout (see ZarrWriter) of world_channels(),
/// geopotential_at_surface and land_sea_mask. Realizations are shared out over ranks; those of a rank advance
/// together. States are saved every 30 days of each realization and at a stop signal, so that the same
/// request goes on after any end. The bytes of the store depend on the request (without threads) only.
/// Errors: those of plan_simulation(), SimulationFolder and SimulationWorker. Collective.
SimulationOutcome simulate(const SimulationRequest& request, const Comm& comm,
                           const SimulationProgress& progress = {});

}  // namespace mosaic::world
