#pragma once

#include <optional>
#include <vector>

#include "fake_hindcast/fault.hpp"
#include "model/forecast_model.hpp"

namespace mosaic::test {

struct NullModelOptions {
  int batch = 1;
  double sleep = 0;         ///< [s] of a step of one batch
  Fault fault;              ///< of this rank
  int leak = 0;             ///< [KiB] that each initial time keeps, with a file descriptor
  Time first_unit_faulted;  ///< the fault waits for the rank's second initial time, or for this one
};

/// A model that costs nothing and believes nothing: every channel and lag of every member's history must be
/// hash_field() of its valid time, exactly where it was input, within a quarter of the channel's reach where
/// it was forecast. Its forecast is hash_field() of the valid time plus a deviation that hangs on every bit
/// of the member's own history, noise and step. Steps of 12 h, two states of history, noise of width 8.
class NullModel : public ForecastModel {
 public:
  static constexpr Duration step = Duration::hours(12);
  static constexpr int history = 2;
  static constexpr int noise_width = 8;

  explicit NullModel(const NullModelOptions& options);
  const ModelInfo& info() const override { return info_; }
  /// Errors: internal, naming channel, lag, place and what was expected.
  void advance(const AdvanceArgs& args) override;
  bool fault_is_due() const { return options_.fault.kind != FaultKind::none && !fault_done_; }

 private:
  void check_history(const AdvanceArgs& args, std::size_t member) const;
  void step_member(const AdvanceArgs& args, std::size_t member) const;
  void meet_fault(const AdvanceArgs& args);
  void keep_something(const AdvanceArgs& args);
  std::size_t state_size() const { return info_.channels->size() * info_.grid->points(); }

  NullModelOptions options_;
  ModelInfo info_;
  std::optional<Time> first_unit_;  ///< of this rank
  std::optional<Time> leaked_;      ///< the initial time that was the last to leak
  std::vector<std::vector<char>> kept_;
  bool fault_done_ = false;
};

}  // namespace mosaic::test
