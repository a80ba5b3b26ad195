#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "world/simulation_plan.hpp"
#include "world/world_state.hpp"

namespace mosaic::world {

enum class SimulationStatus { absent, unfinished, complete };

/// Where a realization stands: a state of one member, and how many of its times are in the store.
struct Restart {
  std::size_t outputs = 0;
  WorldState state;
};

/// A store under construction and what a later run needs to go on with it:
///   <store>/.simulation/realization_0003.npz    seconds (since 1970), outputs, q: as doubles, exact
/// Hidden from readers of Zarr, and gone when the store is complete.
class SimulationFolder {
 public:
  explicit SimulationFolder(std::string path);

  const std::string& path() const { return path_; }
  /// For files of the work in progress.
  const std::string& work_folder() const { return work_; }

  /// Compares what is there with the attributes that the store is to have; reads only. Errors: cannot_create
  /// if something else is there; bad_configuration, with the differences, for another simulation.
  SimulationStatus status(const std::map<std::string, std::string>& attributes) const;

  /// Creates the folders and removes what a killed run left half-written.
  void prepare() const;

  /// The file appears whole or not at all. Errors: cannot_create, io_error.
  void save(std::size_t realization, const Restart& restart) const;
  /// Nothing if the realization has not got so far. Errors: corrupt_input for a damaged file or one that does
  /// not fit the plan.
  std::optional<Restart> load(std::size_t realization, const SimulationPlan& plan,
                              const Parameters& parameters) const;

  /// Removes the restart files. The folder stays if others have files there.
  void remove_work() const;

 private:
  std::string restart_file(std::size_t realization) const;

  std::string path_;
  std::string work_;
};

}  // namespace mosaic::world
