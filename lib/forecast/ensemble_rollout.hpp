#pragma once

#include <vector>

#include "fields/state.hpp"
#include "forecast/noise_source.hpp"
#include "model/forecast_model.hpp"

namespace mosaic {

/// All members of one initial time, advanced together step by step. Members are cut in batches of
/// ModelInfo::batch, the last one padded to full size; a member always has the same place in its batch.
class EnsembleRollout {
 public:
  EnsembleRollout(ForecastModel& model, int members, NoiseSource noise);

  /// Gives every member the same history (oldest first, ModelInfo::history states).
  void start(Time initial_time, const std::vector<State>& history);

  /// One model step of every member; then checks that every value is finite and within mean +- 30 standard
  /// deviations of its channel (where the model knows them). Errors: internal, naming member, variable,
  /// level, place, step.
  void advance();

  int steps_done() const { return steps_done_; }
  /// Newest state of each member. Shape of each: [C, lat, lon]
  std::vector<const float*> members() const;

 private:
  std::size_t state_size() const;
  void check_member(int member) const;

  ForecastModel& model_;
  int members_;
  NoiseSource noise_;
  Time initial_time_;
  int steps_done_ = 0;
  std::vector<std::vector<float>> batches_;  // each [B, T, C, lat, lon]
};

}  // namespace mosaic
