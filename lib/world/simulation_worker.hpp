#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "stores/zarr_writer.hpp"
#include "world/simulation_folder.hpp"
#include "world/simulation_plan.hpp"
#include "world/world.hpp"
#include "world/world_fields.hpp"

namespace mosaic::world {

/// Where the time of a worker went [s].
struct SimulationSeconds {
  double model = 0;
  double synthesis = 0;
  double writing = 0;  ///< chunks and restart files
};

/// The realizations of one rank: they advance together, each at its own time, and write what is due. Knows
/// no other ranks.
class SimulationWorker {
 public:
  /// Arguments are kept. Errors: those of World and WorldFields.
  SimulationWorker(const SimulationRequest& request, const SimulationPlan& plan,
                   const SimulationFolder& folder);

  /// Makes the store, or opens the one that is there; `statics` also writes the fields without time. Errors:
  /// those of ZarrWriter.
  enum class Statics { leave, write };
  void open_store(Statics statics);
  void close_store() { writer_->close(); }

  /// Takes a realization, from its restart file or from the beginning of its spin-up. Errors: those of
  /// SimulationFolder::load().
  void take(std::span<const std::size_t> realizations);

  /// Advances the realizations by up to `duration`, until their ends or a stop signal, at which the states
  /// are saved. Errors: internal if fields leave their physical bounds, naming variable, level, place and
  /// time; io_error.
  void work(Duration duration);
  /// Saves the states that are not saved yet. Errors: io_error.
  void save_all();

  std::size_t under_way() const { return members_.size(); }  ///< realizations that are not at their ends
  std::size_t resumed() const { return resumed_; }           ///< realizations with a restart file
  std::size_t outputs() const { return outputs_; }           ///< times in the store, earlier runs included
  std::int64_t steps() const { return steps_; }              ///< of all realizations, in this run
  std::int64_t earlier_steps() const { return earlier_steps_; }  ///< in earlier runs
  const SimulationSeconds& seconds() const { return seconds_; }

 private:
  /// A realization under way; its state is the member of state_ at its place.
  struct Member {
    std::size_t realization = 0;
    std::int64_t steps = 0;   ///< since the beginning of its spin-up
    std::size_t outputs = 0;  ///< times that are in the store
  };

  const Stretch& stretch_of(const Member& member) const { return plan_.stretches[member.realization]; }
  bool is_finished(const Member& member) const { return member.outputs == stretch_of(member).count; }
  std::int64_t next_event(const Member& member) const;
  void advance(std::int64_t steps);
  void write_due();
  void write(std::span<const std::size_t> members);
  std::vector<State> synthesize(std::span<const std::size_t> members);
  std::vector<std::size_t> members_to_save() const;
  void save(const std::vector<std::size_t>& members);
  void drop_finished();

  const SimulationRequest& request_;
  const SimulationPlan& plan_;
  const SimulationFolder& folder_;
  World world_;
  std::shared_ptr<const LatLonGrid> grid_;
  WorldFields fields_;
  std::int64_t steps_between_saves_;
  std::optional<ZarrWriter> writer_;
  std::vector<Member> members_;
  WorldState state_;
  bool synced_ = true;  ///< the chunks are on disk
  bool saved_ = true;   ///< the restart files have the present states
  std::size_t resumed_ = 0, outputs_ = 0;
  std::int64_t steps_ = 0, earlier_steps_ = 0;
  SimulationSeconds seconds_;
};

}  // namespace mosaic::world
